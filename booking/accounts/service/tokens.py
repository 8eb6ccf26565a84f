"""Bearer tokens: made for machines, limited by scopes and time, revoked at once."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import delete, select, update

from booking.accounts import rules
from booking.accounts.models import ApiToken, LoginSession
from booking.accounts.rules import Caller, Scope
from booking.journal import service as journal
from booking.kernel import clock, passwords
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotFound
from booking.kernel.text import N_

ENDED_SESSIONS_KEPT = timedelta(days=30)


def create_token(
    *, scopes: Collection[Scope], days: int, name: str, caller: Caller
) -> tuple[ApiToken, str]:
    """Make a token of the caller's and return it with its secret, shown this once.

    Raises SignInNeeded for tokens, InvalidField, or ScopeMissing for more than the caller has.
    """
    rules.require_signed_in(caller)
    rules.check_scopes(caller, scopes)
    return issue_token(caller.user_id, scopes=scopes, days=days, name=name, by=caller.user_id)


def issue_token(
    user_id: int, *, scopes: Collection[Scope], days: int, name: str, by: int | None
) -> tuple[ApiToken, str]:
    """Make a token of any person's. For the command line and demo data."""
    if not 1 <= days <= rules.LONGEST_TOKEN_DAYS:
        raise InvalidField(
            "days", N_("有效期应为 1 到 %(most)s 天。", most=rules.LONGEST_TOKEN_DAYS)
        )
    secret = passwords.new_secret()
    token = ApiToken(
        user_id=user_id,
        name=name,
        digest=passwords.digest(secret),
        scopes=sorted(scopes),
        expires_at=clock.now() + timedelta(days=days),
    )
    db.session.add(token)
    db.session.flush()
    journal.record(
        "token.created", "token", token.id, by=by, user_id=user_id, scopes=token.scopes, days=days
    )
    return token, secret


def revoke_token(token_id: int, *, caller: Caller) -> None:
    """Revoke one of the caller's own tokens, or raise NotFound; a token may revoke itself."""
    if token_id != caller.token_id:
        rules.require_signed_in(caller)
    own = select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == caller.user_id)
    token = db.session.scalar(own.with_for_update())
    if token is None:
        raise NotFound
    if token.revoked_at is None:
        token.revoked_at = clock.now()
        journal.record("token.revoked", "token", token.id, by=caller.user_id)


def revoke_tokens_of(user_id: int) -> None:
    """Revoke all tokens of a person."""
    db.session.execute(
        update(ApiToken)
        .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )


def forget_ended() -> int:
    """Drop sessions that ended or ran out a month ago; returns how many. Tokens stay listed."""
    old = clock.now() - ENDED_SESSIONS_KEPT
    gone = delete(LoginSession).where(
        (LoginSession.expires_at < old) | (LoginSession.ended_at < old)
    )
    return len(db.session.execute(gone.returning(LoginSession.id)).all())
