"""Making and revoking feeds, and a calendar's content with as little building as possible."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, text

from booking.accounts.rules import Caller
from booking.availability import queries as availability
from booking.calendars import gateway, queries, rules
from booking.calendars.models import CalendarFeed, EventText
from booking.calendars.rules import Audience, FeedKind, Subject, Window
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.passwords import digest, new_secret
from booking.kernel.timeslot import TimeSlot, subtract
from booking.registry import queries as registry
from booking.reservations import queries as reservations
from booking.tariffs.rules import Customer

# Past this no window shows the event any more.
_KEPT = rules.BEFORE + timedelta(days=2)
# In one statement, and in one order, so that two readers who build the same do not deadlock.
_KEEP = text("""
INSERT INTO event_texts (audience, locale, source, source_id, stamp, kept_until, text)
SELECT :audience, :locale, n.*
  FROM unnest(CAST(:sources AS text[]), CAST(:ids AS bigint[]), CAST(:stamps AS text[]),
              CAST(:kept AS timestamptz[]), CAST(:texts AS text[])) n
    ON CONFLICT (source_id, source, audience, locale)
    DO UPDATE SET stamp = excluded.stamp, kept_until = excluded.kept_until, text = excluded.text
 WHERE event_texts.stamp <> excluded.stamp
""")


@dataclass(frozen=True)
class NewFeed:
    """A feed and its secret address, which is shown this once."""

    feed: CalendarFeed
    url: str


@dataclass(frozen=True)
class Glance:
    """A calendar at a glance: enough to say whether somebody has seen it already."""

    subject: Subject
    window: Window
    locale: str
    etag: str
    modified_at: datetime


def create_feed(
    kind: FeedKind, *, caller: Caller, organisation_id: int | None = None, name: str = ""
) -> NewFeed:
    """Make a feed; raises InvalidField, NotAllowed or ScopeMissing."""
    rules.check_feed(kind, organisation_id, caller)
    secret = new_secret()
    feed = CalendarFeed(
        kind=kind,
        user_id=caller.user_id,
        organisation_id=organisation_id,
        name=name,
        digest=digest(secret),
    )
    db.session.add(feed)
    db.session.flush()
    # Not its name: people call a feed after themselves, and the journal is kept for years.
    _record("calendar_feed.created", feed, caller, kind=kind.value)
    return NewFeed(queries.get_feed(feed.id, caller=caller), gateway.feed_url(secret))


def revoke_feed(feed_id: int, *, caller: Caller) -> CalendarFeed:
    """End a feed at once and for ever, or raise NotFound; a second time changes nothing."""
    feed = queries.get_feed(feed_id, caller=caller)
    if feed.revoked_at is None:
        feed.revoked_at = clock.now()
        _record("calendar_feed.revoked", feed, caller)
    return feed


def _record(action: str, feed: CalendarFeed, caller: Caller, **data: object) -> None:
    journal.record(
        action,
        "calendar_feed",
        feed.id,
        by=caller.user_id,
        organisation_id=feed.organisation_id,
        **data,
    )


def glance(subject: Subject, *, locale: str) -> Glance:
    """Return the calendar's tag and last change without building anything."""
    window = rules.window_on(clock.today())
    edition = gateway.edition()
    state = queries.state(subject, window)
    told_apart = (edition, locale, subject.kind, subject.name, subject.owner)
    content = repr((*told_apart, subject.takes_bookings, state.digest))
    return Glance(
        subject=subject,
        window=window,
        locale=locale,
        etag=hashlib.sha256(content.encode()).hexdigest()[:32],
        # At midnight things leave the window and enter it.
        modified_at=max(subject.changed_at, state.changed_at or window.today, window.today),
    )


def body(seen: Glance) -> bytes:
    """Return the calendar, writing down the texts of events that are new or have changed."""
    edition, audience = gateway.edition(), seen.subject.audience
    rows = queries.texts(seen.subject, seen.window, locale=seen.locale, edition=edition)
    missing = [row for row in rows if row.text is None]
    missing.sort(key=lambda row: (row.source, row.id))
    built: dict[tuple[str, int], str] = {}
    for source in sorted({row.source for row in missing}):
        ids = [row.id for row in missing if row.source == source]
        found = queries.facts(audience, source, ids)
        for facts, event in gateway.event_texts(found, audience, locale=seen.locale):
            built[source, facts.source_id] = event
    if built:
        _keep(missing, built, seen)
    events = (row.text or built[row.source, row.id] for row in rows)
    return gateway.calendar(seen.subject, events, locale=seen.locale)


@dataclass(frozen=True)
class OneReservation:
    """A reservation as a calendar of one event."""

    number: str
    body: bytes


def one_reservation(reservation_id: int, *, caller: Caller, locale: str) -> OneReservation:
    """Return the reservation as its side of the counter may read it, or raise NotFound."""
    found = reservations.get_reservation(reservation_id, caller=caller)
    is_customer = found.organisation_id in caller.organisations
    audience = Audience.CUSTOMER if is_customer else Audience.OWNER
    facts = queries.facts(audience, "reservation", [found.id])
    events = [event for _, event in gateway.event_texts(facts, audience, locale=locale)]
    return OneReservation(found.number, gateway.loose_events(events))


def _keep(
    rows: Sequence[queries.ShownEvent], built: dict[tuple[str, int], str], seen: Glance
) -> None:
    db.session.execute(
        _KEEP,
        {
            "audience": seen.subject.audience.value,
            "locale": seen.locale,
            "sources": [row.source for row in rows],
            "ids": [row.id for row in rows],
            "stamps": [row.stamp for row in rows],
            "kept": [row.ends_at + _KEPT for row in rows],
            "texts": [built[row.source, row.id] for row in rows],
        },
    )


def forget_person(user_id: int, reservations: Collection[int]) -> dict[str, int]:
    """Drop a person's feeds, and the event texts that name them; returns how many of each."""
    feeds = db.session.execute(
        delete(CalendarFeed).where(CalendarFeed.user_id == user_id).returning(CalendarFeed.id)
    ).all()
    texts = db.session.execute(
        delete(EventText)
        .where(EventText.source == "reservation", EventText.source_id.in_(reservations))
        .returning(EventText.source_id)
    ).all()
    return {"calendar_feeds": len(feeds), "event_texts": len(texts)}


def forget_texts() -> int:
    """Drop the texts no window shows any more; returns how many."""
    gone = db.session.execute(
        delete(EventText).where(EventText.kept_until < clock.now()).returning(EventText.source_id)
    )
    return len(gone.all())


@dataclass(frozen=True)
class FreeBusy:
    """A published instrument's free/busy; the tag leaves out when it was asked for."""

    etag: str
    body: bytes


def free_busy(instrument_id: int, window: TimeSlot) -> FreeBusy:
    """Return when all units are taken and when it is closed, or raise NotFound."""
    instrument = registry.get_instrument(instrument_id, caller=None)
    now = clock.now()
    found = availability.availability(instrument, window, customer=Customer(), caller=None, now=now)
    closed = list(subtract([window], found.opened))
    content = repr((gateway.edition(), instrument.name, window, found.busy, closed))
    return FreeBusy(
        etag=hashlib.sha256(content.encode()).hexdigest()[:32],
        body=gateway.free_busy(
            instrument.id,
            instrument.name,
            window,
            stamped_at=now,
            busy=found.busy,
            closed=closed,
        ),
    )
