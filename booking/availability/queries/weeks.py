"""Seven days of each of many instruments: what is free, what stands still, where one can begin."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from booking.availability.models import LONGEST_OCCUPANCY, Occupancy, OccupancyKind
from booking.availability.queries.patterns import (
    Pattern,
    TakenByUnit,
    for_customer,
    patterns_of,
)
from booking.availability.queries.search import FreeSlot, window_of
from booking.availability.rules import (
    DAY_MINUTES,
    BookingPolicy,
    Fit,
    Span,
    WeekPlan,
    every_fit,
    free_spans,
    joined,
    next_fits,
    open_spans,
    slot_of,
    taken_spans,
)
from booking.kernel.db import db
from booking.kernel.timeslot import TimeSlot
from booking.tariffs.rules import Customer

DAYS, STARTS = 7, 3


@dataclass(frozen=True)
class Day:
    """A local day: spans in minutes since its midnight; `starts` where the length fits.

    Taken is what no unit is left of, upkeep included.
    """

    on: date
    open: Sequence[Span] = ()
    free: Sequence[Span] = ()
    upkeep: Sequence[Span] = ()
    taken: Sequence[Span] = ()
    starts: Sequence[datetime] = ()

    @property
    def free_minutes(self) -> int:
        """Return how long it is free in all."""
        return sum(end - start for start, end in self.free)


@dataclass(frozen=True)
class Week:
    """An instrument's next days, and the soonest slots of the length in them."""

    instrument_id: int
    zone: ZoneInfo
    minutes: int
    grid_minutes: int
    days: Sequence[Day]
    soonest: Sequence[FreeSlot]
    policy: BookingPolicy
    plan: WeekPlan


def weeks(
    ids: Sequence[int],
    first: date,
    *,
    now: datetime,
    minutes: int | None = None,
    customer: Customer | None = None,
) -> dict[int, Week]:
    """Return the seven days from `first` of each instrument that has a schedule.

    Free is what could be reserved now, by the customer if one is named. Without `minutes` the
    length is each instrument's usual one. Three statements, whatever is asked for; whether
    somebody may book at all is not asked.
    """
    if not ids:
        return {}
    widest = TimeSlot(_midnight(first, -1), _midnight(first, DAYS + 1))
    found = patterns_of(ids, widest)
    if customer is not None:
        found = for_customer(found, customer)
    held = _held(ids, window_of(widest))
    return {
        each: _week(each, pattern, held.get(each) or _Held(), first=first, now=now, minutes=minutes)
        for pattern in found
        for each in pattern.ids
    }


@dataclass
class _Held:
    """What takes an instrument's time, in minutes; and what of it is upkeep."""

    by_unit: TakenByUnit = field(default_factory=lambda: defaultdict(list))
    upkeep: list[Span] = field(default_factory=list)


_IDS = bindparam("ids", type_=ARRAY(BigInteger))


def _midnight(day: date, days_later: int) -> datetime:
    # A day on either side leaves room for every time zone.
    return datetime.fromisoformat(f"{day + timedelta(days=days_later)}T00:00:00+00:00")


_TAKEN = (
    select(
        Occupancy.instrument_id,
        Occupancy.unit,
        func.date_part("epoch", Occupancy.starts_at),
        func.date_part("epoch", Occupancy.ends_at),
        Occupancy.kind,
    )
    .where(
        Occupancy.instrument_id == func.any(_IDS),
        Occupancy.ends_at > bindparam("starts_at"),
        Occupancy.starts_at < bindparam("ends_at"),
        Occupancy.ends_at < bindparam("end_at_most"),
    )
    .order_by(Occupancy.instrument_id, Occupancy.ends_at)
)
_UPKEEP = frozenset({OccupancyKind.MAINTENANCE, OccupancyKind.CALIBRATION, OccupancyKind.FAULT})


def _held(ids: Sequence[int], window: TimeSlot) -> dict[int, _Held]:
    held: dict[int, _Held] = defaultdict(_Held)
    values = {
        "ids": list(ids),
        "starts_at": window.starts_at,
        "ends_at": window.ends_at,
        "end_at_most": window.ends_at + LONGEST_OCCUPANCY,
    }
    for instrument_id, unit, starts, ends, kind in db.session.execute(_TAKEN, values):
        span = (int(starts // 60), -int(-ends // 60))
        held[instrument_id].by_unit[unit].append(span)
        if kind in _UPKEEP:
            held[instrument_id].upkeep.append(span)
    return held


def _week(
    instrument_id: int,
    pattern: Pattern,
    held: _Held,
    *,
    first: date,
    now: datetime,
    minutes: int | None,
) -> Week:
    policy, zone = pattern.policy, pattern.policy.zone
    fit = Fit(
        zone=zone,
        minutes=policy.nearest_minutes(minutes) if minutes else policy.usual_minutes(),
        grid_minutes=policy.grid_minutes,
        before=policy.buffer_before_minutes,
        after=policy.buffer_after_minutes,
    )
    window = TimeSlot(_local(first, zone), _local(first + timedelta(days=DAYS), zone))
    opened = open_spans(pattern.plan, window)
    bookable = _bookable(pattern, opened, fit, now)
    on_days = _OnDays(
        zone=zone,
        open=opened,
        free=free_spans(bookable, held.by_unit, pattern.units, fit),
        # With a second machine there, upkeep of the first stops nobody.
        upkeep=joined(held.upkeep) if pattern.units == 1 else [],
        taken=taken_spans(held.by_unit, pattern.units),
        starts=every_fit(bookable, held.by_unit, pattern.units, fit),
    )
    soonest = islice(next_fits(bookable, held.by_unit, pattern.units, fit), STARTS)
    return Week(
        instrument_id,
        zone,
        fit.minutes,
        fit.grid_minutes,
        [on_days.day(first + timedelta(days=later)) for later in range(DAYS)],
        [FreeSlot(instrument_id, slot_of(span)) for span in soonest],
        policy,
        pattern.plan,
    )


def _bookable(pattern: Pattern, opened: Sequence[Span], fit: Fit, now: datetime) -> list[Span]:
    """Return the open time within lead time and horizon, from the first start on the grid."""
    earliest, latest = pattern.policy.bookable_between(now)
    low = fit.on_grid(-int(-earliest.timestamp() // 60))
    high = int(latest.timestamp() // 60)
    clipped = ((max(start, low), min(end, high)) for start, end in opened)
    return [(start, end) for start, end in clipped if start < end]


def _local(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


@dataclass(frozen=True)
class _OnDays:
    """Spans of a whole week, to be cut into its days."""

    zone: ZoneInfo
    open: Sequence[Span]
    free: Sequence[Span]
    upkeep: Sequence[Span]
    taken: Sequence[Span]
    starts: Sequence[int]

    def day(self, on: date) -> Day:
        """Return one local day."""
        midnight = int(_local(on, self.zone).timestamp() // 60)
        end = int(_local(on + timedelta(days=1), self.zone).timestamp() // 60)
        return Day(
            on,
            open=_within(self.open, midnight, end),
            free=_within(self.free, midnight, end),
            upkeep=_within(self.upkeep, midnight, end),
            taken=_within(self.taken, midnight, end),
            starts=[
                datetime.fromtimestamp(start * 60, self.zone)
                for start in self.starts
                if midnight <= start < end
            ],
        )


def _within(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Return the spans of a day in minutes since its beginning."""
    clipped = ((max(a, start) - start, min(b, end) - start) for a, b in spans)
    return [(a, min(b, DAY_MINUTES)) for a, b in clipped if a < b]
