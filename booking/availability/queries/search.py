"""The earliest free slot of each of many instruments, soonest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import islice
from typing import Any

from sqlalchemy import Select, bindparam, or_, select

from booking.availability.queries.bookable import bookable_by, bookable_by_whom, whom
from booking.availability.queries.gaps import Opening, first_gaps
from booking.availability.queries.patterns import (
    Pattern,
    TakenByUnit,
    by_pattern,
    for_customer,
    load_patterns,
    patterns,
    patterns_of,
    taken,
)
from booking.availability.rules import (
    Fit,
    Span,
    every_fit,
    first_fit,
    first_fit_of_units,
    minute_before,
    next_fits,
    open_spans,
    slot_of,
)
from booking.kernel.timeslot import TimeSlot
from booking.registry import queries as registry
from booking.registry.models import Instrument
from booking.registry.rules import code_range
from booking.tariffs.rules import Customer

MANY, OF_MANY, AT_FIRST, THEN_TIMES = 1000, 128, 32, 4
ALTERNATIVES, MOST_EQUALS = 3, 100
LOOK_AHEAD = timedelta(days=14)
SOON_MINUTES = 36 * 60
_Queued = tuple[int, int, int]  # minute, instrument, index of its candidate


@dataclass(frozen=True)
class FreeSlot:
    """A slot one could reserve."""

    instrument_id: int
    slot: TimeSlot

    @property
    def starts_at(self) -> datetime:
        """Return its start."""
        return self.slot.starts_at

    @property
    def ends_at(self) -> datetime:
        """Return its end."""
        return self.slot.ends_at


@dataclass(frozen=True)
class _Candidate:
    """A pattern with where its instruments are open and what would fit there."""

    pattern: Pattern
    opened: Sequence[Span]
    fit: Fit

    def first_free(self, by_unit: TakenByUnit) -> int | None:
        """Return the first free minute of one of its instruments."""
        return first_fit_of_units(self.opened, by_unit, self.pattern.units, self.fit)


def find_free_slots(
    window: TimeSlot,
    *,
    customer: Customer,
    now: datetime,
    minutes: int | None = None,
    category: str | None = None,
    region: str | None = None,
) -> Iterator[FreeSlot]:
    """Yield the earliest free slot of each instrument in the window, soonest first, then by id.

    Only slots the customer could reserve now: open, untaken, on the grid, within lead time and
    horizon. Without `minutes` the length is each instrument's usual one.
    """
    conditions = bookable_by(customer)
    if category is not None:
        conditions.append(registry.in_category(category))
    if region is not None:
        conditions.append(registry.in_region(region))
    found = for_customer(patterns(window, *conditions), customer)
    yield from soonest(found, window, now=now, minutes=minutes)


def soonest(
    found: Sequence[Pattern], window: TimeSlot, *, now: datetime, minutes: int | None
) -> Iterator[FreeSlot]:
    """Yield the earliest free slot of each instrument, soonest first.

    Instruments stand in a queue by where they have the first gap that is long enough; what takes
    their time is loaded in growing batches, and only until the next in the queue cannot come
    before what was found. Of many, those that open first are tried before gaps are looked for.
    """
    candidates = list(_candidates(found, window, now, minutes))
    queue = sorted(
        (start, instrument_id, index)
        for index, candidate in enumerate(candidates)
        if (start := first_fit(candidate.opened, (), candidate.fit)) is not None
        for instrument_id in candidate.pattern.ids
    )
    heap: list[_Queued] = []
    for batch in _batches(queue, candidates, window):
        while heap and heap[0] < batch[0]:
            yield _free_slot(heappop(heap), candidates)
        for found_one in _first_free(batch, candidates, window):
            heappush(heap, found_one)
    while heap:
        yield _free_slot(heappop(heap), candidates)


def _first_free(
    batch: Sequence[_Queued], candidates: Sequence[_Candidate], window: TimeSlot
) -> Iterator[_Queued]:
    """Yield the first free minute of each in the batch, with its id and candidate.

    Most have one soon, so the coming days are loaded first, and all only for the others.
    """
    soon = slot_of((batch[0][0], batch[0][0] + SOON_MINUTES)).clip(window) or window
    left = batch
    for part in (soon, window) if soon != window else (window,):
        end = minute_before(part.ends_at)
        by_instrument = taken([instrument_id for _, instrument_id, _ in left], window_of(part))
        later: list[_Queued] = []
        for queued in left:
            _, instrument_id, index = queued
            start = candidates[index].first_free(by_instrument.get(instrument_id, {}))
            known = start is not None and start + candidates[index].fit.minutes <= end
            if start is not None and (known or part is window):
                yield start, instrument_id, index
            elif part is not window:
                later.append(queued)
        left = later
        if not left:
            return


def window_of(window: TimeSlot) -> TimeSlot:
    """Return the window with room for the widest buffers around it."""
    return window.widened(before_minutes=1440, after_minutes=1440)


def _candidates(
    found: Sequence[Pattern], window: TimeSlot, now: datetime, minutes: int | None
) -> Iterator[_Candidate]:
    for pattern in found:
        policy = pattern.policy
        wanted = minutes or policy.usual_minutes()
        earliest, latest = policy.bookable_between(now)
        starts_at = max(window.starts_at, earliest)
        ends_at = min(window.ends_at, latest)
        if starts_at >= ends_at or not policy.takes(wanted):
            continue
        yield _Candidate(
            pattern=pattern,
            opened=open_spans(pattern.plan, TimeSlot(starts_at, ends_at)),
            fit=Fit(
                zone=policy.zone,
                minutes=wanted,
                grid_minutes=policy.grid_minutes,
                before=policy.buffer_before_minutes,
                after=policy.buffer_after_minutes,
            ),
        )


def _batches(
    queue: list[_Queued], candidates: Sequence[_Candidate], window: TimeSlot
) -> Iterator[list[_Queued]]:
    if len(queue) > MANY:
        yield queue[:OF_MANY]
        queue = queue[OF_MANY:]
    if len(queue) > AT_FIRST:
        queue = _by_gap(queue, candidates, window)
    start, size = 0, AT_FIRST
    while start < len(queue):
        yield queue[start : start + size]
        start, size = start + size, size * THEN_TIMES


def _by_gap(
    queue: Sequence[_Queued], candidates: Sequence[_Candidate], window: TimeSlot
) -> list[_Queued]:
    """Return the queue by first gaps, without those that have none that is long enough."""
    openings = [Opening(each.opened, each.fit.minutes) for each in candidates]
    gaps = first_gaps([(each, index) for _, each, index in queue], openings, window)
    found: list[_Queued] = []
    for start, instrument_id, index in queue:
        if candidates[index].pattern.units > 1:  # another unit may have a gap
            found.append((start, instrument_id, index))
        elif instrument_id in gaps:
            found.append((gaps[instrument_id], instrument_id, index))
    return sorted(found)


def _free_slot(entry: _Queued, candidates: Sequence[_Candidate]) -> FreeSlot:
    start, instrument_id, index = entry
    return FreeSlot(instrument_id, slot_of((start, start + candidates[index].fit.minutes)))


@dataclass(frozen=True)
class Alternatives:
    """What is free instead: here, and on equal instruments."""

    here: Sequence[FreeSlot]
    elsewhere: Sequence[FreeSlot]


@dataclass(frozen=True)
class Kin:
    """What makes instruments equal: the same region and class, the latter by its 4 digits."""

    region: str
    category: str


def _kin() -> Select[Any]:
    equal = (
        select(Instrument.id)
        .where(
            *bookable_by_whom(),
            Instrument.region_code == bindparam("region"),
            Instrument.category_code.between(bindparam("least"), bindparam("most")),
        )
        .order_by(Instrument.category_code != bindparam("category"), Instrument.id)
        .limit(MOST_EQUALS)
    )
    itself = Instrument.id == bindparam("instrument_id")
    return by_pattern(or_(itself, Instrument.id.in_(equal)), label=Instrument.category_code)


_KIN = _kin()


def alternatives(
    instrument_id: int, slot: TimeSlot, *, customer: Customer, now: datetime, kin: Kin | None = None
) -> Alternatives:
    """Return up to 3 next free slots of this length here, and up to 3 on equal instruments.

    Those of the very same class come first; without `kin` none is equal. Three statements,
    whatever is found.
    """
    window = TimeSlot(slot.starts_at, slot.ends_at + LOOK_AHEAD)
    least, most = code_range(kin.category[:4]) if kin else ("", "")
    found = load_patterns(
        _KIN,
        window,
        instrument_id=instrument_id,
        **whom(customer),
        region=kin.region if kin else None,
        least=least,
        most=most,
        category=kin.category if kin else "",
    )
    candidates = list(_candidates(for_customer(found, customer), window, now, slot.minutes))
    ranked = sorted(
        (each != instrument_id, kin is None or candidate.pattern.label != kin.category, each, index)
        for index, candidate in enumerate(candidates)
        for each in candidate.pattern.ids
    )
    by_instrument = taken([each for _, _, each, _ in ranked], window_of(window)) if ranked else {}
    here: list[FreeSlot] = []
    elsewhere: list[tuple[bool, int, int, int]] = []
    for is_other, is_far, each, index in ranked:
        by_unit = by_instrument.get(each, {})
        if not is_other:
            here = _next_here(candidates[index], each, by_unit)
        elif (start := candidates[index].first_free(by_unit)) is not None:
            elsewhere.append((is_far, start, each, index))
    nearest = sorted(elsewhere)[:ALTERNATIVES]
    return Alternatives(
        here=here,
        elsewhere=[
            _free_slot((start, each, index), candidates) for _, start, each, index in nearest
        ],
    )


def _next_here(candidate: _Candidate, instrument_id: int, by_unit: TakenByUnit) -> list[FreeSlot]:
    fits = next_fits(candidate.opened, by_unit, candidate.pattern.units, candidate.fit)
    return [FreeSlot(instrument_id, slot_of(span)) for span in islice(fits, ALTERNATIVES)]


def free_slots_of(
    instrument_id: int,
    window: TimeSlot,
    *,
    customer: Customer,
    now: datetime,
    minutes: int,
    whatever_is_taken: bool = False,
) -> list[TimeSlot]:
    """Return every slot of that length on one instrument that could begin in the window.

    They keep hours, grid, lead time and horizon, may overlap each other, and are free now unless
    asked for `whatever_is_taken`.
    """
    found = for_customer(patterns_of([instrument_id], window), customer)
    none: TakenByUnit = {}
    held = {} if whatever_is_taken else taken([instrument_id], window_of(window))
    return [
        slot_of((start, start + minutes))
        for each in _candidates(found, window, now, minutes)
        for start in every_fit(
            each.opened, held.get(instrument_id, none), each.pattern.units, each.fit
        )
    ]
