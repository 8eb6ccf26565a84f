"""Calendars as text (RFC 5545, 5546, 7986): one event, a calendar around them, free/busy; in UTC.

An event is text of its own, so that whoever serves calendars can keep it and rebuild only what
has changed. The library folds lines by octets and never cuts a character.
"""

import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from icalendar import Calendar, Event, FreeBusy, vCalAddress, vDuration, vPeriod, vText

from booking.kernel.timeslot import TimeSlot

MEDIA_TYPE = "text/calendar; charset=utf-8"
PRODID = "-//Booking//Instrument sharing//ZH"

EventStatus = Literal["TENTATIVE", "CONFIRMED", "CANCELLED"]
Method = Literal["PUBLISH", "REQUEST", "CANCEL"]

_END = "END:VCALENDAR\r\n"
# Readers split lines at these too (Python's splitlines() does), in the middle of a value.
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Not allowed in a value (RFC 5545 §3.1: CONTROL), half a surrogate pair not even in UTF-8.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Party:
    """Who sends an event by mail, or takes part in it."""

    name: str
    email: str


@dataclass(frozen=True)
class CalendarEvent:
    """What a calendar shows of one thing. `modified_at` is also its DTSTAMP: texts are stable."""

    uid: str
    slot: TimeSlot
    summary: str
    status: EventStatus
    sequence: int
    created_at: datetime
    modified_at: datetime
    description: str = ""
    location: str = ""
    contact: str = ""
    url: str = ""
    organizer: Party | None = None
    attendee: Party | None = None


@dataclass(frozen=True)
class CalendarHead:
    """What a calendar says of itself; it has no UID, which readers take for an event's."""

    name: str
    description: str = ""
    color: str = ""
    method: Method | None = None
    refresh: timedelta | None = timedelta(hours=1)


def opaque_uid(thing: str, *, key: str) -> str:
    """Return a stable id from which nobody without the key learns what it stands for."""
    mac = hmac.digest(key.encode(), thing.encode(), "sha256")
    return str(UUID(bytes=mac[:16], version=5))


def event_text(event: CalendarEvent) -> str:
    """Return the VEVENT, CRLF at the end of each line."""
    vevent = Event()
    vevent.add("uid", event.uid)
    vevent.add("dtstamp", event.modified_at.astimezone(UTC))
    vevent.add("created", event.created_at.astimezone(UTC))
    vevent.add("last-modified", event.modified_at.astimezone(UTC))
    vevent.add("dtstart", event.slot.starts_at)
    vevent.add("dtend", event.slot.ends_at)
    vevent.add("sequence", event.sequence)
    vevent.add("status", event.status)
    # Readers that do not know STATUS at least do not count what was cancelled as busy.
    vevent.add("transp", "TRANSPARENT" if event.status == "CANCELLED" else "OPAQUE")
    vevent.add("summary", _line(event.summary))
    for name, value in (
        ("description", _paragraph(event.description)),
        ("location", _line(event.location)),
        ("contact", _line(event.contact)),
        ("url", event.url),
    ):
        if value:
            vevent.add(name, value)
    if event.organizer is not None:
        vevent.add("organizer", _address(event.organizer))
    if event.attendee is not None:
        # They made the booking or run the instrument: their calendar has nothing to ask them.
        taking_part = {"partstat": "ACCEPTED", "rsvp": "FALSE"}
        vevent.add("attendee", _address(event.attendee), parameters=taking_part)
    text: str = vevent.to_ical().decode()
    return text


def _address(party: Party) -> vCalAddress:
    address = vCalAddress(f"mailto:{party.email}")
    # A parameter can hold no quotation mark (RFC 5545 §3.2).
    address.params["cn"] = _line(party.name).replace('"', "'")
    return address


def calendar_text(head: CalendarHead, components: Iterable[str]) -> str:
    """Return a VCALENDAR around components that are text already."""
    opening = _calendar(head).to_ical().decode().removesuffix(_END)
    return "".join((opening, *components, _END))


def free_busy_text(
    window: TimeSlot,
    *,
    uid: str,
    stamped_at: datetime,
    url: str,
    busy: Sequence[TimeSlot],
    closed: Sequence[TimeSlot],
) -> str:
    """Return the VFREEBUSY of a window: what is taken, and when there is nothing to be had."""
    found = FreeBusy()
    found.add("uid", uid)
    found.add("dtstamp", stamped_at.astimezone(UTC))
    found.add("dtstart", window.starts_at)
    found.add("dtend", window.ends_at)
    found.add("url", url)
    for kind, slots in (("BUSY", busy), ("BUSY-UNAVAILABLE", closed)):
        for slot in slots:
            period = vPeriod((slot.starts_at, slot.ends_at))
            found.add("freebusy", period, parameters={"fbtype": kind})
    text: str = found.to_ical().decode()
    return text


def _calendar(head: CalendarHead) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    if head.method:
        calendar.add("method", head.method)
    # As vText: the library would write properties it does not know unescaped.
    for names, value in (
        (("name", "x-wr-calname"), _line(head.name)),
        (("description", "x-wr-caldesc"), _line(head.description)),
    ):
        for name in names if value else ():
            calendar.add(name, vText(value))
    if head.refresh is not None:
        refresh = vDuration(head.refresh)
        calendar.add("refresh-interval", refresh, parameters={"value": "DURATION"})
        calendar.add("x-published-ttl", vDuration(head.refresh))
    if head.color:
        calendar.add("color", vText(head.color))
    return calendar


def _paragraph(text: str) -> str:
    """Return the text with one kind of line break and nothing a value may not hold."""
    return _CONTROLS.sub(" ", _BREAKS.sub("\n", text))


def _line(text: str) -> str:
    return _paragraph(text).replace("\n", " ")
