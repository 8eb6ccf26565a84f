"""When an instrument is open: wall-clock hours, holidays, special days. Pure.

Instants are TimeSlots where people and single instruments are concerned; the search over many
instruments counts whole minutes since 1970 (`Span`), which costs a tenth.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from booking.kernel.timeslot import TimeSlot
from booking.tariffs.rules import Wall

Interval = tuple[int, int]  # wall-clock minutes since midnight, [opens, closes)
Span = tuple[int, int]  # minutes since 1970-01-01T00:00Z, [starts, ends)
MONDAY, SATURDAY = 0, 5
DAY_MINUTES = 1440
USUAL_WINDOW = timedelta(days=7)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class WeekPlan:
    """An instrument's opening times in its own zone, and the days that differ."""

    zone: ZoneInfo
    week: Mapping[int, Sequence[Interval]] = field(default_factory=dict)
    special: Mapping[date, Sequence[Interval]] = field(default_factory=dict)
    workdays: Mapping[date, bool] = field(default_factory=dict)
    observes_holidays: bool = True
    # What is left of the hours for somebody who may not come at night, or on days off.
    daytime: Interval | None = None
    workdays_only: bool = False

    def works(self, day: date) -> bool:
        """Tell whether it is a working day: as the calendar says, else by its weekday."""
        return self.workdays.get(day, day.weekday() < SATURDAY)

    def intervals(self, day: date) -> Sequence[Interval]:
        """Return the wall-clock intervals of a date, as far as they concern who asks."""
        if self.workdays_only and not self.works(day):
            return ()
        hours = self._hours(day)
        if self.daytime is None:
            return hours
        first, last = self.daytime
        clipped = ((max(opens, first), min(closes, last)) for opens, closes in hours)
        return [(opens, closes) for opens, closes in clipped if opens < closes]

    def _hours(self, day: date) -> Sequence[Interval]:
        """Return the opening hours of a date.

        A special day wins. A public holiday is closed; a weekend worked in exchange (调休) has
        its own weekday's hours if there are any, else Monday's.
        """
        if day in self.special:
            return self.special[day]
        hours = self.week.get(day.weekday(), ())
        if not self.observes_holidays or day not in self.workdays:
            return hours
        is_workday, is_weekend = self.workdays[day], day.weekday() >= SATURDAY
        if not is_workday and not is_weekend:
            return ()
        if is_workday and is_weekend and not hours:
            return self.week.get(MONDAY, ())
        return hours

    @property
    def wall(self) -> Wall:
        """Return the clock and the working days by which hours are priced."""
        return Wall(self.zone, self.workdays)

    @property
    def ever_opens(self) -> bool:
        """Tell whether there are any hours at all."""
        return any(self.week.values()) or any(self.special.values())

    def local_dates(self, window: TimeSlot) -> Iterator[date]:
        """Yield the local dates the window touches."""
        day = window.starts_at.astimezone(self.zone).date()
        last = window.ends_at.astimezone(self.zone).date()
        while day <= last:
            yield day
            day += _ONE_DAY


def open_windows(plan: WeekPlan, window: TimeSlot) -> list[TimeSlot]:
    """Return the open time inside the window, joined across midnight."""
    opened = [slot_of(span) for span in _open_spans(plan, window)]
    return [part for slot in opened if (part := slot.clip(window))]


def open_spans(plan: WeekPlan, window: TimeSlot) -> list[Span]:
    """Return the same in whole minutes that lie inside the window."""
    first, last = minute_after(window.starts_at), minute_before(window.ends_at)
    clipped = ((max(a, first), min(b, last)) for a, b in _open_spans(plan, window))
    return [(a, b) for a, b in clipped if a < b]


def _open_spans(plan: WeekPlan, window: TimeSlot) -> list[Span]:
    found: list[Span] = []
    for day in plan.local_dates(window):
        for opens, closes in plan.intervals(day):
            start, end = at_wall(plan.zone, day, opens), at_wall(plan.zone, day, closes, 1)
            found.append((start, end))
    return joined(found)


def at_wall(zone: ZoneInfo, day: date, minute: int, fold: int = 0) -> int:
    """Return the instant of a wall-clock minute; `fold` 1 for the end of an interval.

    A time that DST skips moves forward by what was skipped; of a repeated one an interval
    begins with the first and ends with the last.
    """
    midnight, is_plain = _day(zone, day)
    if is_plain:
        return midnight + minute
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    found = _whole_minute(wall)
    return max(found, _whole_minute(wall.replace(fold=1))) if fold else found


@lru_cache(maxsize=4096)
def _day(zone: ZoneInfo, day: date) -> tuple[int, bool]:
    """Return the minute a local day begins, and whether its clock runs through undisturbed."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    first, last = _whole_minute(start), _whole_minute(start + _ONE_DAY)
    return first, last - first == DAY_MINUTES


def _whole_minute(instant: datetime) -> int:
    return int(instant.timestamp() // 60)


def minute_after(instant: datetime) -> int:
    """Return the first whole minute at or after the instant."""
    return -int(-instant.timestamp() // 60)


def minute_before(instant: datetime) -> int:
    """Return the last whole minute at or before the instant."""
    return _whole_minute(instant)


def slot_of(span: Span) -> TimeSlot:
    """Return the span as instants."""
    start, end = (datetime.fromtimestamp(minute * 60, UTC) for minute in span)
    return TimeSlot(start, end)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the union as sorted spans that neither overlap nor touch."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result
