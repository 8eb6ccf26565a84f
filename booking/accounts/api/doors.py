"""REST before anybody is signed in: sign-up, invitation, log-in."""

from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Response, after_this_request, current_app, request

from booking.accounts import auth, queries, service
from booking.accounts.api.frame import admit, bp, shown_caller, shown_session
from booking.accounts.errors import CodeNeeded, SetupNeeded
from booking.accounts.models import User
from booking.accounts.rules import PURPOSE_NOTICE, Awaits
from booking.accounts.schemas.doors import (
    InvitationIn,
    LogInIn,
    PurposeNoticeOut,
    SignedInOut,
    SignedUpOut,
    SignUpIn,
)
from booking.accounts.schemas.people import PersonOut
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.passwords import digest


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

    Takes no Idempotency-Key: each attempt counts, and each log-in is a session of its own. Who has
    a second factor sends a `code` of it too; who needs one sets it up on the pages first.
    """
    address, code = request.remote_addr, data.pop("code")
    lasts = timedelta(hours=current_app.config["SESSION_HOURS"])
    spared = current_app.extensions.get("booking_demo", ()) if current_app.config["DEMO"] else ()
    with transaction():
        admit(service.admit_sign_in(data["login"], address))
    with transaction():
        session, secret = service.log_in(
            **data,
            address=address,
            client=request.user_agent.string,
            lasts=lasts,
            spared=spared,
        )
        if session.awaits is Awaits.SETUP:
            raise SetupNeeded
        if session.awaits is Awaits.CODE and code is None:
            raise CodeNeeded
    if session.awaits is not None:
        with transaction():
            admit(service.admit_code(session.user_id, address))
        with transaction():
            session, secret = service.pass_code(secret, code, address=address, lasts=lasts)

    @after_this_request
    def keep(response: Response) -> Response:
        auth.keep(response, session, secret)
        return response

    who = queries.caller_by_session(digest(secret))
    assert who is not None, "the session was made a moment ago"  # noqa: S101
    return {"session": shown_session(session, who), "user": shown_caller(who)}
