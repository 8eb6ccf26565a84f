"""The second factor: set up, asked for at log-in, replaced by recovery codes, reset."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, update

from booking.accounts import queries, rules
from booking.accounts.errors import FactorNeeded, StepOver, WrongCode
from booking.accounts.models import LoginSession, RecoveryCode, SecondFactor, User
from booking.accounts.rules import Awaits, Caller
from booking.accounts.service.logins import (
    address_subjects,
    admit_guess,
    end_sessions_of,
    warn,
)
from booking.journal import service as journal
from booking.kernel import clock, names, passwords, throttle, totp
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotFound, WrongState
from booking.kernel.text import N_

ISSUER = "仪器共享"
SHORTEST_REASON = 4


@dataclass(frozen=True)
class Setup:
    """What the person's authenticator program needs: as an address for a code, and to type."""

    address: str
    key: str


def admit_code(user_id: int, address: str | None) -> int:
    """Count an attempt at the person's codes; as `admit_sign_in`."""
    return admit_guess(_subject(user_id), address)


def begin_factor(user_id: int, *, session_id: int | None) -> None:
    """Start to set up a second factor with a new key; raises WrongState if one is in use.

    Whoever else is setting one up with this password is turned away: they would see the key.
    """
    found = queries.find_factor(user_id, for_update=True)
    if found is not None and found.confirmed_at is not None:
        raise WrongState("set", "begin")
    nonce = passwords.new_secret()
    if found is None:
        db.session.add(SecondFactor(user_id=user_id, nonce=nonce))
    else:
        found.nonce, found.created_at = nonce, clock.now()
    db.session.execute(
        update(LoginSession)
        .where(
            LoginSession.user_id == user_id,
            LoginSession.awaits == Awaits.SETUP,
            LoginSession.ended_at.is_(None),
            LoginSession.id != (session_id or 0),
        )
        .values(ended_at=clock.now())
    )
    db.session.flush()


def show_setup(user_id: int) -> Setup:
    """Return what to put into the authenticator program; NotFound if none is being set up."""
    found = queries.find_factor(user_id)
    if found is None or found.confirmed_at is not None:
        raise NotFound
    user = db.session.get_one(User, user_id)
    key = _key(found)
    account = user.email or user.mobile or user.name
    return Setup(
        address=totp.address(key, issuer=ISSUER, account=account),
        key=" ".join(_grouped(totp.written_key(key))),
    )


def confirm_factor(user_id: int, code: str, *, address: str | None) -> list[str]:
    """Take the second factor into use with a first code; returns the recovery codes, this once.

    Raises NotFound if none is being set up, WrongCode.
    """
    found = queries.find_factor(user_id, for_update=True)
    if found is None or found.confirmed_at is not None:
        raise NotFound
    _take(found, code)
    found.confirmed_at = clock.now()
    _succeeded(user_id, address)
    journal.record("user.second_factor_set", "user", user_id, by=user_id)
    return _new_codes(user_id)


def pass_code(
    secret: str, code: str, *, address: str | None, lasts: timedelta
) -> tuple[LoginSession, str]:
    """Finish a log-in with a code of the authenticator or a recovery code.

    Returns the session with a new secret; raises StepOver, WrongCode.
    """
    session = _pending(secret, Awaits.CODE)
    way = check_code(session.user_id, code, address=address)
    return _finished(session, lasts, second_factor=way)


def set_up_and_enter(
    secret: str, code: str, *, address: str | None, lasts: timedelta
) -> tuple[LoginSession, str, list[str]]:
    """Finish a log-in by setting up the second factor it asks for; as the two it consists of."""
    session = _pending(secret, Awaits.SETUP)
    codes = confirm_factor(session.user_id, code, address=address)
    return *_finished(session, lasts, second_factor="setup"), codes


def _pending(secret: str, awaits: Awaits) -> LoginSession:
    session = queries.pending_session(passwords.digest(secret), for_update=True)
    if session is None or session.awaits is not awaits:
        raise StepOver
    return session


def _finished(
    session: LoginSession, lasts: timedelta, *, second_factor: str
) -> tuple[LoginSession, str]:
    # A new secret: what knew the old one had proved the password only.
    secret = passwords.new_secret()
    session.digest, session.awaits = passwords.digest(secret), None
    session.expires_at = clock.now() + lasts
    db.session.flush()
    journal.record(
        "session.started", "session", session.id, by=session.user_id, second_factor=second_factor
    )
    return session, secret


