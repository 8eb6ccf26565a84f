"""What a calendar shows: its state in one cheap statement, and the events' kept texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from booking.calendars.rules import Audience, FeedKind, Subject, Window
from booking.kernel import driver

# Of every feed: what lies in the window and was not called off too long ago. A closure that was
# lifted before it began is called off; one lifted later has ended then.
_RESERVATIONS = """
SELECT 'reservation' AS source, r.id, r.instrument_id, r.organisation_id, r.user_id,
       r.starts_at, r.ends_at, r.version, r.updated_at, hashint8extended(r.id, r.version) AS mark
  FROM reservations r
 WHERE {whose} AND r.ends_at > %(since)s AND r.starts_at < %(until)s
   AND (r.occupancy_id IS NOT NULL OR r.status NOT IN ('cancelled', 'declined', 'expired')
        OR coalesce(r.cancelled_at, r.updated_at) > %(cancelled_since)s)
"""
_CLOSURES = """
UNION ALL
SELECT 'closure', c.id, c.instrument_id, NULL, NULL,
       c.starts_at, c.ends_at, c.version, c.updated_at, hashint8extended(-c.id, c.version)
  FROM closures c
 WHERE {whose} AND c.ends_at > %(since)s AND c.starts_at < %(until)s
   AND (c.lifted_at IS NULL OR c.lifted_at > greatest(c.starts_at, %(since)s)
        OR (c.lifted_at <= c.starts_at AND c.lifted_at > %(cancelled_since)s))
"""
_OWNED = "instrument_id IN (SELECT id FROM instruments WHERE institution_id = %(organisation)s)"
_WHOSE_RESERVATIONS = {
    None: "r.instrument_id = %(instrument)s",
    FeedKind.USER: "r.user_id = %(user)s AND r.organisation_id = ANY(%(organisations)s)",
    FeedKind.ENTERPRISE: "r.organisation_id = %(organisation)s",
    FeedKind.INSTITUTION: f"r.{_OWNED}",
}
_WHOSE_CLOSURES = {
    None: "c.instrument_id = %(instrument)s",
    FeedKind.INSTITUTION: f"c.{_OWNED}",
}
# What stands in an event besides its own: each audience's text is as old as the newest of these.
_BESIDES = {
    Audience.PUBLIC: ("i",),
    Audience.CUSTOMER: ("i", "o", "u"),
    Audience.OWNER: ("i", "o"),
}
_NAMES = {
    Audience.PUBLIC: "",
    Audience.CUSTOMER: "JOIN organisations o ON o.id = i.institution_id "
    "JOIN users u ON u.id = g.user_id",
    Audience.OWNER: "LEFT JOIN organisations o ON o.id = g.organisation_id",
}
_GROUPED = {
    Audience.PUBLIC: ("instrument_id",),
    Audience.CUSTOMER: ("instrument_id", "user_id"),
    Audience.OWNER: ("instrument_id", "organisation_id"),
}
# A thousand events are of a few instruments and people, whose versions are joined to what the
# events of each come to: how many, and their ids and versions mixed.
_STATE = """
SELECT max(greatest(g.changed_at, {changes})) AS changed_at,
       md5(string_agg(concat_ws(':', g.events, g.marks, {keys}, {versions}), ','
           ORDER BY {keys})) AS digest
  FROM (SELECT {groups}, count(*) AS events, bit_xor(mark) AS marks, max(updated_at) AS changed_at
          FROM ({events}) e GROUP BY {groups}) g
  JOIN instruments i ON i.id = g.instrument_id {names}
"""
_TEXTS = """
WITH events AS (
SELECT g.source, g.id, g.starts_at, g.ends_at,
       concat_ws('.', CAST(%(edition)s AS text), g.version, {versions}) AS stamp
  FROM ({events}) g JOIN instruments i ON i.id = g.instrument_id {names})
SELECT e.source, e.id, e.ends_at, e.stamp, t.text
  FROM events e
  LEFT JOIN event_texts t ON t.audience = %(audience)s AND t.locale = %(locale)s
       AND t.source = e.source AND t.source_id = e.id AND t.stamp = e.stamp
 ORDER BY e.starts_at, e.source, e.id
"""


@dataclass(frozen=True)
class State:
    """What a feed shows now, without showing it."""

    changed_at: datetime | None
    digest: str | None


class ShownEvent(NamedTuple):
    """An event and the text kept of it; None if none is kept of this edition and version."""

    source: str
    id: int
    ends_at: datetime
    stamp: str
    text: str | None


def state(subject: Subject, window: Window) -> State:
    """Return what tells one content of the feed from another, in one statement."""
    statement = _statement(subject.kind, subject.audience, _STATE)
    return State(*(driver.first(statement, _given(subject, window)) or (None, None)))


def texts(subject: Subject, window: Window, *, locale: str, edition: str) -> Sequence[ShownEvent]:
    """Return the feed's events in their order."""
    asked = {"audience": subject.audience.value, "locale": locale, "edition": edition}
    statement = _statement(subject.kind, subject.audience, _TEXTS)
    return [ShownEvent(*row) for row in driver.rows(statement, _given(subject, window) | asked)]


def _given(subject: Subject, window: Window) -> dict[str, Any]:
    return subject.filters | {
        "since": window.since,
        "until": window.until,
        "cancelled_since": window.cancelled_since,
    }


@cache
def _statement(kind: FeedKind | None, audience: Audience, what: str) -> str:
    events = _RESERVATIONS.format(whose=_WHOSE_RESERVATIONS[kind])
    if kind in _WHOSE_CLOSURES:
        events += _CLOSURES.format(whose=_WHOSE_CLOSURES[kind])
    besides = _BESIDES[audience]
    return what.format(
        events=events,
        names=_NAMES[audience],
        groups=", ".join(_GROUPED[audience]),
        keys=", ".join(f"{table}.id" for table in besides),
        versions=", ".join(f"{table}.version" for table in besides),
        changes=", ".join(f"{table}.updated_at" for table in besides),
    )
