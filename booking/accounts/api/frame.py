"""The blueprint of these addresses, and what several of them need."""

from typing import Any

from booking.accounts import queries
from booking.accounts.models import LoginSession
from booking.accounts.rules import Caller
from booking.kernel.http import TooManyRequests
from booking.kernel.openapi import Blueprint

bp = Blueprint("accounts", __name__, description="账号：注册、单位与成员、登录、令牌")


def admit(seconds: int) -> None:
    """Raise TooManyRequests if there are seconds to wait."""
    if seconds:
        raise TooManyRequests(retry_after=seconds)


def shown_session(session: LoginSession, who: Caller) -> dict[str, Any]:
    """Return a session as its owner sees it."""
    return {
        "id": session.id,
        "client": session.client,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "is_current": session.id == who.session_id,
    }


def shown_caller(who: Caller) -> dict[str, Any]:
    """Return the caller with what they may do."""
    found = queries.get_me(who)
    return {
        "id": found.user.id,
        "name": found.user.name,
        "email": found.user.email,
        "mobile": found.user.mobile,
        "locale": found.user.locale,
        "scopes": sorted(who.scopes),
        "second_factor": queries.has_factor(who.user_id),
        "signed_in_by": "token" if who.session_id is None else "session",
        "organisations": found.organisations,
    }
