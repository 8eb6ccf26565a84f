"""When an instrument is open and free: wall-clock hours, holidays, special days. Pure.

Instants are TimeSlots where people and single instruments are concerned; the search over many
instruments counts whole minutes since 1970 (`Span`), which costs a tenth.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from booking.kernel.errors import InvalidField
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot, merged, subtract

Interval = tuple[int, int]  # wall-clock minutes since midnight, [opens, closes)
Span = tuple[int, int]  # minutes since 1970-01-01T00:00Z, [starts, ends)
MONDAY, SATURDAY = 0, 5
DAY_MINUTES = 1440
USUAL_MINUTES = 60
USUAL_WINDOW = timedelta(days=7)
GRIDS = frozenset({5, 10, 15, 20, 30, 60})
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class BookingPolicy:
    """The owner's limits; minutes unless the name says days."""

    zone: ZoneInfo
    grid_minutes: int
    shortest_minutes: int
    longest_minutes: int
    lead_minutes: int
    horizon_days: int
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    change_until_minutes: int = 0

    def usual_minutes(self) -> int:
        """Return the length to look for when none is named: an hour, as far as that may be."""
        return self.nearest_minutes(USUAL_MINUTES)

    def nearest_minutes(self, minutes: int) -> int:
        """Return the length nearest to this one that a reservation may have."""
        on_grid = -(-minutes // self.grid_minutes) * self.grid_minutes
        return min(max(on_grid, self.shortest_minutes), self.longest_minutes)

    def takes(self, minutes: int) -> bool:
        """Tell whether a reservation may be that long."""
        return (
            self.shortest_minutes <= minutes <= self.longest_minutes
            and minutes % self.grid_minutes == 0
        )

    def bookable_between(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the earliest start and the latest end that lead time and horizon leave."""
        return now + timedelta(minutes=self.lead_minutes), now + timedelta(days=self.horizon_days)


@dataclass(frozen=True)
class WeekPlan:
    """An instrument's opening times in its own zone, and the days that differ."""

    zone: ZoneInfo
    week: Mapping[int, Sequence[Interval]] = field(default_factory=dict)
    special: Mapping[date, Sequence[Interval]] = field(default_factory=dict)
    workdays: Mapping[date, bool] = field(default_factory=dict)
    observes_holidays: bool = True

    def intervals(self, day: date) -> Sequence[Interval]:
        """Return the wall-clock intervals of a date.

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


@dataclass(frozen=True)
class Fit:
    """What a slot to be found must satisfy besides being open: length, grid and buffers."""

    zone: ZoneInfo
    minutes: int
    grid_minutes: int
    before: int = 0
    after: int = 0

    def on_grid(self, minute: int) -> int:
        """Return the first minute at or after this one on the grid that begins at midnight."""
        while rest := (minute + _offset(self.zone, minute)) % self.grid_minutes:
            # Twice around only where the clock changes by less than the grid meanwhile.
            minute += self.grid_minutes - rest
        return minute


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
            start, end = _minute_of(plan.zone, day, opens, 0), _minute_of(plan.zone, day, closes, 1)
            found.append((start, end))
    return joined(found)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the union as sorted spans that neither overlap nor touch."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def _minute_of(zone: ZoneInfo, day: date, minute: int, fold: int) -> int:
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


def _offset(zone: ZoneInfo, minute: int) -> int:
    offset = datetime.fromtimestamp(minute * 60, zone).utcoffset() or timedelta()
    return int(offset.total_seconds() // 60)


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


def first_fit(
    opened: Sequence[Span], taken: Sequence[Span], fit: Fit, *, not_before: int = 0
) -> int | None:
    """Return the first minute at which a slot fits between what is taken, or None.

    `opened` and `taken` are sorted and each free of overlaps. A slot's buffers must not meet
    what is taken, but may lie outside the opening hours.
    """
    position = 0
    for opens, closes in opened:
        start = fit.on_grid(max(opens, not_before))
        while start + fit.minutes <= closes:
            while position < len(taken) and taken[position][1] + fit.before <= start:
                position += 1
            if position == len(taken) or start + fit.minutes <= taken[position][0] - fit.after:
                return start
            start = fit.on_grid(taken[position][1] + fit.before)
    return None


def first_fit_of_units(
    opened: Sequence[Span],
    taken_by_unit: Mapping[int, Sequence[Span]],
    units: int,
    fit: Fit,
    *,
    not_before: int = 0,
) -> int | None:
    """Return the first minute at which a slot fits on any of several identical units."""
    found: int | None = None
    for unit in range(1, units + 1):
        start = first_fit(opened, taken_by_unit.get(unit, ()), fit, not_before=not_before)
        if start is not None and (found is None or start < found):
            found = start
    return found


def next_fits(
    opened: Sequence[Span],
    taken_by_unit: Mapping[int, Sequence[Span]],
    units: int,
    fit: Fit,
    *,
    not_before: int = 0,
) -> Iterator[Span]:
    """Yield slots that fit, soonest first, none overlapping the one before."""
    start = first_fit_of_units(opened, taken_by_unit, units, fit, not_before=not_before)
    while start is not None:
        end = start + fit.minutes
        yield start, end
        start = first_fit_of_units(opened, taken_by_unit, units, fit, not_before=end)


def every_fit(
    opened: Sequence[Span], taken_by_unit: Mapping[int, Sequence[Span]], units: int, fit: Fit
) -> Iterator[int]:
    """Yield every minute on the grid at which a slot could begin; they may overlap."""
    start = first_fit_of_units(opened, taken_by_unit, units, fit)
    while start is not None:
        yield start
        start = first_fit_of_units(opened, taken_by_unit, units, fit, not_before=start + 1)


def free_spans(
    opened: Sequence[Span], taken_by_unit: Mapping[int, Sequence[Span]], units: int, fit: Fit
) -> list[Span]:
    """Return `free_windows` in whole minutes."""
    free: list[Span] = []
    for unit in range(1, units + 1):
        cuts = ((start - fit.after, end + fit.before) for start, end in taken_by_unit.get(unit, ()))
        free += without(opened, joined(cuts))
    return joined(free)


def taken_spans(taken_by_unit: Mapping[int, Sequence[Span]], units: int) -> list[Span]:
    """Return `busy_windows` in whole minutes."""
    taken = joined(taken_by_unit.get(1, ()))
    for unit in range(2, units + 1):
        others = joined(taken_by_unit.get(unit, ()))
        shared = ((max(a, c), min(b, d)) for a, b in taken for c, d in others)
        taken = [(start, end) for start, end in shared if start < end]
    return taken


def without(spans: Sequence[Span], cuts: Sequence[Span]) -> Iterator[Span]:
    """Yield what is left of sorted spans once sorted cuts are taken out."""
    for begins, end in spans:
        start = begins
        for cut_from, cut_to in cuts:
            if cut_from >= end:
                break
            if cut_from > start:
                yield start, cut_from
            start = max(start, cut_to)
        if start < end:
            yield start, end


def free_windows(
    opened: Sequence[TimeSlot],
    taken_by_unit: Mapping[int, Sequence[TimeSlot]],
    units: int,
    *,
    before: int = 0,
    after: int = 0,
) -> list[TimeSlot]:
    """Return the time in which at least one unit is open and far enough from what is taken."""
    free: list[TimeSlot] = []
    for unit in range(1, units + 1):
        # A new slot's own buffers (minutes) must not meet what is taken.
        kept_off = [
            slot.widened(before_minutes=after, after_minutes=before)
            for slot in taken_by_unit.get(unit, ())
        ]
        free += subtract(opened, kept_off)
    return merged(free)


def busy_windows(taken_by_unit: Mapping[int, Sequence[TimeSlot]], units: int) -> list[TimeSlot]:
    """Return the time in which every unit is taken."""
    busy = merged(taken_by_unit.get(1, ()))
    for unit in range(2, units + 1):
        busy = list(_common(busy, merged(taken_by_unit.get(unit, ()))))
    return busy


def _common(first: Sequence[TimeSlot], second: Sequence[TimeSlot]) -> Iterator[TimeSlot]:
    """Yield what two sorted lists share, each of them free of overlaps."""
    left, right = 0, 0
    while left < len(first) and right < len(second):
        if part := first[left].clip(second[right]):
            yield part
        if first[left].ends_at <= second[right].ends_at:
            left += 1
        else:
            right += 1


_BOUNDS = {
    "shortest_minutes": (5, 20160),
    "longest_minutes": (5, 20160),
    "lead_minutes": (0, 43200),
    "horizon_days": (1, 366),
    "change_until_minutes": (0, 43200),
    "buffer_before_minutes": (0, 1440),
    "buffer_after_minutes": (0, 1440),
}


@dataclass(frozen=True)
class Terms:
    """What an owner decides about bookings of an instrument, with the usual values."""

    grid_minutes: int = 30
    shortest_minutes: int = 60
    longest_minutes: int = 480
    lead_minutes: int = 120
    horizon_days: int = 60
    change_until_minutes: int = 1440
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    observes_holidays: bool = True

    def check(self) -> None:
        """Raise InvalidField for the first value that cannot be."""
        if self.grid_minutes not in GRIDS:
            raise InvalidField("grid_minutes", N_("时间格须为 5、10、15、20、30 或 60 分钟。"))
        for name, (least, most) in _BOUNDS.items():
            if not least <= getattr(self, name) <= most:
                raise InvalidField(
                    name, N_("须在 %(least)s 到 %(most)s 之间。", least=least, most=most)
                )
        for name in ("shortest_minutes", "longest_minutes"):
            if getattr(self, name) % self.grid_minutes:
                raise InvalidField(
                    name, N_("须为时间格（%(grid)s 分钟）的整数倍。", grid=self.grid_minutes)
                )
        if self.shortest_minutes > self.longest_minutes:
            raise InvalidField("longest_minutes", N_("单次最长不能短于单次最短。"))


def check_hours(field_name: str, intervals: Sequence[Interval]) -> None:
    """Raise InvalidField unless the intervals of one day run forwards and do not overlap."""
    closed_until = 0
    for opens, closes in sorted(intervals):
        if not 0 <= opens < DAY_MINUTES or not 0 < closes <= DAY_MINUTES:
            raise InvalidField(field_name, N_("时间须在 00:00 到 24:00 之间。"))
        if closes <= opens:
            raise InvalidField(
                field_name,
                N_("结束须晚于开始。跨零点的请拆成两段，例如当天 22:00–24:00 和次日 00:00–02:00。"),
            )
        if opens < closed_until:
            raise InvalidField(field_name, N_("同一天的开放时段不能重叠。"))
        closed_until = closes
