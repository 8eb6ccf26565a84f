"""Who asks: the caller of a request in one statement."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select

from booking.accounts.models import Membership, Organisation, User
from booking.accounts.rules import Caller, OrganisationKind, Role, Scope, Seat
from booking.kernel import clock, driver, idempotency
from booking.kernel.db import db

_SEATS = """
SELECT t.id AS source_id, u.id, u.name, u.locale, {scopes} AS scopes,
       (SELECT json_agg(json_build_array(m.organisation_id, o.kind, m.role))
          FROM memberships m JOIN organisations o ON o.id = m.organisation_id
         WHERE m.user_id = u.id AND m.ended_at IS NULL AND o.is_active) AS seats {looked}
  FROM {source} t JOIN users u ON u.id = t.user_id {looked_in}
 WHERE t.digest = %(digest)s AND t.expires_at > %(now)s AND t.{ended} IS NULL AND u.is_active
"""
_ALONE = {"looked": "", "looked_in": ""}
_WITH_KEY = {
    "looked": f", {idempotency.LOOKED}".format(caller="u.id::text"),
    "looked_in": idempotency.LOOKED_IN.format(caller="u.id::text"),
}
_TOKEN = {"source": "api_tokens", "scopes": "t.scopes", "ended": "revoked_at"}
_SESSION = {"source": "login_sessions", "scopes": "NULL", "ended": "ended_at"}
_BY_TOKEN = _SEATS.format(**_TOKEN, **_ALONE)
_BY_TOKEN_WITH_KEY = _SEATS.format(**_TOKEN, **_WITH_KEY)
# With the password alone nobody is signed in where a second step is due.
_BY_SESSION = (_SEATS + " AND t.awaits IS NULL").format(**_SESSION, **_ALONE)


class _Found(NamedTuple):
    source_id: int
    user_id: int
    name: str
    locale: str
    scopes: Sequence[str]
    seats: Sequence[tuple[int, str, str]] | None


_FIELDS = len(_Found._fields)


def caller_by_token(digest: str, *, look: idempotency.Look | None = None) -> Caller | None:
    """Return who holds the token, or None if it is unknown, expired or revoked.

    With a look, what the holder's idempotency key was answered is looked up on the way.
    """
    values: dict[str, Any] = {"digest": digest, "now": clock.now()}
    if look is None:
        row = driver.first(_BY_TOKEN, values)
    else:
        row = driver.first(_BY_TOKEN_WITH_KEY, values | dict(look.values))
    if row is None:
        return None
    found = _Found(*row[:_FIELDS])
    if look is not None:
        look.found = row[_FIELDS:]
    return _caller(found, frozenset(map(Scope, found.scopes)), token_id=found.source_id)


def caller_by_session(digest: str) -> Caller | None:
    """Return who is signed in there, or None if the session ended."""
    row = driver.first(_BY_SESSION, {"digest": digest, "now": clock.now()})
    if row is None:
        return None
    found = _Found(*row)
    return _caller(found, frozenset(Scope), session_id=found.source_id)


def _caller(row: _Found, scopes: frozenset[Scope], **source: int) -> Caller:
    return Caller(
        user_id=row.user_id,
        name=row.name,
        locale=row.locale,
        seats=tuple(
            Seat(organisation, OrganisationKind(kind), Role(role))
            for organisation, kind, role in row.seats or ()
        ),
        scopes=scopes,
        **source,
    )


def caller_of(user: User) -> Caller:
    """Return the person as a caller with all scopes: for commands and demo data."""
    held = db.session.execute(
        select(Membership.organisation_id, Organisation.kind, Membership.role)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.user_id == user.id, Membership.ended_at.is_(None), Organisation.is_active)
    )
    seats = tuple(Seat(organisation_id, kind, role) for organisation_id, kind, role in held)
    return Caller(user_id=user.id, name=user.name, locale=user.locale, seats=seats)
