"""People and their seats: sign-up, members, roles, invitations, administrators."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from booking.accounts import queries, rules
from booking.accounts.errors import InvitationUnusable, LastManager, LoginTaken
from booking.accounts.models import Membership, Organisation, User
from booking.accounts.queries import Member
from booking.accounts.rules import Caller, OrganisationKind, Role
from booking.accounts.service.logins import end_sessions_of, set_password
from booking.accounts.service.organisations import (
    NewOrganisation,
    lock_managed,
    register_organisation,
)
from booking.accounts.service.tokens import revoke_tokens_of
from booking.journal import service as journal
from booking.kernel import clock, names, passwords
from booking.kernel.db import db, violation_raises
from booking.kernel.errors import InvalidField, NotFound, Stale
from booking.kernel.text import N_
from booking.notices import service as notices
from booking.notices.rules import Kind, Side, To


@dataclass(frozen=True, kw_only=True)
class NewPerson:
    """Who somebody is and how they log in: by e-mail, mobile number or both."""

    name: str
    email: str | None = None
    mobile: str | None = None
    password: str | None = None


@dataclass(frozen=True)
class SignedUp:
    """A new organisation and its first manager."""

    organisation: Organisation
    user: User


@dataclass(frozen=True)
class Invited:
    """A member, and the secret with which they set their first password; None if they have one."""

    member: Member
    invitation: str | None
    invited_until: datetime | None


def sign_up(
    organisation: NewOrganisation, person: NewPerson, *, purpose_notice_accepted: str | None
) -> SignedUp:
    """Register an organisation that comes by itself, and its first manager.

    Raises PersonsNotServed, InvalidField, OrganisationExists or LoginTaken. Without consent to
    the purpose notice nothing is kept (个人信息保护法, domain §8).
    """
    rules.sign_up_kind(organisation.kind)
    rules.check_notice(purpose_notice_accepted)
    if person.password is None:
        raise InvalidField("password", N_("请设置密码。"))
    user = register_person(person, by=None, purpose_notice=purpose_notice_accepted)
    registered = register_organisation(organisation, by=user.id)
    start_memberships(user.id, registered.id, [Role.MANAGER], by=user.id)
    return SignedUp(registered, user)


def register_person(
    person: NewPerson, *, by: int | None, purpose_notice: str | None = None
) -> User:
    """Add a person; raises InvalidField or LoginTaken. `by` is None if they came themselves."""
    email = names.clean_email(person.email) if person.email else None
    mobile = names.clean_mobile(person.mobile) if person.mobile else None
    if email is None and mobile is None:
        raise InvalidField("email", N_("请填写邮箱或手机号，登录时使用。"))
    user = User(name=person.name, email=email, mobile=mobile, purpose_notice=purpose_notice)
    if person.password is not None:
        set_password(user, person.password)
    with (
        violation_raises("uq_users_mobile", LoginTaken()),
        violation_raises("uq_users_email", LoginTaken()),
    ):
        db.session.add(user)
    # Ids and versions only: the journal is kept for years and holds no personal data.
    _record("user.registered", user, by or user.id, purpose_notice=purpose_notice)
    return user


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
    secret = _mail_invitation(user, organisation, caller) if user.password_hash is None else None
    return Invited(queries.get_member(organisation.id, user.id), secret, user.invited_until)


def _mail_invitation(user: User, organisation: Organisation, caller: Caller) -> str:
    """Invite the person by mail if they have an address; returns the secret all the same."""
    lasts = timedelta(days=rules.INVITATION_DAYS)
    nonce = _open_door(user, by=caller.user_id, lasts=lasts)
    notices.post(
        Kind.INVITATION,
        ("user", user.id),
        to=[To(Side.SELF, user_id=user.id)],
        facts={
            "organisation": organisation.name,
            "inviter": caller.name,
            "nonce": nonce,
            "until": user.invited_until,
        },
    )
    return passwords.derived_secret(nonce)


def _known(person: NewPerson, organisation_id: int) -> User | None:
    logins = [names.login_name(login) for login in (person.email, person.mobile) if login]
    found = {user.id: user for login in logins if (user := queries.user_by_login(login))}
    if not found:
        return None
    user = min(found.values(), key=lambda each: each.id)
    db.session.refresh(user, with_for_update=True)
    elsewhere = queries.has_seat_elsewhere(user.id, organisation_id)
    if len(found) > 1 or not user.is_active or elsewhere:
        raise LoginTaken(N_("该邮箱或手机号已被其他单位的账号使用。"))
    return user


def invite(user: User, *, by: int | None) -> str:
    """Return a new secret with which the person sets a password; an earlier one ends."""
    lasts = timedelta(days=rules.INVITATION_DAYS)
    return passwords.derived_secret(_open_door(user, by=by, lasts=lasts))


def send_reset(login: str) -> None:
    """Mail a person the way to a new password; for whom we do not know nothing happens."""
    user = queries.user_by_login(names.login_name(login))
    if user is None or user.email is None or not user.is_active:
        return
    nonce = _open_door(user, by=None, lasts=timedelta(hours=rules.RESET_HOURS))
    notices.post(
        Kind.RESET,
        ("user", user.id),
        to=[To(Side.SELF, user_id=user.id)],
        facts={"nonce": nonce, "until": user.invited_until},
    )


def _open_door(user: User, *, by: int | None, lasts: timedelta) -> str:
    """Let the person set a password for a while; returns the nonce of the secret."""
    nonce = passwords.new_secret()
    user.invitation_digest = passwords.digest(passwords.derived_secret(nonce))
    user.invited_until = clock.now() + lasts
    user.touch()
    db.session.flush()
    _record("user.invited", user, by)
    return nonce


def accept_invitation(secret: str, password: str, *, purpose_notice_accepted: str | None) -> User:
    """Set the password of a person who was invited; raises InvitationUnusable, InvalidField."""
    rules.check_notice(purpose_notice_accepted)
    user = db.session.scalar(
        select(User)
        .where(
            User.invitation_digest == passwords.digest(secret),
            User.invited_until > clock.now(),
            User.is_active,
        )
        .with_for_update()
    )
    if user is None:
        raise InvitationUnusable
    set_password(user, password)
    user.purpose_notice = purpose_notice_accepted
    user.invitation_digest = user.invited_until = None
    user.touch()
    end_sessions_of(user.id)
    _record("user.invitation_accepted", user, user.id, purpose_notice=purpose_notice_accepted)
    return user


def start_memberships(
    user_id: int, organisation_id: int, roles: Collection[Role], *, by: int | None
) -> None:
    """Give the person these roles, which they do not hold yet."""
    for role in sorted(roles):
        membership = Membership(user_id=user_id, organisation_id=organisation_id, role=role)
        db.session.add(membership)
        db.session.flush()
        _record_membership("membership.started", membership, by)


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
    member = queries.get_member(organisation_id, user_id)
    if version is not None and version != member.version:
        raise Stale(version=member.version)
    rules.check_roles(roles, organisation.kind)
    start_memberships(user_id, organisation_id, set(roles) - set(member.roles), by=caller.user_id)
    _end(organisation, user_id, set(member.roles) - set(roles), by=caller.user_id)
    return queries.get_member(organisation_id, user_id)


def end_membership(organisation_id: int, user_id: int, *, caller: Caller) -> None:
    """End all a person's roles, at once; anybody may leave by themselves. Raises LastManager."""
    if user_id == caller.user_id and organisation_id in caller.organisations:
        rules.require_scope(caller, rules.Scope.ORGANISATION)
        organisation = queries.get_organisation(organisation_id, caller=caller, for_update=True)
    else:
        organisation = lock_managed(organisation_id, caller)
    member = queries.get_member(organisation_id, user_id)
    _end(organisation, user_id, set(member.roles), by=caller.user_id)


