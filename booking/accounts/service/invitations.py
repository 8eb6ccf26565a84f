"""Secrets with which somebody sets a first or a new password: they work once, for a while."""

from datetime import timedelta

from sqlalchemy import select

from booking.accounts import queries, rules
from booking.accounts.errors import InvitationUnusable
from booking.accounts.models import Organisation, User
from booking.accounts.rules import Caller
from booking.accounts.service.logins import end_sessions_of, set_password, warn
from booking.accounts.service.people import record_user
from booking.kernel import clock, names, passwords
from booking.kernel.db import db
from booking.notices import service as notices
from booking.notices.rules import Kind, Side, To


def mail_invitation(user: User, organisation: Organisation, caller: Caller) -> str:
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
    record_user("user.invited", user, by)
    return nonce


def close_door(user: User, *, by: int | None) -> None:
    """Take back whatever lets the person set a password; nothing happens if nothing does."""
    if user.invitation_digest is None:
        return
    user.invitation_digest = user.invited_until = None
    user.touch()
    record_user("user.invitation_withdrawn", user, by)


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
    is_first = user.password_hash is None
    set_password(user, password)
    user.purpose_notice = purpose_notice_accepted
    user.invitation_digest = user.invited_until = None
    user.touch()
    end_sessions_of(user.id)
    record_user("user.invitation_accepted", user, user.id, purpose_notice=purpose_notice_accepted)
    if not is_first:
        warn(user, "password_changed")
    return user
