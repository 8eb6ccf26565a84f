"""What a caller may see of organisations, people, sessions and tokens."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, exists, func, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute, selectinload

from booking.accounts.models import (
    ApiToken,
    EnterpriseDeclaration,
    LoginSession,
    Membership,
    Organisation,
    User,
)
from booking.accounts.rules import (
    Caller,
    OrganisationKind,
    Permission,
    Role,
    Scope,
    SizeClass,
    keeper_role,
    require,
    require_scope,
)
from booking.kernel import clock, paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound

T = TypeVar("T", LoginSession, ApiToken, Organisation)


def is_verified(organisation_id: int) -> bool:
    """Tell whether an administrator has verified the organisation: it may publish."""
    verified = exists().where(
        Organisation.id == organisation_id,
        Organisation.verified_at.is_not(None),
        Organisation.is_active,
    )
    return bool(db.session.scalar(select(verified)))


def organisation_by_uscc(uscc: str) -> Organisation:
    """Return the organisation with this (clean) credit code, or raise NotFound. For commands."""
    found = db.session.scalar(select(Organisation).where(Organisation.uscc == uscc))
    if found is None:
        raise NotFound
    return found


def organisation_named(text: str) -> Organisation:
    """Return the organisation of this credit code or whole name; NotFound, also if several have it.

    Nobody can look for a part of a name: whoever asks knows the organisation.
    """
    wanted = " ".join(text.split())
    code = "".join(wanted.split()).upper()
    query = select(Organisation).where(or_(Organisation.uscc == code, Organisation.name == wanted))
    found = db.session.scalars(query.limit(2)).all()
    if len(found) != 1:
        raise NotFound
    return found[0]


def user_by_login(name: str) -> User | None:
    """Return who has this e-mail address or mobile number (as `names.login_name` gives it)."""
    return db.session.scalar(select(User).where((User.email == name) | (User.mobile == name)))


def visible_to(caller: Caller) -> Select[Organisation]:
    """Return the organisations the caller may see: their own, and institutions that publish.

    An administrator sees all. Of others than their own, only the public facts are shown.
    """
    require_scope(caller, Scope.READ)
    if caller.is_admin:
        return select(Organisation)
    published: ColumnElement[bool] = (
        (Organisation.kind == OrganisationKind.INSTITUTION)
        & Organisation.verified_at.is_not(None)
        & Organisation.is_active
    )
    return select(Organisation).where(or_(Organisation.id.in_(caller.organisations), published))


def get_organisation(
    organisation_id: int, *, caller: Caller, for_update: bool = False
) -> Organisation:
    """Return the organisation with its declarations, or raise NotFound."""
    query = visible_to(caller).where(Organisation.id == organisation_id)
    query = query.options(selectinload(Organisation.declarations))
    if for_update:
        query = query.with_for_update(of=Organisation).execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class PublicFacts:
    """What anybody signed in may know of an institution that publishes."""

    id: int
    name: str
    uscc: str | None
    kind: OrganisationKind
    region_code: str | None
    address: str
    verified_at: datetime | None


def show_organisation(organisation_id: int, *, caller: Caller) -> Organisation | PublicFacts:
    """Return the caller's own organisation in full, another's public facts, or raise NotFound."""
    found = get_organisation(organisation_id, caller=caller)
    if found.id in caller.organisations or caller.is_admin:
        return found
    return PublicFacts(
        id=found.id,
        name=found.name,
        uscc=found.uscc,
        kind=found.kind,
        region_code=found.region_code,
        address=found.address,
        verified_at=found.verified_at,
    )


def list_organisations(
    *,
    caller: Caller,
    limit: int,
    cursor: str | None,
    kind: OrganisationKind | None = None,
    verified: bool | None = None,
) -> paging.Page[Organisation]:
    """Return a page of what the caller may see, latest registered first."""
    query = visible_to(caller)
    if kind is not None:
        query = query.where(Organisation.kind == kind)
    if verified is not None:
        query = query.where(Organisation.verified_at.is_not(None) == verified)
    return _page(query, Organisation.id, limit, cursor)


@dataclass(frozen=True)
class Member:
    """A person in an organisation; `version` counts the changes of their roles there."""

    id: int
    name: str
    email: str | None
    mobile: str | None
    is_active: bool
    is_invited: bool
    invited_until: datetime | None
    roles: tuple[Role, ...]
    since: datetime
    version: int


def require_manager(organisation_id: int, caller: Caller) -> None:
    """Raise NotFound for strangers, NotAllowed for who belongs to it but does not manage it."""
    if organisation_id not in caller.organisations and not caller.is_admin:
        raise NotFound
    require(caller, Permission.MANAGE_ORGANISATION, organisation_id)


def list_members(
    organisation_id: int, *, caller: Caller, limit: int, cursor: str | None
) -> paging.Page[Member]:
    """Return a page of the current members, in the order they were registered, for a manager."""
    require_manager(organisation_id, caller)
    query = _members(organisation_id).order_by(User.id).limit(limit + 1)
    if cursor is not None:
        query = query.where(User.id > paging.decode(cursor, int)[0])
    members = [_member(row) for row in db.session.execute(query)]
    more = len(members) > limit
    return paging.Page(
        items=members[:limit],
        next_cursor=paging.encode(members[limit - 1].id) if more else None,
    )


def get_member(organisation_id: int, user_id: int) -> Member:
    """Return one current member, or raise NotFound."""
    row = db.session.execute(_members(organisation_id).where(User.id == user_id)).one_or_none()
    if row is None:
        raise NotFound
    return _member(row)


def _members(organisation_id: int) -> Select[*tuple[Any, ...]]:
    current = Membership.ended_at.is_(None)
    return (
        select(
            User.id,
            User.name,
            User.email,
            User.mobile,
            User.is_active,
            User.password_hash.is_(None).label("is_invited"),
            User.invited_until,
            func.array_agg(aggregate_order_by(Membership.role, Membership.id))
            .filter(current)
            .label("roles"),
            func.min(Membership.created_at).filter(current).label("since"),
            # Grows by one whenever a role is given or ended, and never shrinks.
            (func.count() + func.count(Membership.ended_at)).label("version"),
        )
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organisation_id == organisation_id)
        .group_by(User.id)
        .having(func.bool_or(current))
    )


def _member(row: Row[Any]) -> Member:
    given = row._asdict()
    return Member(**given | {"roles": tuple(map(Role, given["roles"]))})


def current_memberships(organisation_id: int, user_id: int) -> Sequence[Membership]:
    """Return the person's current memberships there."""
    return db.session.scalars(
        select(Membership).where(
            Membership.organisation_id == organisation_id,
            Membership.user_id == user_id,
            Membership.ended_at.is_(None),
        )
    ).all()