def _end(
    organisation: Organisation, user_id: int, roles: Collection[Role], *, by: int | None
) -> None:
    for membership in queries.current_memberships(organisation.id, user_id):
        if membership.role in roles:
            membership.ended_at = clock.now()
            _record_membership("membership.ended", membership, by)
    db.session.flush()
    if rules.keeper_role(organisation.kind) in roles and not queries.has_keeper(organisation):
        raise LastManager


def choose_language(locale: str, *, caller: Caller) -> None:
    """Keep the language in which the caller wants to read and be written to."""
    user = db.session.get_one(User, caller.user_id, with_for_update=True)
    old, user.locale = user.locale, locale
    user.touch()
    _record("user.language_chosen", user, caller.user_id, old=old, new=locale)


def make_admin(person: NewPerson) -> User:
    """Make the person, new or known, an administrator of the platform. For the command line."""
    platform = db.session.scalar(
        select(Organisation).where(Organisation.kind == OrganisationKind.PLATFORM).limit(1)
    ) or register_organisation(
        NewOrganisation(kind=OrganisationKind.PLATFORM, name=str(N_("平台运营")), uscc=None),
        by=None,
    )
    known = queries.user_by_login(names.login_name(person.email or ""))
    if known is not None and not known.is_active:
        raise NotFound(N_("该账号已停用。"))
    user = known or register_person(person, by=None)
    held = {each.role for each in queries.current_memberships(platform.id, user.id)}
    start_memberships(user.id, platform.id, {Role.ADMIN} - held, by=None)
    return user


def disable_user(login: str, *, by: int | None) -> User:
    """Shut a person out at once: sessions end, tokens are revoked. Raises NotFound."""
    user = queries.user_by_login(names.login_name(login))
    if user is None:
        raise NotFound(N_("没有账号使用“%(login)s”。", login=login))
    user.is_active = False
    user.touch()
    end_sessions_of(user.id)
    revoke_tokens_of(user.id)
    _record("user.disabled", user, by)
    return user


def _record(action: str, user: User, by: int | None, **data: Any) -> None:
    journal.record(action, "user", user.id, by=by, **data)


def _record_membership(action: str, membership: Membership, by: int | None) -> None:
    journal.record(
        action,
        "membership",
        membership.id,
        by=by,
        organisation_id=membership.organisation_id,
        user_id=membership.user_id,
        role=membership.role,
    )
