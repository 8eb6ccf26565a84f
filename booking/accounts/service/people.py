"""Persons: sign-up, registration, language, administrators, shutting somebody out."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from booking.accounts import queries, rules
from booking.accounts.errors import LoginTaken
from booking.accounts.models import Membership, Organisation, User
from booking.accounts.rules import Caller, OrganisationKind, Role
from booking.accounts.service.logins import end_sessions_of, set_password
from booking.accounts.service.organisations import NewOrganisation, register_organisation
from booking.accounts.service.tokens import revoke_tokens_of
from booking.journal import service as journal
from booking.kernel import names
from booking.kernel.db import db, violation_raises
from booking.kernel.errors import InvalidField, NotFound
from booking.kernel.text import N_


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
    name = names.clean_name(person.name)
    user = User(name=name, email=email, mobile=mobile, purpose_notice=purpose_notice)
    if person.password is not None:
        set_password(user, person.password)
    with (
        violation_raises("uq_users_mobile", LoginTaken()),
        violation_raises("uq_users_email", LoginTaken()),
    ):
        db.session.add(user)
    # Ids and versions only: the journal is kept for years and holds no personal data.
    record_user("user.registered", user, by or user.id, purpose_notice=purpose_notice)
    return user


def start_memberships(
    user_id: int, organisation_id: int, roles: Collection[Role], *, by: int | None
) -> None:
    """Give the person these roles, which they do not hold yet.

    Who now needs a second factor and has none is signed out, to set it up at the next log-in.
    """
    for role in sorted(roles):
        membership = Membership(user_id=user_id, organisation_id=organisation_id, role=role)
        db.session.add(membership)
        db.session.flush()
        record_membership("membership.started", membership, by)
    if roles and queries.needs_factor(user_id) and not queries.has_factor(user_id):
        end_sessions_of(user_id)


def choose_language(locale: str, *, caller: Caller) -> None:
    """Keep the language in which the caller wants to read and be written to."""
    user = db.session.get_one(User, caller.user_id, with_for_update=True)
    old, user.locale = user.locale, locale
    user.touch()
    record_user("user.language_chosen", user, caller.user_id, old=old, new=locale)


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
    """Shut a person out at once, found by log-in name; raises NotFound. For the command line."""
    user = queries.user_by_login(names.login_name(login))
    if user is None:
        raise NotFound(N_("没有账号使用“%(login)s”。", login=login))
    shut_out(user, by=by)
    return user


def shut_out(user: User, *, by: int | None, **why: str) -> None:
    """Disable an account: it is refused at the next request, its calendars are gone with it.

    Sessions end, tokens are revoked, and no link to a new password works any more.
    """
    user.is_active = False
    user.invitation_digest = user.invited_until = None
    user.touch()
    end_sessions_of(user.id)
    revoke_tokens_of(user.id)
    record_user("user.disabled", user, by, **why)


def record_user(action: str, user: User, by: int | None, **data: Any) -> None:
    """Note a change of a person in the journal: ids, never personal data."""
    journal.record(action, "user", user.id, by=by, **data)


def record_membership(action: str, membership: Membership, by: int | None) -> None:
    """Note that a role began or ended in the journal."""
    journal.record(
        action,
        "membership",
        membership.id,
        by=by,
        organisation_id=membership.organisation_id,
        user_id=membership.user_id,
        role=membership.role,
    )
