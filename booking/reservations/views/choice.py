"""What is chosen on an instrument's page, read from its address or form."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller_or_none
from booking.availability import queries as availability
from booking.availability.queries import DAYS, Week
from booking.kernel import clock
from booking.kernel.timeslot import TimeSlot, UnusableSlot
from booking.registry import queries as registry
from booking.registry.models import Instrument
from booking.reservations import queries
from booking.reservations.rules import MOST_SAMPLES
from booking.tariffs import queries as tariffs

LENGTHS = (60, 120, 240, 480)
VIEWS = ("list", "week")
WITHIN_REASON = range(2000, 2100)  # further days cannot be reckoned with


@dataclass(frozen=True)
class Choice:
    """What was chosen so far on an instrument's page."""

    instrument: Instrument
    week: Week | None
    first: date
    day: date | None
    slot: TimeSlot | None
    purpose: str
    is_assisted: bool | None = None
    samples: int = 1
    is_statutory: bool = False
    prepaid: int | None = None  # the balance its hours are to be paid with
    view: str = ""  # "list" instead of the calendar, "week" for it on a phone too

    @property
    def zone(self) -> ZoneInfo:
        """Return the instrument's time zone."""
        return self.instrument.zone

    @property
    def minutes(self) -> int:
        """Return the length that was chosen."""
        return self.slot.minutes if self.slot else self.week.minutes if self.week else LENGTHS[1]

    def address(self, **changes: Any) -> str:
        """Return the address of this page with something chosen otherwise."""
        kept = {
            "minutes": self.minutes,
            "start": self.written(self.slot.starts_at) if self.slot else None,
            "from": self.first.isoformat() if self.first != clock.today() else None,
            "purpose": self.purpose or None,
            "assisted": None if self.is_assisted is None else str(int(self.is_assisted)),
            "samples": self.samples if self.samples > 1 else None,
            "statutory": "1" if self.is_statutory else None,
            "prepaid": self.prepaid,
            "view": self.view or None,
        }
        return url_for(
            "reservations_pages.instrument", instrument_id=self.instrument.id, **(kept | changes)
        )

    def ends_after(self, minutes: int) -> datetime | None:
        """Return when the slot would end if it were so long."""
        return self.slot.starts_at + timedelta(minutes=minutes) if self.slot else None

    def written(self, instant: datetime) -> str:
        """Return an instant as the address and the form write it: the clock on the lab's wall."""
        return f"{instant.astimezone(self.zone):%Y-%m-%dT%H:%M}"


def read_choice(instrument_id: int, given: MultiDict[str, str]) -> Choice:
    """Return what the address or form chooses; what cannot be meant counts as not chosen."""
    found = registry.get_instrument(instrument_id, caller=caller_or_none())
    zone, today = found.zone, clock.today()
    start, day = _wall(given.get("start", ""), zone), _day(given.get("day", ""))
    day = day or (start.date() if start else None)
    first = _day(given.get("from", "")) or today
    if day is not None and not first <= day < first + timedelta(days=DAYS):
        first = day
    minutes = given.get("minutes", "")
    wanted = int(minutes) if minutes.isascii() and minutes.isdigit() and len(minutes) < 6 else 120
    week = availability.weeks(
        [found.id],
        max(first, today),
        now=clock.now(),
        minutes=wanted,
        customer=tariffs.customer_of(caller_or_none()),
    ).get(found.id)
    if start is not None and start.date() != day:
        start = _same_time(start, day, week)
    slot = _slot(start, wanted) or _soonest(week, day)
    return Choice(
        found,
        week,
        first=max(first, today),
        day=day or (slot.starts_at.astimezone(zone).date() if slot else None),
        slot=slot,
        purpose=_purpose(given),
        is_assisted=_ASSISTED.get((given.getlist("assisted") or [""])[-1]),
        samples=_samples(given),
        is_statutory=(given.getlist("statutory") or [""])[-1] == "1",
        prepaid=_prepaid(given),
        view=given["view"] if given.get("view") in VIEWS else "",
    )


_ASSISTED = {"1": True, "0": False}


def _purpose(given: MultiDict[str, str]) -> str:
    """Return what was typed, else what the same person wrote the last time."""
    typed = given.getlist("purpose")
    if typed:  # what stands in the page comes after what its address had
        return typed[-1].strip()[:500]
    caller = caller_or_none()
    return queries.last_purpose(caller) if caller else ""


def _samples(given: MultiDict[str, str]) -> int:
    """Return for how many samples it is; one where none can be meant."""
    typed = given.get("samples", "")
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 1
    return min(max(number, 1), MOST_SAMPLES)


def _prepaid(given: MultiDict[str, str]) -> int | None:
    """Return which balance was chosen, if one was."""
    typed = given.get("prepaid", "")
    return int(typed) or None if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


def _same_time(start: datetime, day: date | None, week: Week | None) -> datetime | None:
    """Return the same time of another day, if one can begin then."""
    wanted = (day, start.time())
    starts = (each for on in (week.days if week else ()) for each in on.starts)
    return next((each for each in starts if (each.date(), each.time()) == wanted), None)


def _wall(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.year not in WITHIN_REASON:
        return None
    return found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year in WITHIN_REASON else None


def _slot(start: datetime | None, minutes: int) -> TimeSlot | None:
    if start is None:
        return None
    try:
        return TimeSlot(start, start + timedelta(minutes=minutes))
    except (UnusableSlot, OverflowError):
        return None


def _soonest(week: Week | None, day: date | None) -> TimeSlot | None:
    """Return the first slot that fits, on the day if one is chosen."""
    if week is None:
        return None
    starts = [start for each in week.days if day is None or each.on == day for start in each.starts]
    return _slot(starts[0], week.minutes) if starts else None
