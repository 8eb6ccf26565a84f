"""Which reservations there are: those made by hand, and random ones that keep every rule."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from booking.demo import tables
from booking.demo.hours import MANNERS, Calendar, Manner, policy
from booking.demo.tables import Firm, Instrument
from booking.kernel import clock
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import RunningState
from booking.reservations.rules import broken_rules

SEED = 20211101
SHOWN = 1  # the number of the instrument whose week is all made by hand
REACH = 21  # days, back and ahead
ATTEMPTS = 60
FAULT = "fault"
_AT_HOME = 4  # how much likelier an instrument of the own city is
_CANCELLED = 0.08
_DAYLIGHT = (480, 1080)  # who brings a sample comes between 8:00 and 18:00
_REASONS = ("样品未按时到位", "试验方案调整", "客户订单推迟", "改约其他时间")


@dataclass(frozen=True)
class Booking:
    """A reservation to make, and perhaps to cancel again."""

    login: str
    instrument: int
    slot: TimeSlot
    purpose: str
    made_at: datetime
    cancelled_at: datetime | None = None
    reason: str = ""
    by_hand: bool = False


class Planner:
    """Makes up bookings, none of which any rule, closure or other booking refuses."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.random = Random(SEED)  # noqa: S311 - chance that repeats is the point
        self.instruments = {row.number: row for row in tables.instruments()}
        self.taken: dict[int, list[TimeSlot]] = defaultdict(list)
        self.closed: dict[int, list[TimeSlot]] = defaultdict(list)
        for stop in tables.stops():
            if stop.kind != FAULT:
                slot = calendar.slot(stop.day, stop.start, stop.hours)
                self.closed[stop.instrument].append(slot)

    def bookings(self) -> list[Booking]:
        """Return all bookings, the same for a day."""
        planned = list(self._arranged())
        for firm in tables.firms():
            planned += self._wanted(firm)
        return planned

    def _arranged(self) -> Iterator[Booking]:
        for row in tables.arranged():
            slot = self.calendar.slot(row.day, row.start, row.hours)
            instrument = self.instruments[row.instrument]
            self._take(instrument, slot)
            made = self._booking(row.login, instrument, slot, row.purpose, row.cancelled)
            yield replace(made, by_hand=True)

    def _wanted(self, firm: Firm) -> Iterator[Booking]:
        usable = self._usable(firm)
        attempts = (self._attempt(firm, usable) for _ in range(ATTEMPTS * firm.bookings))
        found = (booking for booking in attempts if booking is not None)
        yield from (booking for _, booking in zip(range(firm.bookings), found, strict=False))

    def _usable(self, firm: Firm) -> list[Instrument]:
        """Return what the firm may book, those of its own city several times."""
        usable = [
            row
            for row in self.instruments.values()
            if row.number != SHOWN
            and row.state != RunningState.REPAIR
            and row.category.startswith(firm.needs)
        ]
        at_home = [row for row in usable if _city(row) == firm.region[:4]]
        return usable + at_home * (_AT_HOME - 1)

    def _attempt(self, firm: Firm, usable: list[Instrument]) -> Booking | None:
        instrument = self.random.choice(usable)
        slot = self._some_slot(instrument)
        if slot is None or not self._is_free(instrument, slot):
            return None
        reason = self.random.choice(_REASONS) if self.random.random() < _CANCELLED else ""
        purpose = self.random.choice(tables.purposes(instrument.category))
        booking = self._booking(firm.login, instrument, slot, purpose, reason)
        manner = MANNERS[instrument.terms]
        plan = self.calendar.plan(instrument.week, manner)
        if any(broken_rules(slot, policy(manner.terms), plan, now=booking.made_at)):
            return None
        self._take(instrument, slot)
        return booking

    def _some_slot(self, instrument: Instrument) -> TimeSlot | None:
        manner = MANNERS[instrument.terms]
        day = self.calendar.today + timedelta(days=self.random.randint(-REACH, REACH))
        minutes = self.random.choice(manner.lengths)
        starts = list(self._starts(instrument, manner, day, minutes))
        if not starts:
            return None
        begins = self.calendar.at(day, time(*divmod(self.random.choice(starts), 60)))
        return TimeSlot(begins, begins + timedelta(minutes=minutes))

    def _starts(
        self, instrument: Instrument, manner: Manner, day: date, minutes: int
    ) -> Iterator[int]:
        grid = manner.terms.grid_minutes
        first, last = _DAYLIGHT
        for opens, closes in self.calendar.plan(instrument.week, manner).intervals(day):
            earliest = -(-max(opens, first) // grid) * grid
            # Where it never closes a booking may run on into the next day.
            latest = last if closes - opens == 1440 else min(closes - minutes, last)
            yield from range(earliest, latest + 1, grid)

    def _is_free(self, instrument: Instrument, slot: TimeSlot) -> bool:
        """Tell whether a unit is left, whichever units the other bookings are given."""
        held = _held(instrument, slot)
        others = sum(held.overlaps(other) for other in self.taken[instrument.number])
        closed = any(held.overlaps(other) for other in self.closed[instrument.number])
        return others < instrument.units and not closed

    def _take(self, instrument: Instrument, slot: TimeSlot) -> None:
        self.taken[instrument.number].append(_held(instrument, slot))

    def _booking(
        self, login: str, instrument: Instrument, slot: TimeSlot, purpose: str, cancelled: str
    ) -> Booking:
        terms = MANNERS[instrument.terms].terms
        made_at = self._made_at(slot, terms.lead_minutes)
        last = slot.starts_at - timedelta(minutes=terms.change_until_minutes)
        given_up = min(last, self.calendar.days_before(1, time(17, 30)))
        is_cancelled = bool(cancelled) and given_up > made_at
        return Booking(
            login=login,
            instrument=instrument.number,
            slot=slot,
            purpose=purpose,
            made_at=made_at,
            cancelled_at=made_at + (given_up - made_at) / 2 if is_cancelled else None,
            reason=cancelled if is_cancelled else "",
        )

    def _made_at(self, slot: TimeSlot, lead_minutes: int) -> datetime:
        """Return an office hour some days ahead, and never later than yesterday.

        So nothing depends on the time of day at which the data are loaded.
        """
        day = slot.starts_at.astimezone(clock.CHINA).date()
        ahead = -(-lead_minutes // 1440) + self.random.randint(1, 9)
        yesterday = self.calendar.today - timedelta(days=self.random.randint(1, 6))
        made = min(day - timedelta(days=ahead), yesterday)
        minute = self.random.randint(510, 1040)
        return self.calendar.at(made, time(*divmod(minute, 60)))


def _held(instrument: Instrument, slot: TimeSlot) -> TimeSlot:
    terms = MANNERS[instrument.terms].terms
    return slot.widened(
        before_minutes=terms.buffer_before_minutes, after_minutes=terms.buffer_after_minutes
    )


def _city(instrument: Instrument) -> str:
    return tables.sites()[instrument.site].region[:4]
