"""An instrument's schedule as its owner set it, and what follows for one window."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from booking.accounts.rules import Caller, Permission
from booking.authorisations.rules import Operation
from booking.availability.models import OpeningHours, Schedule, SpecialDay
from booking.availability.queries.bookable import Obstacle, closed_to, obstacles
from booking.availability.queries.patterns import (
    Pattern,
    Taken,
    for_customer,
    patterns_of,
    taken_slots,
)
from booking.availability.queries.search import window_of
from booking.availability.rules import (
    Interval,
    Terms,
    busy_windows,
    free_windows,
    open_windows,
)
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument
from booking.tariffs import queries as tariffs
from booking.tariffs.rules import Customer


@dataclass(frozen=True)
class ScheduleSheet:
    """A schedule with its hours by weekday (0 = Monday) and its special days."""

    schedule: Schedule
    time_zone: str
    week: dict[int, list[Interval]]
    special_days: dict[date, tuple[list[Interval], str]]

    @property
    def terms(self) -> Terms:
        """Return what the owner decided about bookings."""
        return Terms(**{name: getattr(self.schedule, name) for name in asdict(Terms())})

    def facts(self) -> dict[str, Any]:
        """Return all of it as the journal keeps it."""
        return {
            **asdict(self.terms),
            "week": {str(day): hours for day, hours in self.week.items()},
            "special_days": {day.isoformat(): kept for day, kept in self.special_days.items()},
            "version": self.schedule.version,
        }


def find_schedule(instrument: Instrument) -> ScheduleSheet | None:
    """Return the instrument's schedule, or None if it takes no bookings online."""
    schedule = db.session.get(Schedule, instrument.id, populate_existing=True)
    if schedule is None:
        return None
    week: dict[int, list[Interval]] = defaultdict(list)
    for weekday, opens, closes in db.session.execute(
        select(OpeningHours.weekday, OpeningHours.opens_minute, OpeningHours.closes_minute)
        .where(OpeningHours.instrument_id == instrument.id)
        .order_by(OpeningHours.weekday, OpeningHours.opens_minute)
    ):
        week[weekday].append((opens, closes))
    return ScheduleSheet(schedule, instrument.time_zone, dict(week), _special_days(instrument))


def get_schedule(instrument: Instrument) -> ScheduleSheet:
    """Return the instrument's schedule, or raise NotFound."""
    found = find_schedule(instrument)
    if found is None:
        raise NotFound(N_("这台仪器尚未开放在线预约。"))
    return found


def operation_of(instrument_id: int) -> Operation:
    """Return how an instrument may be used; either way where nothing is set."""
    found = select(Schedule.operation).where(Schedule.instrument_id == instrument_id)
    return db.session.scalar(found) or Operation.EITHER


def with_hours(ids: Collection[int]) -> frozenset[int]:
    """Return those of the instruments that have any opening hours."""
    weekly = select(OpeningHours.instrument_id).where(OpeningHours.instrument_id.in_(ids))
    special = select(SpecialDay.instrument_id).where(
        SpecialDay.instrument_id.in_(ids), SpecialDay.opens_minute.is_not(None)
    )
    return frozenset(db.session.scalars(weekly.union(special)))


def _special_days(instrument: Instrument) -> dict[date, tuple[list[Interval], str]]:
    days: dict[date, tuple[list[Interval], str]] = {}
    for row in db.session.scalars(
        select(SpecialDay)
        .where(SpecialDay.instrument_id == instrument.id)
        .order_by(SpecialDay.day, SpecialDay.opens_minute)
    ):
        hours, _ = days.setdefault(row.day, ([], row.reason))
        if row.opens_minute is not None and row.closes_minute is not None:
            hours.append((row.opens_minute, row.closes_minute))
    return days


@dataclass(frozen=True)
class Availability:
    """When an instrument is open, taken and free in a window, and why it cannot be booked."""

    instrument_id: int
    window: TimeSlot
    opened: Sequence[TimeSlot] = ()
    busy: Sequence[TimeSlot] = ()
    free: Sequence[TimeSlot] = ()
    obstacles: Sequence[Obstacle] = ()
    held: Sequence[Taken] | None = None

    @property
    def bookable(self) -> bool:
        """Tell whether it can be booked at all."""
        return not self.obstacles


def availability(
    instrument: Instrument,
    window: TimeSlot,
    *,
    customer: Customer,
    caller: Caller | None,
    now: datetime,
) -> Availability:
    """Return the open, busy and free time of an instrument.

    Free is what could be reserved now: within lead time and horizon, clear of buffers, with at
    least one unit; busy is when all units are taken. Who takes the time is told to nobody; its
    kind to those who work at the owner.
    """
    found = for_customer(patterns_of([instrument.id], window), customer)
    pattern = next(iter(found), None)
    occupancies = taken_slots(instrument.id, window_of(window))
    by_unit: dict[int, list[TimeSlot]] = defaultdict(list)
    for occupancy in occupancies:
        by_unit[occupancy.unit].append(occupancy.slot)
    why = obstacles(
        instrument,
        is_own=instrument.institution_id in customer.own_institutions,
        has_hours=pattern is not None and pattern.plan.ever_opens,
        has_price=bool(tariffs.current_prices([instrument.id], customer)),
        only=closed_to(pattern.policy.conditions, customer, instrument.institution_id)
        if pattern
        else None,
    )
    opened = open_windows(pattern.plan, window) if pattern else []
    works_there = caller and caller.may(Permission.SEE_OWNER_SIDE, instrument.institution_id)
    return Availability(
        instrument.id,
        window,
        opened=opened,
        busy=_within(window, busy_windows(by_unit, instrument.units)),
        free=_free(pattern, opened, by_unit, now) if pattern and not why else [],
        obstacles=why,
        held=[each for each in occupancies if each.slot.overlaps(window)] if works_there else None,
    )


def _within(window: TimeSlot, slots: Iterable[TimeSlot]) -> list[TimeSlot]:
    return [part for slot in slots if (part := slot.clip(window))]


def _free(
    pattern: Pattern,
    opened: Sequence[TimeSlot],
    by_unit: Mapping[int, Sequence[TimeSlot]],
    now: datetime,
) -> list[TimeSlot]:
    earliest, latest = pattern.policy.bookable_between(now)
    if earliest >= latest:
        return []
    return free_windows(
        _within(TimeSlot(earliest, latest), opened),
        by_unit,
        pattern.units,
        before=pattern.policy.buffer_before_minutes,
        after=pattern.policy.buffer_after_minutes,
    )
