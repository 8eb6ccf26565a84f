"""Whom an institution has dealt with, and what it set aside for them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import joinedload

from booking.accounts.models import Membership, Organisation, User
from booking.accounts.rules import Caller, Permission
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.registry.models import Instrument
from booking.reservations.models import Override, Reservation
from booking.reservations.queries.reading import get_reservation


def firms_dealt_with(institution_id: int) -> dict[int, str]:
    """Return the organisations that ever had a reservation there, by id, in order of name."""
    theirs = (
        select(Reservation.organisation_id)
        .join(Instrument, Instrument.id == Reservation.instrument_id)
        .where(Instrument.institution_id == institution_id)
    )
    rows = db.session.execute(
        select(Organisation.id, Organisation.name)
        .where(Organisation.id.in_(theirs))
        .order_by(Organisation.name)
    )
    return _names(rows.all())


def has_dealt_with(institution_id: int, organisation_id: int) -> bool:
    """Tell whether the organisation ever had a reservation there."""
    found = exists().where(
        Reservation.organisation_id == organisation_id,
        Reservation.instrument_id == Instrument.id,
        Instrument.institution_id == institution_id,
    )
    return bool(db.session.scalar(select(found)))


def people_dealt_with(institution_id: int, organisation_id: int) -> dict[int, str]:
    """Return who of the organisation ever reserved there and is still with it, latest first."""
    latest = func.max(Reservation.id)
    rows = db.session.execute(
        select(User.id, User.name)
        .join(Reservation, Reservation.user_id == User.id)
        .join(Instrument, Instrument.id == Reservation.instrument_id)
        .join(
            Membership,
            (Membership.user_id == User.id) & (Membership.organisation_id == organisation_id),
        )
        .where(
            Instrument.institution_id == institution_id,
            Reservation.organisation_id == organisation_id,
            Membership.ended_at.is_(None),
        )
        .group_by(User.id, User.name)
        .order_by(latest.desc())
    )
    return _names(rows.all())


def _names(rows: Iterable[Any]) -> dict[int, str]:
    return {each.id: each.name for each in rows}


def overrides_of(reservation_id: int, *, caller: Caller) -> Sequence[Override]:
    """Return what was set aside for a reservation, oldest first, with who did it.

    Raises NotFound for whoever does not work at the owner.
    """
    found = get_reservation(reservation_id, caller=caller)
    if not caller.may(Permission.SEE_OWNER_SIDE, found.instrument.institution_id):
        raise NotFound
    return db.session.scalars(
        select(Override)
        .where(Override.reservation_id == reservation_id)
        .options(joinedload(Override.user))
        .order_by(Override.id)
    ).all()
