"""What comes next for a firm's people and what waits for whom, on the customer's side only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import contains_eager, joinedload

from booking.accounts.rules import Caller, Permission
from booking.authorisations import queries as authorisations
from booking.authorisations.models import Authorisation
from booking.kernel import clock
from booking.kernel.db import db
from booking.registry.models import Instrument
from booking.reservations.models import FeeSettlement, Reservation, ReservationStatus, Use
from booking.reservations.queries import visible_to
from booking.reservations.rules import EARLIEST_START
from booking.waiting import queries as places
from booking.waiting.models import WaitingEntry
from booking.waiting.rules import Standing

MOST = 50  # of what waits
VISITS = 5
S = ReservationStatus


@dataclass(frozen=True)
class Waiting:
    """What waits, by who has to act: the firm's people first."""

    offers: Sequence[WaitingEntry] = ()  # of the waiting list: to take or leave within hours
    to_check: Sequence[Reservation] = ()  # confirmed use: agree or object, by a day
    ending: Sequence[Authorisation] = ()  # authorisations to operate that run out
    with_owner: Sequence[Reservation] = ()  # asked for, held, not answered yet
    fees: Sequence[Reservation] = ()  # due though nothing was used, not settled yet

    @property
    def count(self) -> int:
        """Return how many wait for the firm's people."""
        return len(self.offers) + len(self.to_check) + len(self.ending)


def next_visits(*, caller: Caller, now: datetime) -> Sequence[Reservation]:
    """Return what is in use and what comes next, soonest first."""
    is_to_come = and_(Reservation.status.in_((S.CONFIRMED, S.TENTATIVE)), Reservation.ends_at > now)
    query = _own(caller).where(or_(Reservation.status == S.IN_USE, is_to_come))
    return db.session.scalars(
        query.order_by(Reservation.starts_at, Reservation.id).limit(VISITS)
    ).all()


def can_begin(reservation: Reservation, *, now: datetime) -> bool:
    """Tell whether the visit can begin now, or has begun."""
    if reservation.status is S.IN_USE:
        return True
    begins = reservation.starts_at - EARLIEST_START
    return reservation.status is S.CONFIRMED and begins <= now < reservation.ends_at


def waiting(*, caller: Caller, now: datetime) -> Waiting:
    """Return what waits for the caller's organisations, most pressing first; at most 50 of each."""
    to_check = _own(caller).where(
        _may_answer(caller),
        Reservation.status == S.USAGE_CONFIRMED,
        Use.agreed_at.is_(None),
        Use.objected_at.is_(None),
        Use.objection_until > now,
    )
    held = _own(caller).where(Reservation.status == S.TENTATIVE, Reservation.expires_at > now)
    fees = _own(caller).where(
        Reservation.status.in_((S.CANCELLED, S.NO_SHOW)),
        Reservation.fee_minor > 0,
        FeeSettlement.reservation_id.is_(None),
    )
    offers = places.list_entries(caller=caller, limit=MOST, cursor=None, standing=Standing.OFFERED)
    theirs = [
        each.entry for each in offers.items if each.entry.organisation_id in caller.organisations
    ]
    return Waiting(
        offers=sorted(theirs, key=lambda entry: (entry.answer_by or now, entry.id)),
        to_check=_first(to_check.order_by(Use.objection_until, Reservation.id)),
        ending=authorisations.ending(clock.today(), user_id=caller.user_id),
        with_owner=_first(held.order_by(Reservation.expires_at, Reservation.id)),
        fees=_first(fees.order_by(Reservation.ends_at, Reservation.id)),
    )


def has_booked(*, caller: Caller) -> bool:
    """Tell whether the caller's organisations ever reserved anything that one may see."""
    own = visible_to(caller).where(Reservation.organisation_id.in_(caller.organisations))
    return db.session.scalar(own.with_only_columns(Reservation.id).limit(1)) is not None


def _own(caller: Caller) -> Select[Reservation]:
    return (
        visible_to(caller)
        .where(Reservation.organisation_id.in_(caller.organisations))
        .outerjoin(Reservation.use)
        .outerjoin(Reservation.fee_settlement)
        .options(
            joinedload(Reservation.instrument).joinedload(Instrument.institution),
            joinedload(Reservation.organisation),
            contains_eager(Reservation.use),
            contains_eager(Reservation.fee_settlement),
        )
    )


def _may_answer(caller: Caller) -> ColumnElement[bool]:
    """Return the condition for what the caller may agree or object to: their own, or as manager."""
    managed = caller.organisations_with(Permission.CHANGE_CUSTOMER_SIDE)
    buys = caller.organisations_with(Permission.RESERVE)
    own = and_(Reservation.user_id == caller.user_id, Reservation.organisation_id.in_(buys))
    return or_(own, Reservation.organisation_id.in_(managed))


def _first(query: Select[Reservation]) -> Sequence[Reservation]:
    return db.session.scalars(query.limit(MOST)).all()
