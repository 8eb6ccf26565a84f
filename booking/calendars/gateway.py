"""Events and calendars in a reader's words, as iCalendar text with addresses and opaque ids."""

import hmac
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from flask import current_app
from flask_babel import force_locale, gettext

from booking.calendars import rules
from booking.calendars.rules import Audience, EventFacts, FeedKind, Subject
from booking.kernel import ical
from booking.kernel.text import N_, Text
from booking.kernel.timeslot import TimeSlot

# Counted up when events are worded or built differently: kept texts are then built anew.
_EDITION = 1
_COLORS = {
    None: "darkcyan",
    FeedKind.USER: "steelblue",
    FeedKind.ENTERPRISE: "steelblue",
    FeedKind.INSTITUTION: "darkcyan",
}
_NAMES = {
    FeedKind.USER: N_("我的仪器预约"),
    FeedKind.ENTERPRISE: N_("%(owner)s · 仪器预约"),
    FeedKind.INSTITUTION: N_("%(owner)s · 仪器日程"),
}
_NOT_OPEN = N_("这台仪器尚未开放在线预约。")


def feed_url(secret: str) -> str:
    """Return the secret address of a feed."""
    return f"{_base_url()}/calendars/feeds/{secret}.ics"


def edition() -> str:
    """Return what every text depends on besides its thing: our wording, address and key."""
    return f"{_EDITION}-{_mac(_base_url()).hex()[:8]}"


def event_texts(
    facts: Iterable[EventFacts], audience: Audience, *, locale: str
) -> Iterator[tuple[EventFacts, str]]:
    """Yield each thing with its VEVENT in the language."""
    with force_locale(locale):
        for each in facts:
            yield each, ical.event_text(_event(each, audience))


def calendar(subject: Subject, events: Iterable[str], *, locale: str) -> bytes:
    """Return the whole calendar."""
    with force_locale(locale):
        head = ical.CalendarHead(
            name=_name(subject),
            description="" if subject.takes_bookings else _said(_NOT_OPEN),
            color=_COLORS[subject.kind],
        )
        return ical.calendar_text(head, events).encode()


def loose_events(events: Iterable[str]) -> bytes:
    """Return events as a file to be taken into any calendar: it has no name of its own."""
    return ical.calendar_text(ical.CalendarHead(name=""), events).encode()


def free_busy(
    instrument_id: int,
    name: str,
    window: TimeSlot,
    *,
    stamped_at: datetime,
    busy: Sequence[TimeSlot],
    closed: Sequence[TimeSlot],
) -> bytes:
    """Return a calendar with the instrument's free/busy."""
    component = ical.free_busy_text(
        window,
        uid=_uid(f"free-busy:{instrument_id}:{window.starts_at}:{window.ends_at}"),
        stamped_at=stamped_at,
        url=f"{_base_url()}/calendars/instruments/{instrument_id}/freebusy.ics",
        busy=busy,
        closed=closed,
    )
    return ical.calendar_text(ical.CalendarHead(name=name), [component]).encode()


def _event(facts: EventFacts, audience: Audience) -> ical.CalendarEvent:
    status: ical.EventStatus = "TENTATIVE" if facts.status == "tentative" else "CONFIRMED"
    seen = facts.source == "reservation" and audience is not Audience.PUBLIC
    return ical.CalendarEvent(
        uid=_uid(f"{_namespace(audience)}:{facts.source}:{facts.source_id}"),
        slot=facts.slot,
        summary=_said(rules.summary(facts, audience)),
        status="CANCELLED" if facts.is_off else status,
        sequence=facts.sequence,
        created_at=facts.created_at,
        modified_at=facts.modified_at,
        description="\n".join(_said(line) for line in rules.description(facts, audience)),
        location=facts.place,
        contact=facts.contact,
        url=f"{_base_url()}/reservations/{facts.source_id}" if seen else "",
    )


def _namespace(audience: Audience) -> str:
    # Both sides of a reservation name it alike; the public must not recognise it.
    return "public" if audience is Audience.PUBLIC else "parties"


def _name(subject: Subject) -> str:
    if subject.kind is None:
        return f"{subject.name} · {subject.owner}"
    return subject.name or _said(Text(_NAMES[subject.kind].msgid, {"owner": subject.owner}))


def _said(text: Text) -> str:
    return text.render(gettext)


def _uid(thing: str) -> str:
    return ical.opaque_uid(thing, key=current_app.config["SECRET_KEY"])


def _mac(text: str) -> bytes:
    return hmac.digest(current_app.config["SECRET_KEY"].encode(), text.encode(), "sha256")


def _base_url() -> str:
    return str(current_app.config["BASE_URL"])
