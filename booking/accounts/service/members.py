"""The people of an organisation: added, given roles, moved, shut out. One change at a time each."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from booking.accounts import queries, rules
from booking.accounts.errors import (
    AlreadyIn,
    BelongsElsewhere,
    LastManager,
    LoginTaken,
    OwnAccount,
)
from booking.accounts.models import Organisation, User
from booking.accounts.queries import Member
from booking.accounts.rules import Caller, OrganisationKind, Role
from booking.accounts.service.invitations import close_door, mail_invitation
from booking.accounts.service.organisations import lock_managed
from booking.accounts.service.people import (
    NewPerson,
    record_membership,
    record_user,
    register_person,
    shut_out,
    start_memberships,
)
from booking.kernel import clock, names
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotFound, Stale, WrongState
from booking.kernel.text import N_


@dataclass(frozen=True)
class Invited:
    """A member, and the secret with which they set their first password; None if they have one."""

    member: Member
    invitation: str | None
    invited_until: datetime | None


def add_member(
    organisation_id: int, person: NewPerson, roles: Collection[Role], *, caller: Caller
) -> Invited:
    """Add a person to the organisation; asked again for one who never came, invite anew.

    Raises InvalidField, or LoginTaken for somebody who belongs to another organisation: a seat
    that a stranger gives would change for whom that person books.
    """
    organisation = lock_managed(organisation_id, caller)
    rules.check_roles(roles, organisation.kind)
    user = _known(person, organisation.id) or register_person(person, by=caller.user_id)
    held = {each.role for each in queries.current_memberships(organisation.id, user.id)}
    if held and user.password_hash is not None:
        raise LoginTaken(N_("此人已是本单位成员。"))
    start_memberships(user.id, organisation.id, set(roles) - held, by=caller.user_id)
    secret = mail_invitation(user, organisation, caller) if user.password_hash is None else None
    return Invited(queries.get_member(organisation.id, user.id), secret, user.invited_until)


def _known(person: NewPerson, organisation_id: int) -> User | None:
    logins = [names.login_name(login) for login in (person.email, person.mobile) if login]
    found = {user.id: user for login in logins if (user := queries.user_by_login(login))}
    if not found:
        return None
    user = min(found.values(), key=lambda each: each.id)
    db.session.refresh(user, with_for_update=True)
    if len(found) > 1 or queries.has_seat_elsewhere(user.id, organisation_id):
        raise LoginTaken(N_("该邮箱或手机号已被其他单位的账号使用。"))
    if not user.is_active:
        raise LoginTaken(N_("该账号已停用。请先恢复，或联系平台管理员。"))
    return user


def invite_again(organisation_id: int, user_id: int, *, caller: Caller) -> Invited:
    """Invite a member who never came anew, the earlier invitation ends; raises AlreadyIn."""
    organisation = lock_managed(organisation_id, caller)
    queries.get_member(organisation_id, user_id)
    user = _locked(user_id)
    if user.password_hash is not None:
        raise AlreadyIn
    if not user.is_active:
        raise WrongState("disabled", "invite")
    secret = mail_invitation(user, organisation, caller)
    return Invited(queries.get_member(organisation_id, user_id), secret, user.invited_until)


def change_roles(
    organisation_id: int,
    user_id: int,
    roles: Collection[Role],
    *,
    caller: Caller,
    version: int | None = None,
) -> Member:
    """Give a member exactly these roles; raises Stale, InvalidField or LastManager."""
    organisation = lock_managed(organisation_id, caller)
    member = _seen(organisation_id, user_id, version)
    rules.check_roles(roles, organisation.kind)
    start_memberships(user_id, organisation_id, set(roles) - set(member.roles), by=caller.user_id)
    _end(organisation, user_id, set(member.roles) - set(roles), by=caller.user_id)
    return queries.get_member(organisation_id, user_id)


def move_member(
    organisation_id: int,
    user_id: int,
    target_id: int,
    roles: Collection[Role],
    *,
    caller: Caller,
    version: int | None = None,
) -> Member:
    """Move a member to another organisation that the caller manages too, in one step.

    Raises Stale, InvalidField, LastManager, or NotFound for an organisation of others.
    """
    if target_id == organisation_id:
        raise InvalidField("organisation_id", N_("请选择另一个单位。"))
    queries.require_manager(organisation_id, caller)
    # In the order of their ids, so that two moves in opposite directions do not lock each other.
    locked = {each: lock_managed(each, caller) for each in sorted((organisation_id, target_id))}
    member = _seen(organisation_id, user_id, version)
    rules.check_roles(roles, locked[target_id].kind)
    held = {each.role for each in queries.current_memberships(target_id, user_id)}
    start_memberships(user_id, target_id, set(roles) - held, by=caller.user_id)
    _end(locked[organisation_id], user_id, set(member.roles), by=caller.user_id)
    return queries.get_member(target_id, user_id)


def end_membership(organisation_id: int, user_id: int, *, caller: Caller) -> None:
    """End all a person's roles, at once; anybody may leave by themselves. Raises LastManager.

    With the last seat of somebody who never came, their invitation ends too.
    """
    if user_id == caller.user_id and organisation_id in caller.organisations:
        rules.require_scope(caller, rules.Scope.ORGANISATION)
        organisation = queries.get_organisation(organisation_id, caller=caller, for_update=True)
    else:
        organisation = lock_managed(organisation_id, caller)
    member = queries.get_member(organisation_id, user_id)
    _end(organisation, user_id, set(member.roles), by=caller.user_id)
    if member.is_invited and not queries.has_seat_elsewhere(user_id, organisation_id):
        close_door(_locked(user_id), by=caller.user_id)


def disable_member(organisation_id: int, user_id: int, *, caller: Caller) -> Member:
    """Shut a member out of their account at once: sessions, tokens, calendars, invitation.

    Raises OwnAccount, LastManager, or BelongsElsewhere for somebody who works for others too.
    """
    organisation = lock_managed(organisation_id, caller)
    queries.get_member(organisation_id, user_id)
    if user_id == caller.user_id:
        raise OwnAccount
    user = _locked(user_id)
    if queries.has_seat_elsewhere(user_id, organisation_id):
        raise BelongsElsewhere
    if user.is_active:
        shut_out(user, by=caller.user_id)
        db.session.flush()
        if not queries.has_keeper(organisation):
            raise LastManager
    return queries.get_member(organisation_id, user_id)


def enable_member(organisation_id: int, user_id: int, *, caller: Caller) -> Member:
    """Let a member in again whom a manager of the same organisation may shut out.

    Sessions and tokens stay ended. Raises BelongsElsewhere.
    """
    lock_managed(organisation_id, caller)
    queries.get_member(organisation_id, user_id)
    user = _locked(user_id)
    if queries.has_seat_elsewhere(user_id, organisation_id):
        raise BelongsElsewhere
    if not user.is_active:
        user.is_active = True
        user.touch()
        record_user("user.enabled", user, caller.user_id)
        db.session.flush()
    return queries.get_member(organisation_id, user_id)


def disable_account(user_id: int, reason: str, *, caller: Caller) -> User:
    """Shut anybody out at once, for a reason that is kept; for who runs the platform.

    An organisation may lose its last manager so: a stolen account must go. Raises OwnAccount,
    WrongState, or LastManager for the last administrator.
    """
    rules.require_admin(caller)
    if user_id == caller.user_id:
        raise OwnAccount
    # Locked first, so that two administrators cannot shut each other out.
    platforms = db.session.scalars(
        select(Organisation)
        .where(Organisation.kind == OrganisationKind.PLATFORM)
        .order_by(Organisation.id)
        .with_for_update()
    ).all()
    user = _of_anybody(user_id)
    if not user.is_active:
        raise WrongState("disabled", "disable")
    shut_out(user, by=caller.user_id, reason=reason)
    db.session.flush()
    if not all(queries.has_keeper(platform) for platform in platforms):
        raise LastManager
    return user


def enable_account(user_id: int, reason: str, *, caller: Caller) -> User:
    """Let anybody in again, for a reason that is kept; raises WrongState."""
    rules.require_admin(caller)
    user = _of_anybody(user_id)
    if user.is_active or user.erased_at is not None:
        raise WrongState("erased" if user.erased_at else "active", "enable")
    user.is_active = True
    user.touch()
    record_user("user.enabled", user, caller.user_id, reason=reason)
    db.session.flush()
    return user


def _of_anybody(user_id: int) -> User:
    user = db.session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise NotFound
    return user


def _seen(organisation_id: int, user_id: int, version: int | None) -> Member:
    member = queries.get_member(organisation_id, user_id)
    if version is not None and version != member.version:
        raise Stale(version=member.version)
    return member


def _locked(user_id: int) -> User:
    return db.session.get_one(User, user_id, with_for_update=True, populate_existing=True)


def _end(
    organisation: Organisation, user_id: int, roles: Collection[Role], *, by: int | None
) -> None:
    for membership in queries.current_memberships(organisation.id, user_id):
        if membership.role in roles:
            membership.ended_at = clock.now()
            record_membership("membership.ended", membership, by)
    db.session.flush()
    if rules.keeper_role(organisation.kind) in roles and not queries.has_keeper(organisation):
        raise LastManager
