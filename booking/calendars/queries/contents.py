"""What a calendar shows: its state in one cheap statement, and the events' kept texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, TextClause, text

from booking.calendars.rules import Audience, FeedKind, Subject, Window
from booking.kernel.db import db

# Of every feed: what lies in the window and was not called off too long ago. A closure that was
# lifted before it began is called off; one lifted later has ended then.
_RESERVATIONS = """
SELECT 'reservation' AS source, r.id, r.instrument_id, r.organisation_id, r.user_id,
       r.starts_at, r.ends_at, r.version, r.updated_at, hashint8extended(r.id, r.version) AS mark
  FROM reservations r
 WHERE {whose} AND r.ends_at > :since AND r.starts_at < :until
   AND (r.occupancy_id IS NOT NULL OR r.status NOT IN ('cancelled', 'declined', 'expired')
        OR coalesce(r.cancelled_at, r.updated_at) > :cancelled_since)
"""
_CLOSURES = """
UNION ALL
SELECT 'closure', c.id, c.instrument_id, NULL, NULL,
       c.starts_at, c.ends_at, c.version, c.updated_at, hashint8extended(-c.id, c.version)
  FROM closures c
 WHERE {whose} AND c.ends_at > :since AND c.starts_at < :until
   AND (c.lifted_at IS NULL OR c.lifted_at > greatest(c.starts_at, :since)
        OR (c.lifted_at <= c.starts_at AND c.lifted_at > :cancelled_since))
"""
_OWNED = "instrument_id IN (SELECT id FROM instruments WHERE institution_id = :organisation)"
_WHOSE_RESERVATIONS = {
    None: "r.instrument_id = :instrument",
    FeedKind.USER: "r.user_id = :user AND r.organisation_id = ANY(:organisations)",
    FeedKind.ENTERPRISE: "r.organisation_id = :organisation",
    FeedKind.INSTITUTION: f"r.{_OWNED}",
}
_WHOSE_CLOSURES = {
    None: "c.instrument_id = :instrument",
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
       concat_ws('.', CAST(:edition AS text), g.version, {versions}) AS stamp
  FROM ({events}) g JOIN instruments i ON i.id = g.instrument_id {names})
SELECT e.source, e.id, e.ends_at, e.stamp, t.text
  FROM events e
  LEFT JOIN event_texts t ON t.audience = :audience AND t.locale = :locale
       AND t.source = e.source AND t.source_id = e.id AND t.stamp = e.stamp
 ORDER BY e.starts_at, e.source, e.id
"""


@dataclass(frozen=True)
class State:
    """What a feed shows now, without showing it."""

    changed_at: datetime | None
    digest: str | None


def state(subject: Subject, window: Window) -> State:
    """Return what tells one content of the feed from another, in one statement."""
    row = db.session.execute(
        _statement(subject.kind, subject.audience, _STATE), _given(subject, window)
    ).one()
    return State(row.changed_at, row.digest)


def texts(subject: Subject, window: Window, *, locale: str, edition: str) -> Sequence[Row[Any]]:
    """Return the feed's events in their order: (source, id, ends_at, stamp, text or None)."""
    asked = {"audience": subject.audience.value, "locale": locale, "edition": edition}
    return db.session.execute(
        _statement(subject.kind, subject.audience, _TEXTS), _given(subject, window) | asked
    ).all()


def _given(subject: Subject, window: Window) -> dict[str, Any]:
    return subject.filters | {
        "since": window.since,
        "until": window.until,
        "cancelled_since": window.cancelled_since,
    }


@cache
def _statement(kind: FeedKind | None, audience: Audience, what: str) -> TextClause:
    events = _RESERVATIONS.format(whose=_WHOSE_RESERVATIONS[kind])
    if kind in _WHOSE_CLOSURES:
        events += _CLOSURES.format(whose=_WHOSE_CLOSURES[kind])
    besides = _BESIDES[audience]
    return text(
        what.format(
            events=events,
            names=_NAMES[audience],
            groups=", ".join(_GROUPED[audience]),
            keys=", ".join(f"{table}.id" for table in besides),
            versions=", ".join(f"{table}.version" for table in besides),
            changes=", ".join(f"{table}.updated_at" for table in besides),
        )
    )
