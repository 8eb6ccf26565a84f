"""REST for accounts: sign-up, organisations and members, log-in, sessions, tokens."""

from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Response, after_this_request, current_app, request

from booking.accounts import auth, queries, service
from booking.accounts.auth import caller
from booking.accounts.models import ApiToken, LoginSession, Organisation, User
from booking.accounts.queries import Member, PublicFacts
from booking.accounts.rules import PURPOSE_NOTICE, Caller
from booking.accounts.schemas import (
    DeclarationIn,
    InvitationIn,
    InvitedOut,
    LogInIn,
    MemberIn,
    MemberOut,
    MemberPage,
    MeOut,
    OrganisationOut,
    OrganisationPage,
    OrganisationPatch,
    OrganisationQuery,
    PasswordIn,
    PersonOut,
    PurposeNoticeOut,
    RolesIn,
    SessionPage,
    SignedInOut,
    SignedUpOut,
    SignUpIn,
    TokenIn,
    TokenMade,
    TokenPage,
)
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.http import TooManyRequests
from booking.kernel.idempotency import idempotent, idempotent_without
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.kernel.paging import Page
from booking.kernel.passwords import digest
from booking.kernel.schema import PageQuery, VersionIn

bp = Blueprint("accounts", __name__, description="账号：注册、单位与成员、登录、令牌")


@bp.get("/purpose-notice")
@bp.doc(security=[])
@bp.response(200, PurposeNoticeOut)
def purpose_notice() -> dict[str, str]:
    """Show what personal information is used for; sign-up names the version accepted."""
    return {"version": PURPOSE_NOTICE, "zh": _notice("zh"), "en": _notice("en")}


@cache
def _notice(language: str) -> str:
    folder = files("booking.accounts") / "texts"
    return (folder / f"purpose_notice.{language}.txt").read_text(encoding="utf-8")


@bp.post("/sign-ups")
@bp.doc(security=[])
@idempotent
@bp.arguments(SignUpIn)
@bp.response(201, SignedUpOut)
def sign_up(data: dict[str, Any]) -> service.SignedUp:
    """Register an enterprise, a research body or an institution with its first manager.

    Private persons are not served. Enterprises and research bodies can book at once, an
    institution publishes after an administrator has verified it.
    """
    with transaction():
        return service.sign_up(**data)


@bp.post("/invitations")
@bp.doc(security=[])
@bp.arguments(InvitationIn)
@bp.response(200, PersonOut)
def accept_invitation(data: dict[str, Any]) -> User:
    """Set the first password of a person whom a manager added; the secret works once."""
    with transaction():
        return service.accept_invitation(
            data["invitation"],
            data["password"],
            purpose_notice_accepted=data["purpose_notice_accepted"],
        )


@bp.post("/sessions")
@bp.doc(security=[])
@bp.arguments(LogInIn)
@bp.response(201, SignedInOut)
def log_in(data: dict[str, Any]) -> dict[str, Any]:
    """Log in with e-mail or mobile number and password; sets the session cookie.

    Takes no Idempotency-Key: each attempt counts, and each log-in is a session of its own.
    """
    address = request.remote_addr
    with transaction():
        _admit(service.admit_sign_in(data["login"], address))
    with transaction():
        session, secret = service.log_in(
            **data,
            address=address,
            client=request.user_agent.string,
            lasts=timedelta(hours=current_app.config["SESSION_HOURS"]),
        )

    @after_this_request
    def keep(response: Response) -> Response:
        auth.keep(response, session, secret)
        return response

    who = queries.caller_by_session(digest(secret))
    assert who is not None, "the session was made a moment ago"  # noqa: S101
    return {"session": _shown(session, who), "user": _me(who)}


def _admit(seconds: int) -> None:
    if seconds:
        raise TooManyRequests(retry_after=seconds)


@bp.get("/sessions")
@login_required
@bp.arguments(PageQuery, location="query")
@bp.response(200, SessionPage)
def sessions(query: dict[str, Any]) -> Page[dict[str, Any]]:
    """List the caller's own sessions, latest first."""
    page = queries.list_sessions(caller=caller(), **query)
    return Page([_shown(session, caller()) for session in page.items], page.next_cursor)


