"""REST for authorisations to operate and the training that leads there."""

from typing import Any

from flask import url_for

from booking.accounts.auth import caller
from booking.authorisations import queries, service
from booking.authorisations.models import Authorisation, TrainingSeat
from booking.authorisations.queries import Session
from booking.authorisations.schemas import (
    AnswerIn,
    AssessmentIn,
    AuthorisationOut,
    AuthorisationPage,
    AuthorisationQuery,
    GrantIn,
    InviteIn,
    RequestIn,
    SeatIn,
    SeatOut,
    TrainingIn,
    TrainingOut,
    TrainingPage,
    TrainingQuery,
)
from booking.kernel import clock
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.kernel.paging import Page
from booking.kernel.schema import VersionIn

bp = Blueprint("authorisations", __name__, description="上机授权与培训考核")
Headers = dict[str, str]


@bp.get("/authorisations")
@login_required
@bp.arguments(AuthorisationQuery, location="query")
@bp.response(200, AuthorisationPage)
def index(query: dict[str, Any]) -> Page[Authorisation]:
    """List one's own authorisations and requests, and those one looks after."""
    return queries.list_authorisations(caller=caller(), **query)


@bp.post("/authorisations")
@login_required
@idempotent
@bp.arguments(RequestIn)
@bp.response(201, AuthorisationOut)
def request_(data: dict[str, Any]) -> tuple[Authorisation, Headers]:
    """Ask to be allowed to operate an instrument by oneself."""
    with transaction():
        made = service.request(**data, caller=caller())
    return made, {"Location": url_for(".show", authorisation_id=made.id)}


@bp.get("/authorisations/<id:authorisation_id>")
@login_required
@bp.response(200, AuthorisationOut)
def show(authorisation_id: int) -> Authorisation:
    """Show one authorisation or request."""
    return queries.get_authorisation(authorisation_id, caller=caller())


@bp.post("/authorisations/<id:authorisation_id>/withdraw")
@login_required
@idempotent
@bp.arguments(VersionIn)
@bp.response(200, AuthorisationOut)
def withdraw(data: dict[str, Any], authorisation_id: int) -> Authorisation:
    """Take one's own request back."""
    with transaction():
        return service.withdraw(authorisation_id, **data, caller=caller())


@bp.post("/authorisations/<id:authorisation_id>/grant")
@login_required
@idempotent
@bp.arguments(GrantIn)
@bp.response(200, AuthorisationOut)
def grant(data: dict[str, Any], authorisation_id: int) -> Authorisation:
    """Grant as the institution what was asked for."""
    with transaction():
        return service.grant(authorisation_id, **data, caller=caller())


@bp.post("/authorisations/<id:authorisation_id>/refuse")
@login_required
@idempotent
@bp.arguments(AnswerIn)
@bp.response(200, AuthorisationOut)
def refuse(data: dict[str, Any], authorisation_id: int) -> Authorisation:
    """Refuse as the institution what was asked for."""
    with transaction():
        return service.refuse(authorisation_id, **data, caller=caller())


@bp.post("/authorisations/<id:authorisation_id>/suspend")
@login_required
@idempotent
@bp.arguments(AnswerIn)
@bp.response(200, AuthorisationOut)
def suspend(data: dict[str, Any], authorisation_id: int) -> Authorisation:
    """Let as the institution what was granted hold no longer."""
    with transaction():
        return service.suspend(authorisation_id, **data, caller=caller())


@bp.post("/authorisations/<id:authorisation_id>/restore")
@login_required
@idempotent
@bp.arguments(VersionIn)
@bp.response(200, AuthorisationOut)
def restore(data: dict[str, Any], authorisation_id: int) -> Authorisation:
    """Let as the institution what was suspended hold again."""
    with transaction():
        return service.restore(authorisation_id, **data, caller=caller())


@bp.post("/authorisations/<id:authorisation_id>/invite")
@login_required
@idempotent
@bp.arguments(InviteIn)
@bp.response(200, AuthorisationOut)
def invite(data: dict[str, Any], authorisation_id: int) -> Authorisation:
    """Answer a request with a seat in a training session."""
    with transaction():
        return service.invite(authorisation_id, **data, caller=caller())


@bp.get("/training-sessions")
@login_required
@bp.arguments(TrainingQuery, location="query")
@bp.response(200, TrainingPage)
def sessions(query: dict[str, Any]) -> Page[Session]:
    """List the training sessions to come, soonest first; all on one page."""
    wanted = {name: query[name] for name in ("institution_id", "instrument_id")}
    return Page(queries.coming_sessions(now=clock.now(), **wanted)[: query["limit"]])


@bp.post("/institutions/<id:institution_id>/training-sessions")
@login_required
@idempotent
@bp.arguments(TrainingIn)
@bp.response(201, TrainingOut)
def offer(data: dict[str, Any], institution_id: int) -> Session:
    """Offer a training session for some of the institution's instruments."""
    with transaction():
        made = service.offer(institution_id, **data, caller=caller())
    return queries.session_shown(made.id)


@bp.post("/training-sessions/<id:session_id>/cancel")
@login_required
@idempotent
@bp.arguments(AnswerIn)
@bp.response(200, TrainingOut)
def call_off(data: dict[str, Any], session_id: int) -> Session:
    """Cancel a training session; who has a seat is told."""
    with transaction():
        service.call_off(session_id, **data, caller=caller())
    return queries.session_shown(session_id)


@bp.post("/training-sessions/<id:session_id>/seats")
@login_required
@idempotent
@bp.arguments(SeatIn)
@bp.response(201, SeatOut)
def sign_up(data: dict[str, Any], session_id: int) -> TrainingSeat:
    """Take a seat in a training session for oneself; 409 `session_full` when none is left."""
    with transaction():
        return service.sign_up(session_id, **data, caller=caller())


@bp.post("/training-sessions/<id:session_id>/give-up")
@login_required
@idempotent
@bp.response(200, TrainingOut)
def give_up(session_id: int) -> Session:
    """Give one's seat back before the session begins."""
    with transaction():
        service.give_up(session_id, caller=caller())
    return queries.session_shown(session_id)


@bp.post("/training-sessions/<id:session_id>/seats/<id:seat_id>/assess")
@login_required
@idempotent
@bp.arguments(AssessmentIn)
@bp.response(200, SeatOut)
def assess(data: dict[str, Any], session_id: int, seat_id: int) -> TrainingSeat:
    """Say what the assessment found; who passed is authorised for the session's instruments."""
    with transaction():
        return service.assess(session_id, seat_id, **data, caller=caller())
