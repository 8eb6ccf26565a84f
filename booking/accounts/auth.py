"""Who is asking: the caller of a request, from a bearer token or a session cookie."""

from dataclasses import dataclass

from flask import Request, Response, current_app, request

from booking.accounts import queries
from booking.accounts.models import LoginSession
from booking.accounts.rules import Caller, Permission, require_admin, require_signed_in
from booking.kernel import idempotency, login
from booking.kernel.passwords import digest

SESSION_COOKIE = "booking_session"


@dataclass(frozen=True)
class _SignedIn(login.SignedIn):
    caller: Caller

    @property
    def locale(self) -> str:
        """Return the person's own language, for pages."""
        return self.caller.locale

    def get_id(self) -> str:
        """Return what idempotency keys are kept apart by."""
        return str(self.caller.user_id)

    @property
    def by_session(self) -> bool:
        """Tell whether a browser is signed in, and not a token used."""
        return self.caller.session_id is not None

    def own_id(self) -> int:
        """Return the user's id, or raise SignInNeeded for tokens."""
        require_signed_in(self.caller)
        return self.caller.user_id

    def administer(self, permission: str) -> int:
        """Return the user's id, or raise NotAllowed unless they run the platform."""
        require_admin(self.caller, Permission(permission))
        return self.caller.user_id


def load(request: Request) -> _SignedIn | None:
    """Return the caller's object for flask_login, or None."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    found = None
    if kind.lower() == "bearer" and secret:
        look = idempotency.look_ahead()
        found = queries.caller_by_token(digest(secret.strip()), look=look)
    elif not kind and (cookie := request.cookies.get(SESSION_COOKIE)):
        found = queries.caller_by_session(digest(cookie))
    return _SignedIn(found) if found else None


def caller() -> Caller:
    """Return the caller; only in views that are `login_required`."""
    found = caller_or_none()
    assert found is not None, "the view lacks login_required"  # noqa: S101
    return found


def caller_or_none() -> Caller | None:
    """Return the caller, or None if nobody is signed in."""
    user = login.signed_in()
    return user.caller if user else None


def keep(response: Response, session: LoginSession, secret: str) -> None:
    """Give the session's secret to the browser, out of reach of scripts and other sites."""
    response.set_cookie(
        SESSION_COOKIE,
        secret,
        expires=session.expires_at,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["BASE_URL"].startswith("https://"),
    )


def forget(response: Response) -> None:
    """Take the session's secret from the browser."""
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="Lax")


def acting_organisation(caller: Caller) -> int | None:
    """Return the organisation named in the form or address, if the caller may act for it.

    Else the first of those they may act for; None if there is none.
    """
    may = caller.organisations_with(Permission.RESERVE)
    named = request.values.get("organisation", "")
    if named.isascii() and named.isdigit() and int(named) in may:
        return int(named)
    return min(may) if may else None
