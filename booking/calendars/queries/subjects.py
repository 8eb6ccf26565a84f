"""Whose calendar an address means, and the feeds a caller may see."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from booking.accounts.rules import (
    Caller,
    OrganisationKind,
    Permission,
    Role,
    Scope,
    Seat,
    require_scope,
)
from booking.calendars.models import CalendarFeed
from booking.calendars.rules import AUDIENCE_OF, Audience, FeedKind, Subject, is_alive
from booking.kernel import driver, paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.registry.models import Publication

_FEED = """
SELECT f.kind, f.organisation_id, f.name, u.id AS user_id, u.name AS user_name, u.locale,
       o.name AS organisation_name, greatest(f.created_at, u.updated_at, o.updated_at,
           (SELECT max(greatest(m.created_at, m.ended_at))
              FROM memberships m WHERE m.user_id = u.id)) AS changed_at,
       (SELECT json_agg(json_build_array(m.organisation_id, mo.kind, m.role))
          FROM memberships m JOIN organisations mo ON mo.id = m.organisation_id
         WHERE m.user_id = u.id AND m.ended_at IS NULL AND mo.is_active) AS seats
  FROM calendar_feeds f
  JOIN users u ON u.id = f.user_id
  LEFT JOIN organisations o ON o.id = f.organisation_id
 WHERE f.digest = %(digest)s AND f.revoked_at IS NULL AND u.is_active
"""
_INSTRUMENT = """
SELECT i.id, i.name, o.name AS institution, s.instrument_id IS NOT NULL AS takes_bookings,
       greatest(i.updated_at, o.updated_at, s.updated_at) AS changed_at
  FROM instruments i
  JOIN organisations o ON o.id = i.institution_id
  LEFT JOIN schedules s ON s.instrument_id = i.id
 WHERE i.id = %(id)s AND i.publication = %(published)s
"""


def instrument_subject(instrument_id: int) -> Subject:
    """Return a published instrument's calendar, or raise NotFound."""
    values = {"id": instrument_id, "published": Publication.PUBLISHED.value}
    row = driver.first(_INSTRUMENT, values)
    if row is None:
        raise NotFound
    identifier, name, owner, takes_bookings, changed_at = row
    return Subject(
        kind=None,
        audience=Audience.PUBLIC,
        locale=None,
        name=name,
        owner=owner,
        changed_at=changed_at,
        filters={"instrument": identifier},
        takes_bookings=takes_bookings,
    )


def feed_subject(digest: str) -> Subject:
    """Return the calendar behind a secret address.

    Raises NotFound if there is none, it was revoked, or its maker may no longer see it.
    """
    found = driver.first(_FEED, {"digest": digest})
    if found is None:
        raise NotFound
    row = _Feed(*found)
    kind, maker = FeedKind(row.kind), _maker(row)
    if not is_alive(kind, row.organisation_id, maker):
        raise NotFound
    return Subject(
        kind=kind,
        audience=AUDIENCE_OF[kind],
        locale=row.locale,
        name=row.name,
        owner=row.organisation_name or row.user_name,
        changed_at=row.changed_at,
        filters={
            "user": row.user_id,
            "organisations": sorted(maker.organisations),
            "organisation": row.organisation_id,
        },
    )


class _Feed(NamedTuple):
    kind: str
    organisation_id: int | None
    name: str
    user_id: int
    user_name: str
    locale: str
    organisation_name: str | None
    changed_at: datetime
    seats: list[tuple[int, str, str]] | None


def _maker(row: _Feed) -> Caller:
    return Caller(
        user_id=row.user_id,
        name=row.user_name,
        seats=tuple(
            Seat(organisation, OrganisationKind(kind), Role(role))
            for organisation, kind, role in row.seats or ()
        ),
    )


def visible_to(caller: Caller) -> Select[CalendarFeed]:
    """Return the feeds the caller may see: their own, and those of organisations they manage."""
    managed = caller.organisations_with(Permission.MANAGE_ORGANISATION)
    return select(CalendarFeed).where(
        or_(CalendarFeed.user_id == caller.user_id, CalendarFeed.organisation_id.in_(managed))
    )


def get_feed(feed_id: int, *, caller: Caller) -> CalendarFeed:
    """Return the feed, locked, or raise NotFound."""
    query = visible_to(caller).where(CalendarFeed.id == feed_id)
    found = db.session.scalar(
        query.options(joinedload(CalendarFeed.organisation))
        .with_for_update(of=CalendarFeed)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound
    return found


def list_feeds(*, caller: Caller, limit: int, cursor: str | None) -> paging.Page[CalendarFeed]:
    """Return a page of the caller's feeds, also the revoked, latest first."""
    require_scope(caller, Scope.READ)
    query = visible_to(caller).options(joinedload(CalendarFeed.organisation))
    if cursor is not None:
        query = query.where(CalendarFeed.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(CalendarFeed.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )


def personal_data(user_id: int) -> list[dict[str, Any]]:
    """Return the feeds a person made, without their secrets, for who asks for their own data."""
    feeds = db.session.scalars(
        select(CalendarFeed)
        .where(CalendarFeed.user_id == user_id)
        .options(joinedload(CalendarFeed.organisation))
        .order_by(CalendarFeed.id)
    )
    return [
        {
            "kind": feed.kind.value,
            "organisation": feed.organisation.name if feed.organisation else None,
            "name": feed.name,
            "created_at": feed.created_at,
            "revoked_at": feed.revoked_at,
        }
        for feed in feeds
    ]