def has_seat_elsewhere(user_id: int, organisation_id: int) -> bool:
    """Tell whether the person currently belongs to another organisation."""
    seat = exists().where(
        Membership.user_id == user_id,
        Membership.organisation_id != organisation_id,
        Membership.ended_at.is_(None),
    )
    return bool(db.session.scalar(select(seat)))


def has_keeper(organisation: Organisation) -> bool:
    """Tell whether somebody who can sign in is left to let others in, where one is needed."""
    role = keeper_role(organisation.kind)
    if role is None:
        return True
    keeper = (
        select(true())
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.organisation_id == organisation.id,
            Membership.role == role,
            Membership.ended_at.is_(None),
            User.is_active,
            User.password_hash.is_not(None),
        )
        .limit(1)
    )
    return bool(db.session.scalar(keeper))


@dataclass(frozen=True)
class Belonging:
    """An organisation a caller acts for, the roles held there and what they allow."""

    organisation: Organisation
    roles: list[Role]
    permissions: list[Permission]


@dataclass(frozen=True)
class Me:
    """A caller with what they belong to."""

    user: User
    organisations: list[Belonging]


def get_me(caller: Caller) -> Me:
    """Return the person and the organisations they act for."""
    user = db.session.get_one(User, caller.user_id)
    found = db.session.scalars(
        select(Organisation)
        .where(Organisation.id.in_(caller.organisations))
        .order_by(Organisation.id)
    )
    return Me(user, [_belonging(each, caller) for each in found])


def _belonging(organisation: Organisation, caller: Caller) -> Belonging:
    return Belonging(
        organisation,
        roles=[seat.role for seat in caller.seats if seat.organisation_id == organisation.id],
        permissions=[each for each in Permission if caller.may(each, organisation.id)],
    )


def organisation_names(caller: Caller) -> Sequence[str]:
    """Return the names of the organisations the caller belongs to, for the head of every page."""
    own = select(Organisation.name).where(Organisation.id.in_(caller.organisations))
    return db.session.scalars(own.order_by(Organisation.id)).all()


def size_class_of(organisation_id: int) -> SizeClass | None:
    """Return the size an organisation declared last, if any."""
    return db.session.scalar(
        select(EnterpriseDeclaration.size_class)
        .where(EnterpriseDeclaration.organisation_id == organisation_id)
        .order_by(EnterpriseDeclaration.id.desc())
        .limit(1)
    )


def names_of(ids: Collection[int]) -> dict[int, str]:
    """Return the names of organisations by their ids, for lists that show them anyway."""
    rows = db.session.execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids))
    )
    return dict(rows.all())


def sessions_of(caller: Caller) -> Select[LoginSession]:
    """Return the caller's own sessions that have not ended."""
    return select(LoginSession).where(
        LoginSession.user_id == caller.user_id,
        LoginSession.ended_at.is_(None),
        LoginSession.awaits.is_(None),
        LoginSession.expires_at > clock.now(),
    )


def list_sessions(*, caller: Caller, limit: int, cursor: str | None) -> paging.Page[LoginSession]:
    """Return a page of the caller's own sessions, latest first."""
    require_scope(caller, Scope.READ)
    return _page(sessions_of(caller), LoginSession.id, limit, cursor)


def list_tokens(*, caller: Caller, limit: int, cursor: str | None) -> paging.Page[ApiToken]:
    """Return a page of the caller's own tokens, also the revoked and expired, latest first."""
    require_scope(caller, Scope.READ)
    own = select(ApiToken).where(ApiToken.user_id == caller.user_id)
    return _page(own, ApiToken.id, limit, cursor)


def _page(
    query: Select[T], key: InstrumentedAttribute[int], limit: int, cursor: str | None
) -> paging.Page[T]:
    if cursor is not None:
        query = query.where(key < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(key.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )
