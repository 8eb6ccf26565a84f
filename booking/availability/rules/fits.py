"""Where a slot fits into the open time that nobody has taken. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from booking.availability.rules.plans import Span, joined
from booking.kernel.timeslot import TimeSlot, merged, subtract


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
        while rest := (minute + _offset(self.zone, minute // 15)) % self.grid_minutes:
            # Twice around only where the clock changes by less than the grid meanwhile.
            minute += self.grid_minutes - rest
        return minute


@lru_cache(maxsize=16_384)
def _offset(zone: ZoneInfo, quarter: int) -> int:
    # By quarters of an hour, on which clocks change: asked for each candidate of a search.
    offset = datetime.fromtimestamp(quarter * 900, zone).utcoffset() or timedelta()
    return int(offset.total_seconds() // 60)


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
    starts = (
        first_fit(opened, taken_by_unit.get(unit, ()), fit, not_before=not_before)
        for unit in range(1, units + 1)
    )
    return min((start for start in starts if start is not None), default=None)


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
) -> list[int]:
    """Return every minute on the grid at which a slot could begin, sorted; they may overlap."""
    found: set[int] = set()
    for unit in range(1, units + 1):
        for opens, closes in _free_of(opened, taken_by_unit.get(unit, ()), fit):
            start = fit.on_grid(opens)
            while start + fit.minutes <= closes:
                found.add(start)
                start = fit.on_grid(start + 1)
    return sorted(found)


def free_spans(
    opened: Sequence[Span], taken_by_unit: Mapping[int, Sequence[Span]], units: int, fit: Fit
) -> list[Span]:
    """Return `free_windows` in whole minutes."""
    free: list[Span] = []
    for unit in range(1, units + 1):
        free += _free_of(opened, taken_by_unit.get(unit, ()), fit)
    return joined(free)


def _free_of(opened: Sequence[Span], taken: Sequence[Span], fit: Fit) -> Iterator[Span]:
    """Return when one unit is open and far enough from what takes it."""
    return without(opened, joined((start - fit.after, end + fit.before) for start, end in taken))


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
