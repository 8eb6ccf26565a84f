"""Reservations made together, as far as a caller may see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from booking.accounts.rules import Caller
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.reservations.models import Reservation, ReservationGroup
from booking.reservations.queries.reading import WHOLE, visible_to


@dataclass(frozen=True)
class Grouped:
    """A group with its reservations, in order of time."""

    group: ReservationGroup
    reservations: Sequence[Reservation]


def get_group(group_id: int, *, caller: Caller) -> Grouped:
    """Return a group with those of its reservations the caller may see, in order of time.

    Raises NotFound for who may see none of them.
    """
    found = of_group(group_id, caller=caller)
    if not found:
        raise NotFound
    return Grouped(db.session.get_one(ReservationGroup, group_id), found)


def of_group(group_id: int, *, caller: Caller, for_update: bool = False) -> Sequence[Reservation]:
    """Return the reservations of a group the caller may see, in order of time.

    With `for_update` their rows are locked, in the order of their ids.
    """
    query = visible_to(caller).where(Reservation.group_id == group_id).options(*WHOLE)
    if for_update:
        query = query.with_for_update(of=Reservation).execution_options(populate_existing=True)
    found = db.session.scalars(query.order_by(Reservation.id)).all()
    return sorted(found, key=lambda each: (each.starts_at, each.id))


def beside(reservation: Reservation, *, caller: Caller) -> Sequence[Reservation]:
    """Return all of the reservation's group the caller may see, itself too; none without one."""
    return of_group(reservation.group_id, caller=caller) if reservation.group_id else []


def get_group_of(reservation: Reservation) -> ReservationGroup | None:
    """Return the group it was made in, if any."""
    return db.session.get(ReservationGroup, reservation.group_id) if reservation.group_id else None