def _shown(session: LoginSession, who: Caller) -> dict[str, Any]:
    return {
        "id": session.id,
        "client": session.client,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "is_current": session.id == who.session_id,
    }


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
    return _me(caller())


def _me(who: Caller) -> dict[str, Any]:
    found = queries.get_me(who)
    return {
        "id": found.user.id,
        "name": found.user.name,
        "email": found.user.email,
        "mobile": found.user.mobile,
        "locale": found.user.locale,
        "scopes": sorted(who.scopes),
        "signed_in_by": "token" if who.session_id is None else "session",
        "organisations": found.organisations,
    }


@bp.post("/me/password")
@login_required
@bp.arguments(PasswordIn)
@bp.response(204)
def change_password(data: dict[str, Any]) -> None:
    """Change the caller's password: all other sessions end, tokens stay until revoked."""
    address = request.remote_addr
    with transaction():
        _admit(service.admit_password(caller(), address))
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


@bp.get("/organisations")
@login_required
@bp.arguments(OrganisationQuery, location="query")
@bp.response(200, OrganisationPage)
def organisations(query: dict[str, Any]) -> Page[Organisation]:
    """List the caller's own organisations and all institutions that publish."""
    return queries.list_organisations(caller=caller(), **query)


@bp.get("/organisations/<id:organisation_id>")
@login_required
@bp.response(200, OrganisationOut)
def organisation(organisation_id: int) -> Organisation | PublicFacts:
    """Show an organisation; of others than the caller's own, its public facts."""
    return queries.show_organisation(organisation_id, caller=caller())


@bp.patch("/organisations/<id:organisation_id>")
@login_required
@bp.arguments(OrganisationPatch)
@bp.response(200, OrganisationOut)
def update_organisation(data: dict[str, Any], organisation_id: int) -> Organisation:
    """Change what an organisation says of itself."""
    version = data.pop("version")
    with transaction():
        return service.update_organisation(organisation_id, data, caller=caller(), version=version)


@bp.post("/organisations/<id:organisation_id>/verify")
@login_required
@bp.arguments(VersionIn)
@bp.response(200, OrganisationOut)
def verify(data: dict[str, Any], organisation_id: int) -> Organisation:
    """Verify an institution, which may then publish. Administrators only."""
    with transaction():
        return service.verify_organisation(organisation_id, **data, caller=caller())


@bp.post("/organisations/<id:organisation_id>/declarations")
@login_required
@idempotent
@bp.arguments(DeclarationIn)
@bp.response(201, OrganisationOut)
def declare(data: dict[str, Any], organisation_id: int) -> Organisation:
    """Declare industry and size class as they are from today; earlier ones stay."""
    with transaction():
        return service.declare_enterprise(organisation_id, **data, caller=caller())


@bp.get("/organisations/<id:organisation_id>/members")
@login_required
@bp.arguments(PageQuery, location="query")
@bp.response(200, MemberPage)
def members(query: dict[str, Any], organisation_id: int) -> Page[Member]:
    """List the people of an organisation, for its managers."""
    return queries.list_members(organisation_id, **query, caller=caller())


@bp.post("/organisations/<id:organisation_id>/members")
@login_required
@idempotent_without("invitation")
@bp.arguments(MemberIn)
@bp.response(201, InvitedOut)
def add_member(data: dict[str, Any], organisation_id: int) -> service.Invited:
    """Add a person; the answer holds, once, the secret with which they set a password."""
    with transaction():
        return service.add_member(organisation_id, **data, caller=caller())


@bp.patch("/organisations/<id:organisation_id>/members/<id:user_id>")
@login_required
@bp.arguments(RolesIn)
@bp.response(200, MemberOut)
def change_roles(data: dict[str, Any], organisation_id: int, user_id: int) -> Member:
    """Give a member exactly these roles."""
    with transaction():
        return service.change_roles(organisation_id, user_id, **data, caller=caller())


@bp.delete("/organisations/<id:organisation_id>/members/<id:user_id>")
@login_required
@bp.response(204)
def end_membership(organisation_id: int, user_id: int) -> None:
    """End a membership at once; anybody may leave by themselves, but not the last manager."""
    with transaction():
        service.end_membership(organisation_id, user_id, caller=caller())
