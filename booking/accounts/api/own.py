"""REST for oneself: sessions, password, tokens."""

from typing import Any

from flask import Response, after_this_request, request

from booking.accounts import auth, queries, service
from booking.accounts.api.frame import admit, bp, shown_caller, shown_session
from booking.accounts.auth import caller
from booking.accounts.models import ApiToken
from booking.accounts.schemas.doors import (
    MeOut,
    PasswordIn,
    SessionPage,
    TokenIn,
    TokenMade,
    TokenPage,
)
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.idempotency import idempotent_without
from booking.kernel.login import login_required
from booking.kernel.paging import Page
from booking.kernel.schema import PageQuery


@bp.get("/sessions")
@login_required
@bp.arguments(PageQuery, location="query")
@bp.response(200, SessionPage)
def sessions(query: dict[str, Any]) -> Page[dict[str, Any]]:
    """List the caller's own sessions, latest first."""
    page = queries.list_sessions(caller=caller(), **query)
    return Page([shown_session(session, caller()) for session in page.items], page.next_cursor)


@bp.delete("/sessions")
@login_required
@bp.response(204)
def end_all_sessions() -> None:
    """End all the caller's sessions, this one too."""
    with transaction():
        service.end_all_sessions(caller=caller())
    after_this_request(_forget)


@bp.delete("/sessions/current")
@login_required
@bp.response(204)
def log_out() -> None:
    """End the session of this request."""
    current = caller().session_id
    if current is None:
        raise NotFound
    with transaction():
        service.end_session(current, caller=caller())
    after_this_request(_forget)


@bp.delete("/sessions/<id:session_id>")
@login_required
@bp.response(204)
def end_session(session_id: int) -> None:
    """End one of the caller's own sessions."""
    with transaction():
        service.end_session(session_id, caller=caller())


def _forget(response: Response) -> Response:
    auth.forget(response)
    return response


@bp.get("/me")
@login_required
@bp.response(200, MeOut)
def me() -> dict[str, Any]:
    """Show who is asking, for whom they act and what they may do."""
    return shown_caller(caller())


@bp.post("/me/password")
@login_required
@bp.arguments(PasswordIn)
@bp.response(204)
def change_password(data: dict[str, Any]) -> None:
    """Change the caller's password: all other sessions end, tokens stay until revoked."""
    address = request.remote_addr
    with transaction():
        admit(service.admit_password(caller(), address))
    with transaction():
        service.change_password(
            data["current_password"], data["new_password"], caller=caller(), address=address
        )


@bp.get("/tokens")
@login_required
@bp.arguments(PageQuery, location="query")
@bp.response(200, TokenPage)
def tokens(query: dict[str, Any]) -> Page[ApiToken]:
    """List the caller's own tokens, latest first, without their secrets."""
    return queries.list_tokens(caller=caller(), **query)


@bp.post("/tokens")
@login_required
@idempotent_without("token")
@bp.arguments(TokenIn)
@bp.response(201, TokenMade)
def create_token(data: dict[str, Any]) -> dict[str, Any]:
    """Make a token for a machine; its secret is shown this once. Only when signed in."""
    with transaction():
        token, secret = service.create_token(**data, caller=caller())
    return {
        "id": token.id,
        "name": token.name,
        "scopes": token.scopes,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": None,
        "token": secret,
    }


@bp.delete("/tokens/<id:token_id>")
@login_required
@bp.response(204)
def revoke_token(token_id: int) -> None:
    """Revoke one of the caller's own tokens, at once; a token may revoke itself."""
    with transaction():
        service.revoke_token(token_id, caller=caller())
