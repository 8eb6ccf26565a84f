"""Passwords and signed-in browsers: proven, guessed at slowly, ended."""

from collections.abc import Collection
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import update

from booking.accounts import queries, rules
from booking.accounts.errors import WrongPassword
from booking.accounts.models import LoginSession, User
from booking.accounts.rules import Awaits, Caller
from booking.journal import service as journal
from booking.kernel import clock, names, passwords, throttle
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotFound
from booking.kernel.text import N_
from booking.notices import service as notices
from booking.notices.rules import Kind, Side, To

SECOND_STEP = timedelta(minutes=rules.SECOND_STEP_MINUTES)


def admit_sign_in(login: str, address: str | None) -> int:
    """Count an attempt for the name and the address; return 0, or the seconds to wait.

    Commit before `log_in`, roll back if there is a wait (see kernel.throttle).
    """
    return throttle.admit(_subjects(_name_subject(login), address))


def log_in(
    login: str,
    password: str,
    *,
    address: str | None,
    client: str,
    lasts: timedelta,
    spared: Collection[str] = (),
) -> tuple[LoginSession, str]:
    """Start a session and return it with its secret, or raise WrongPassword.

    The same query, hash and sentence whether the name or the password is wrong. A session that
    awaits a second step opens nothing yet; `spared` are e-mail addresses (of the demo) that are
    not asked to set one up.
    """
    user = queries.user_by_login(names.login_name(login))
    is_right = passwords.verify_password(user.password_hash if user else None, password)
    if user is None or not is_right or not user.is_active:
        raise WrongPassword
    if passwords.needs_rehash(user.password_hash or ""):
        user.password_hash = passwords.hash_password(password)
    throttle.succeeded(clear=[_name_subject(login)], give_back=address_subjects(address))
    secret, awaits = passwords.new_secret(), _awaits(user, spared)
    session = LoginSession(
        user_id=user.id,
        digest=passwords.digest(secret),
        expires_at=clock.now() + (SECOND_STEP if awaits else lasts),
        client=client[:200],
        awaits=awaits,
    )
    db.session.add(session)
    db.session.flush()
    if awaits is None:
        journal.record("session.started", "session", session.id, by=user.id)
    return session, secret


def _awaits(user: User, spared: Collection[str]) -> Awaits | None:
    """Return the second step that is due after this person's password."""
    if queries.has_factor(user.id):
        return Awaits.CODE
    if user.email in spared or not queries.needs_factor(user.id):
        return None
    return Awaits.SETUP


def end_session(session_id: int, *, caller: Caller) -> None:
    """End one of the caller's own sessions, or raise NotFound. Only for who is signed in."""
    rules.require_signed_in(caller)
    own = queries.sessions_of(caller).where(LoginSession.id == session_id)
    session = db.session.scalar(own.with_for_update())
    if session is None:
        raise NotFound
    session.ended_at = clock.now()
    journal.record("session.ended", "session", session.id, by=caller.user_id)


def end_all_sessions(*, caller: Caller) -> None:
    """End all the caller's sessions, this one too. Only for who is signed in."""
    rules.require_signed_in(caller)
    end_sessions_of(caller.user_id)
    journal.record("user.signed_out", "user", caller.user_id, by=caller.user_id)


def end_sessions_of(user_id: int, *, but: int | None = None) -> None:
    """End the person's sessions, all or all but one."""
    query = update(LoginSession).where(
        LoginSession.user_id == user_id, LoginSession.ended_at.is_(None)
    )
    if but is not None:
        query = query.where(LoginSession.id != but)
    db.session.execute(query.values(ended_at=clock.now()))


def admit_password(caller: Caller, address: str | None) -> int:
    """Count an attempt at the caller's own password; as `admit_sign_in`."""
    return throttle.admit(_subjects(_user_subject(caller), address))


def change_password(current: str, new: str, *, caller: Caller, address: str | None) -> None:
    """Change the caller's own password and end their other sessions; raises InvalidField.

    Tokens stay: machines run on them, they never knew the password, and each can be revoked.
    """
    rules.require_signed_in(caller)
    user = db.session.get_one(User, caller.user_id, with_for_update=True)
    if not passwords.verify_password(user.password_hash, current):
        raise InvalidField("current_password", N_("当前密码不正确。"))
    set_password(user, new, field="new_password")
    user.touch()
    throttle.succeeded(clear=[_user_subject(caller)], give_back=address_subjects(address))
    end_sessions_of(user.id, but=caller.session_id)
    journal.record("user.password_changed", "user", user.id, by=caller.user_id)
    warn(user, "password_changed")


def warn(user: User, what: str) -> None:
    """Tell a person that the way into their account changed: it may not have been them."""
    notices.post(
        Kind.SECURITY,
        ("user", user.id),
        to=[To(Side.SELF, user_id=user.id)],
        facts={"what": what, "at": clock.now()},
    )


def admit_reset(login: str, address: str | None) -> int:
    """Count a mail asked for; return 0, or the seconds to wait. Commit before `send_reset`."""
    places = [passwords.digest(f"reset {place}") for place in address_subjects(address)]
    return throttle.admit(
        {passwords.digest(f"reset {names.login_name(login)}"): rules.FREE_RESETS_PER_NAME}
        | dict.fromkeys(places, rules.FREE_RESETS_PER_ADDRESS)
    )


def set_password(user: User, password: str, *, field: str = "password") -> None:
    """Set the password, or raise InvalidField (of `field`) if it is too easy to guess."""
    passwords.check_password(password, logins=(user.email, user.mobile), field=field)
    user.password_hash = passwords.hash_password(password)
    user.password_changed_at = clock.now()


def _subjects(who: str, address: str | None) -> dict[str, int]:
    places = dict.fromkeys(address_subjects(address), rules.FREE_FAILURES_PER_ADDRESS)
    return {who: rules.FREE_FAILURES_PER_NAME, **places}


def _name_subject(login: str) -> str:
    return passwords.digest(f"name {names.login_name(login)}")


def _user_subject(caller: Caller) -> str:
    return passwords.digest(f"user {caller.user_id}")


def admit_guess(subject: str, address: str | None) -> int:
    """Count an attempt at the subject from the address; as `admit_sign_in`."""
    return throttle.admit(_subjects(subject, address))


def forget_guesses(user: User) -> None:
    """Drop the counts of failed attempts that are kept under this person's names."""
    names_of = [_name_subject(login) for login in (user.email, user.mobile) if login]
    own = passwords.digest(f"user {user.id}")
    throttle.succeeded(clear=[*names_of, own], give_back=[])


def address_subjects(address: str | None) -> list[str]:
    """Return under what attempts from an address are counted."""
    if address is None:
        return []
    try:
        parsed = ip_address(address)
    except ValueError:
        return [passwords.digest(f"address {address}")]
    # Whoever has one IPv6 address has the 2**64 beside it.
    wide = int(parsed) >> 64 if isinstance(parsed, IPv6Address) else parsed
    return [passwords.digest(f"address {wide}")]
