"""Whose calendar an address means, and the feeds a caller may see."""

from typing import Any

from sqlalchemy import Row, Select, or_, select, text
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
from booking.kernel import paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.registry.models import Publication

_FEED = text("""
SELECT f.id, f.kind, f.organisation_id, f.name, u.id AS user_id, u.name AS user_name, u.locale,
       o.name AS organisation_name, greatest(f.created_at, u.updated_at, o.updated_at,
           (SELECT max(greatest(m.created_at, m.ended_at))
              FROM memberships m WHERE m.user_id = u.id)) AS changed_at,
       (SELECT json_agg(json_build_array(m.organisation_id, mo.kind, m.role))
          FROM memberships m JOIN organisations mo ON mo.id = m.organisation_id
         WHERE m.user_id = u.id AND m.ended_at IS NULL AND mo.is_active) AS seats
  FROM calendar_feeds f
  JOIN users u ON u.id = f.user_id
  LEFT JOIN organisations o ON o.id = f.organisation_id
 WHERE f.digest = :digest AND f.revoked_at IS NULL AND u.is_active
""")
_INSTRUMENT = text("""
SELECT i.id, i.name, o.name AS institution, s.instrument_id IS NOT NULL AS takes_bookings,
       greatest(i.updated_at, o.updated_at, s.updated_at) AS changed_at
  FROM instruments i
  JOIN organisations o ON o.id = i.institution_id
  LEFT JOIN schedules s ON s.instrument_id = i.id
 WHERE i.id = :id AND i.publication = :published
""")


def instrument_subject(instrument_id: int) -> Subject:
    """Return a published instrument's calendar, or raise NotFound."""
    row = db.session.execute(
        _INSTRUMENT, {"id": instrument_id, "published": Publication.PUBLISHED.value}
    ).one_or_none()
    if row is None:
        raise NotFound
    return Subject(
        kind=None,
        audience=Audience.PUBLIC,
        locale=None,
        name=row.name,
        owner=row.institution,
        changed_at=row.changed_at,
        filters={"instrument": row.id},
        takes_bookings=row.takes_bookings,
    )


def feed_subject(digest: str) -> Subject:
    """Return the calendar behind a secret address.

    Raises NotFound if there is none, it was revoked, or its maker may no longer see it.
    """
    row = db.session.execute(_FEED, {"digest": digest}).one_or_none()
    if row is None:
        raise NotFound
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


def _maker(row: Row[Any]) -> Caller:
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
