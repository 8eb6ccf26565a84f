"""What the operator reads of organisations and accounts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from booking.accounts.models import (
    ApiToken,
    LoginSession,
    Membership,
    Organisation,
    SecondFactor,
    User,
)
from booking.accounts.rules import Caller, OrganisationKind, Role, keeper_role, require_admin
from booking.kernel import clock, names, paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound


class Verification(StrEnum):
    """Which organisations the operator looks for."""

    WAITING = "waiting"
    DECLINED = "declined"
    VERIFIED = "verified"
    ALL = "all"


@dataclass(frozen=True)
class Counts:
    """How many organisations wait, were sent back, are verified; how many accounts there are."""

    waiting: int
    declined: int
    verified: int
    all: int
    users: int
    disabled: int


@dataclass(frozen=True)
class Seated:
    """Where an account belongs, and as what."""

    organisation_id: int
    organisation: str
    roles: Sequence[Role]


@dataclass(frozen=True)
class Account:
    """An account with where it belongs."""

    user: User
    seats: Sequence[Seated]
    has_factor: bool


@dataclass(frozen=True)
class UserCard:
    """An account as the operator sees it closely."""

    account: Account
    sessions: int
    tokens: int
    last_seen_at: datetime | None


_IS_INSTITUTION = Organisation.kind == OrganisationKind.INSTITUTION
_IN_STATE: dict[Verification, ColumnElement[bool]] = {
    Verification.WAITING: _IS_INSTITUTION
    & Organisation.verified_at.is_(None)
    & Organisation.declined_at.is_(None)
    & Organisation.is_active,
    Verification.DECLINED: _IS_INSTITUTION & Organisation.declined_at.is_not(None),
    Verification.VERIFIED: _IS_INSTITUTION & Organisation.verified_at.is_not(None),
    Verification.ALL: Organisation.id.is_not(None),
}


def list_for_admin(
    *,
    caller: Caller,
    limit: int,
    cursor: str | None,
    state: Verification = Verification.ALL,
    q: str = "",
) -> paging.Page[Organisation]:
    """Return a page of organisations; who waits longest comes first, else the latest."""
    require_admin(caller)
    query = select(Organisation).where(_IN_STATE[state])
    if q:
        query = query.where(
            or_(
                Organisation.name.contains(q, autoescape=True),
                Organisation.uscc.startswith(q.upper(), autoescape=True),
            )
        )
    oldest_first = state is Verification.WAITING
    if cursor is not None:
        [last] = paging.decode(cursor, int)
        query = query.where(Organisation.id > last if oldest_first else Organisation.id < last)
    query = query.order_by(Organisation.id if oldest_first else Organisation.id.desc())
    rows = db.session.scalars(query.limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )


def count_for_admin() -> Counts:
    """Return the figures, in one statement."""
    of_organisations = [
        select(func.count()).select_from(Organisation).where(_IN_STATE[state]).scalar_subquery()
        for state in Verification
    ]
    living = User.erased_at.is_(None)
    of_users = [
        select(func.count()).select_from(User).where(where).scalar_subquery()
        for where in (living, living & User.is_active.is_(False))
    ]
    return Counts(*db.session.execute(select(*of_organisations, *of_users)).one())


def person_names(ids: Collection[int]) -> dict[int, str]:
    """Return the names of people by their ids."""
    if not ids:
        return {}
    return dict(db.session.execute(select(User.id, User.name).where(User.id.in_(ids))).all())


def keepers_of(organisation: Organisation) -> Sequence[User]:
    """Return who lets others into the organisation: whom to ask about it."""
    role = keeper_role(organisation.kind)
    seat = exists().where(
        Membership.user_id == User.id,
        Membership.organisation_id == organisation.id,
        Membership.ended_at.is_(None),
        Membership.role == role if role else Membership.id.is_not(None),
    )
    return db.session.scalars(select(User).where(seat).order_by(User.id).limit(20)).all()


def search_users(q: str, *, caller: Caller, limit: int, cursor: str | None) -> paging.Page[Account]:
    """Return a page of accounts by part of name, e-mail address or mobile number, latest first."""
    require_admin(caller)
    query = _found_by(q)
    if cursor is not None:
        query = query.where(User.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(User.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=_accounts(rows[:limit]),
        next_cursor=paging.encode(rows[limit - 1].id) if more else None,
    )


def _found_by(q: str) -> Select[User]:
    if not q:
        return select(User)
    login = names.login_name(q)
    return select(User).where(
        or_(
            User.name.contains(q, autoescape=True),
            User.email.contains(login, autoescape=True),
            User.mobile.contains(login, autoescape=True),
        )
    )


def user_card(user_id: int, *, caller: Caller) -> UserCard:
    """Return an account closely, or raise NotFound."""
    require_admin(caller)
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound
    now = clock.now()
    open_sessions = select(func.count()).where(
        LoginSession.user_id == user_id,
        LoginSession.ended_at.is_(None),
        LoginSession.awaits.is_(None),
        LoginSession.expires_at > now,
    )
    tokens = select(func.count()).where(
        ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now
    )
    last = select(func.max(LoginSession.created_at)).where(LoginSession.user_id == user_id)
    figures = select(
        open_sessions.scalar_subquery(), tokens.scalar_subquery(), last.scalar_subquery()
    )
    [account] = _accounts([user])
    return UserCard(account, *db.session.execute(figures).one())


def _accounts(users: Sequence[User]) -> list[Account]:
    ids = [user.id for user in users]
    held = db.session.execute(
        select(Membership.user_id, Organisation.id, Organisation.name, Membership.role)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.user_id.in_(ids), Membership.ended_at.is_(None))
        .order_by(Membership.id)
    )
    seats: dict[int, dict[tuple[int, str], list[Role]]] = {}
    for user_id, organisation_id, name, role in held:
        seats.setdefault(user_id, {}).setdefault((organisation_id, name), []).append(role)
    factors = select(SecondFactor.user_id).where(
        SecondFactor.user_id.in_(ids), SecondFactor.confirmed_at.is_not(None)
    )
    with_factor = set(db.session.scalars(factors))
    return [
        Account(
            user,
            [Seated(*place, roles) for place, roles in seats.get(user.id, {}).items()],
            user.id in with_factor,
        )
        for user in users
    ]
