"""What will be: the next days by hours that are not set yet, mails that are not sent yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from booking.availability.queries import workdays
from booking.availability.rules import Interval, WeekPlan, open_windows
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.timeslot import TimeSlot
from booking.notices import gateway as notices
from booking.notices.gateway import Letter
from booking.notices.rules import Kind, Side
from booking.registry.models import Instrument
from booking.reservations import service as reservations
from booking.reservations.models import HOLDING, Reservation
from booking.reservations.queries import told

DAYS = 14
_SATURDAY = 5


class Why(StrEnum):
    """Why a day is not as its weekday."""

    SPECIAL = "special"
    HOLIDAY = "holiday"
    EXCHANGED = "exchanged"  # 调休, worked


@dataclass(frozen=True)
class DayAhead:
    """A day as it will be."""

    on: date
    hours: Sequence[Interval]
    why: Why | None = None
    reason: str = ""


@dataclass(frozen=True)
class Ahead:
    """The next days, and the reservations in them that lie outside of the hours."""

    days: Sequence[DayAhead]
    outside: Sequence[Reservation]


def days_ahead(
    instrument: Instrument,
    week: Mapping[int, Sequence[Interval]],
    special: Mapping[date, tuple[Sequence[Interval], str]],
    *,
    observes_holidays: bool,
) -> Ahead:
    """Return the next two weeks by these hours, whether they are set already or only typed."""
    zone, now = instrument.zone, clock.now()
    first = now.astimezone(zone).date()
    last = first + timedelta(days=DAYS)
    plan = WeekPlan(
        zone=zone,
        week=week,
        special={day: hours for day, (hours, _) in special.items()},
        workdays=workdays(first, last),
        observes_holidays=observes_holidays,
    )
    days = [_day(plan, first + timedelta(days=n), special) for n in range(DAYS)]
    end = datetime(last.year, last.month, last.day, tzinfo=zone)
    return Ahead(days, _outside(instrument.id, plan, TimeSlot(now, end)))


def cancellation_letters(
    ids: Sequence[int], *, reason: str, most: int
) -> list[tuple[Reservation, Letter]]:
    """Return what the firms would be told if the owner cancelled these for the reason."""
    found = db.session.scalars(
        select(Reservation)
        .where(Reservation.id.in_(ids[:most]))
        .options(joinedload(Reservation.organisation))
        .order_by(Reservation.starts_at, Reservation.id)
    ).all()
    known = told([each.id for each in found])
    return [
        (each, _cancellation(each, {**known[each.id], **reservations.cancelling(each, reason)}))
        for each in found
    ]


def _cancellation(reservation: Reservation, facts: Mapping[str, object]) -> Letter:
    return notices.compose(Kind.CANCELLATION, Side.CUSTOMER, facts, subject_id=reservation.id)


def _day(
    plan: WeekPlan, on: date, special: Mapping[date, tuple[Sequence[Interval], str]]
) -> DayAhead:
    hours = plan.intervals(on)
    if on in special:
        return DayAhead(on, hours, Why.SPECIAL, special[on][1])
    works = plan.workdays.get(on)
    if plan.observes_holidays and works is False and on.weekday() < _SATURDAY:
        return DayAhead(on, hours, Why.HOLIDAY)
    if plan.observes_holidays and works and on.weekday() >= _SATURDAY:
        return DayAhead(on, hours, Why.EXCHANGED)
    return DayAhead(on, hours)


def _outside(instrument_id: int, plan: WeekPlan, window: TimeSlot) -> list[Reservation]:
    query = (
        select(Reservation)
        .where(
            Reservation.instrument_id == instrument_id,
            Reservation.status.in_(HOLDING),
            Reservation.starts_at >= window.starts_at,
            Reservation.ends_at <= window.ends_at,
        )
        .options(joinedload(Reservation.organisation))
        .order_by(Reservation.starts_at)
    )
    opened = open_windows(plan, window)
    return [
        each
        for each in db.session.scalars(query)
        if not any(
            part.starts_at <= each.starts_at and each.ends_at <= part.ends_at for part in opened
        )
    ]
