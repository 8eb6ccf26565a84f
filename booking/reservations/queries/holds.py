"""What waits for an owner's approval."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, Interval, cast, func, select
from sqlalchemy.orm import joinedload

from booking.accounts.rules import Caller, Permission
from booking.availability.models import Schedule
from booking.kernel.db import db
from booking.registry.models import Instrument
from booking.reservations.models import Reservation, ReservationStatus

_LOOKED_BACK = timedelta(days=1)
_WITH_NAMES = (
    joinedload(Reservation.instrument).joinedload(Instrument.institution),
    joinedload(Reservation.organisation),
    joinedload(Reservation.user),
)


def waiting_for(institution_id: int, *, now: datetime, limit: int) -> Sequence[Reservation]:
    """Return what an institution has to decide on, the first to expire first."""
    query = (
        select(Reservation)
        .join(Instrument, Instrument.id == Reservation.instrument_id)
        .where(*_waits(now), Instrument.institution_id == institution_id)
        .options(*_WITH_NAMES)
        .order_by(Reservation.expires_at, Reservation.id)
        .limit(limit)
    )
    return db.session.scalars(query).all()


def count_waiting(caller: Caller, *, now: datetime) -> int:
    """Return how many reservations wait for the caller's approval."""
    at = caller.organisations_with(Permission.RUN_INSTRUMENTS)
    if not at:
        return 0
    query = (
        select(func.count())
        .select_from(Reservation)
        .join(Instrument, Instrument.id == Reservation.instrument_id)
        .where(*_waits(now), Instrument.institution_id.in_(at))
    )
    return db.session.scalar(query) or 0


def expired_holds(now: datetime, *, limit: int) -> Sequence[Reservation]:
    """Return holds nobody answered in time, locked; those somebody else has locked are left out."""
    query = (
        select(Reservation)
        .where(Reservation.status == ReservationStatus.TENTATIVE, Reservation.expires_at <= now)
        .options(joinedload(Reservation.instrument))
        .order_by(Reservation.id)
        .limit(limit)
        .with_for_update(of=Reservation, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).all()


def unclaimed(now: datetime, *, limit: int) -> Sequence[Reservation]:
    """Return what nobody claimed in time, locked; those somebody else has locked are left out.

    Of the last day only: what is older was perhaps used, and will be recorded from a log.
    """
    minutes = cast(Schedule.release_after_minutes, Integer)
    kept = func.make_interval(0, 0, 0, 0, 0, minutes, type_=Interval)
    query = (
        select(Reservation)
        .join(Schedule, Schedule.instrument_id == Reservation.instrument_id)
        .where(
            Reservation.status == ReservationStatus.CONFIRMED,
            Reservation.starts_at.between(now - _LOOKED_BACK, now),
            Schedule.release_after_minutes > 0,
            Reservation.starts_at + kept <= now,
        )
        .options(joinedload(Reservation.instrument), joinedload(Reservation.use))
        .order_by(Reservation.id)
        .limit(limit)
        .with_for_update(of=Reservation, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).all()


def kept_until(reservation: Reservation) -> datetime | None:
    """Return until when it is kept for who does not come; None: as long as it lasts."""
    if reservation.status is not ReservationStatus.CONFIRMED:
        return None
    query = select(Schedule.release_after_minutes)
    minutes = db.session.scalar(query.where(Schedule.instrument_id == reservation.instrument_id))
    return reservation.starts_at + timedelta(minutes=minutes) if minutes else None


def _waits(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Reservation.status == ReservationStatus.TENTATIVE, Reservation.expires_at > now


@dataclass(frozen=True)
class Record:
    """How a firm kept its earlier reservations at an institution."""

    used: int
    missed: int


def record_of(reservation: Reservation) -> Record:
    """Return how the firm of a reservation came so far to whoever owns the instrument."""
    owner = reservation.instrument.institution_id
    used = Reservation.status.in_(_USED)
    missed = Reservation.status == ReservationStatus.NO_SHOW
    query = (
        select(func.count().filter(used), func.count().filter(missed))
        .select_from(Reservation)
        .join(Instrument, Instrument.id == Reservation.instrument_id)
        .where(
            Reservation.organisation_id == reservation.organisation_id,
            Instrument.institution_id == owner,
        )
    )
    return Record(*db.session.execute(query).one())


_USED = (
    ReservationStatus.COMPLETED,
    ReservationStatus.USAGE_CONFIRMED,
    ReservationStatus.SETTLED,
    ReservationStatus.CLOSED,
)