def check_code(user_id: int, code: str, *, address: str | None) -> str:
    """Use up a code of the person's; returns "code" or "recovery", raises WrongCode."""
    found = queries.find_factor(user_id, for_update=True)
    if found is None or found.confirmed_at is None:
        raise WrongCode
    way = "code"
    if _looks_like_recovery(code):
        way = "recovery"
        _use_recovery(user_id, code)
    else:
        _take(found, code)
    _succeeded(user_id, address)
    return way


def _take(factor: SecondFactor, code: str) -> None:
    """Use the code up; the row is locked, so two who send the same are told apart."""
    typed = "".join(char for char in code if char.isdecimal() and char.isascii())
    step = totp.matching_step(_key(factor), typed, clock.now(), after=factor.last_step)
    if step is None:
        raise WrongCode
    factor.last_step = step
    db.session.flush()


def _looks_like_recovery(code: str) -> bool:
    return len([char for char in code if char.isalnum()]) > totp.DIGITS


def _use_recovery(user_id: int, code: str) -> None:
    digest = passwords.digest(passwords.clean_recovery_code(code))
    used = db.session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.digest == digest,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
        .returning(RecoveryCode.id)
    )
    if used is None:
        raise WrongCode
    journal.record("user.recovery_code_used", "user", user_id, by=user_id)


def renew_codes(code: str, *, caller: Caller, address: str | None) -> list[str]:
    """Give out new recovery codes, the old ones end; for who is signed in and has a code."""
    rules.require_signed_in(caller)
    check_code(caller.user_id, code, address=address)
    journal.record("user.recovery_codes_renewed", "user", caller.user_id, by=caller.user_id)
    return _new_codes(caller.user_id)


def drop_factor(code: str, *, caller: Caller, address: str | None) -> None:
    """Switch one's own second factor off; raises FactorNeeded, WrongCode."""
    rules.require_signed_in(caller)
    if queries.needs_factor(caller.user_id):
        raise FactorNeeded
    check_code(caller.user_id, code, address=address)
    _forget(caller.user_id)
    journal.record("user.second_factor_dropped", "user", caller.user_id, by=caller.user_id)
    warn(db.session.get_one(User, caller.user_id), "factor_dropped")


def reset_factor(user_id: int, reason: str, *, caller: Caller) -> User:
    """Take a lost second factor from somebody else, who is signed out everywhere.

    Only for who runs the platform, and not for oneself; the reason is kept. Raises InvalidField.
    """
    rules.require_admin(caller)
    if user_id == caller.user_id:
        raise InvalidField("reason", N_("不能重置自己的两步验证，请另一位平台管理员办理。"))
    user = db.session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFound
    _reset(user, reason, by=caller.user_id)
    return user


def reset_factor_of(login: str, reason: str) -> User:
    """Do the same by log-in name. For the command line, where nobody is signed in."""
    user = queries.user_by_login(names.login_name(login))
    if user is None:
        raise NotFound(N_("没有账号使用“%(login)s”。", login=login))
    _reset(user, reason, by=None)
    return user


def _reset(user: User, reason: str, *, by: int | None) -> None:
    if len(reason.strip()) < SHORTEST_REASON:
        raise InvalidField("reason", N_("请写明原因，例如怎样核实了本人身份。"))
    _forget(user.id)
    end_sessions_of(user.id)
    user.touch()
    journal.record("user.second_factor_reset", "user", user.id, by=by, reason=reason.strip())
    warn(user, "factor_reset")


def _forget(user_id: int) -> None:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    db.session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))


def _new_codes(user_id: int) -> list[str]:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [passwords.new_recovery_code() for _ in range(rules.RECOVERY_CODES)]
    db.session.add_all(
        RecoveryCode(user_id=user_id, digest=passwords.digest(code)) for code in codes
    )
    db.session.flush()
    return codes


def _key(factor: SecondFactor) -> bytes:
    return passwords.derived_key(factor.nonce, size=totp.KEY_BYTES)


def _grouped(letters: str) -> list[str]:
    return [letters[start : start + 4] for start in range(0, len(letters), 4)]


def _succeeded(user_id: int, address: str | None) -> None:
    throttle.succeeded(clear=[_subject(user_id)], give_back=address_subjects(address))


def _subject(user_id: int) -> str:
    return passwords.digest(f"second factor {user_id}")
