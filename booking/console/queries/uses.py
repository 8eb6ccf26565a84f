"""What waits for the institution after a use: to confirm, to answer, to settle."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from booking.accounts.rules import Caller, Permission, require
from booking.kernel.db import db
from booking.registry.models import Instrument
from booking.reservations.models import FeeSettlement, Reservation, ReservationStatus

MOST = 200
S = ReservationStatus


@dataclass(frozen=True)
class Waiting:
    """Reservations by what they wait for, longest waiting first."""

    overdue: Sequence[Reservation]  # their time is over and nobody began or ended the use
    to_confirm: Sequence[Reservation]
    disputed: Sequence[Reservation]
    to_settle: Sequence[Reservation]
    with_firm: Sequence[Reservation]
    fees: Sequence[Reservation] = ()  # of what came to nothing

    @property
    def count(self) -> int:
        """Return how many wait for the institution."""
        parts = (self.overdue, self.to_confirm, self.disputed, self.to_settle, self.fees)
        return sum(len(part) for part in parts)


def waiting(institution_id: int, *, caller: Caller, now: datetime) -> Waiting:
    """Return what waits at an institution the caller works the day for: two statements.

    At most the 200 that wait longest. Raises NotAllowed.
    """
    require(caller, Permission.SEE_OWNER_SIDE, institution_id)
    query = (
        select(Reservation)
        .join(Reservation.instrument)
        .options(
            contains_eager(Reservation.instrument),
            joinedload(Reservation.organisation),
            joinedload(Reservation.use),
        )
        .where(
            Instrument.institution_id == institution_id,
            Reservation.status.in_((S.CONFIRMED, S.IN_USE, S.COMPLETED, S.USAGE_CONFIRMED)),
            Reservation.ends_at <= now,
        )
        .order_by(Reservation.ends_at, Reservation.id)
        .limit(MOST)
    )
    found = db.session.scalars(query).all()

    def those(*statuses: str) -> list[Reservation]:
        return [each for each in found if each.shown_status in statuses]

    return Waiting(
        overdue=those(S.CONFIRMED, S.IN_USE),
        to_confirm=those(S.COMPLETED),
        disputed=those("disputed"),
        to_settle=those("settling"),
        with_firm=those(S.USAGE_CONFIRMED),
        fees=_fees(institution_id),
    )


def _fees(institution_id: int) -> Sequence[Reservation]:
    query = (
        select(Reservation)
        .join(Reservation.instrument)
        .outerjoin(Reservation.fee_settlement)
        .options(
            contains_eager(Reservation.instrument),
            contains_eager(Reservation.fee_settlement),
            joinedload(Reservation.organisation),
            joinedload(Reservation.use),
        )
        .where(
            Instrument.institution_id == institution_id,
            Reservation.status.in_((S.CANCELLED, S.NO_SHOW)),
            Reservation.fee_minor > 0,
            FeeSettlement.reservation_id.is_(None),
        )
        .order_by(Reservation.ends_at, Reservation.id)
        .limit(MOST)
    )
    return db.session.scalars(query).all()
