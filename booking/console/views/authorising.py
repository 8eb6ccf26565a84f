"""Who may operate the institution's instruments: requests, grants, and training sessions."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, render_template
from flask_babel import gettext

from booking.accounts.auth import caller, caller_or_none
from booking.accounts.rules import Permission
from booking.authorisations import queries, service
from booking.authorisations.models import Authorisation
from booking.authorisations.schemas import (
    AnswerForm,
    AssessmentForm,
    GrantForm,
    InviteForm,
    SeenForm,
    TrainingForm,
)
from booking.console.queries import own_instruments, self_operated_ahead
from booking.console.views.frame import bp, chosen_institution, go, institutions
from booking.files.errors import FileRefused
from booking.kernel import clock, forms, uploads
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.forms import Form, FormSchema
from booking.kernel.login import login_required
from booking.kernel.schema import unusable
from booking.kernel.timeslot import TimeSlot, UnusableSlot


@bp.app_context_processor
def waiting_requests() -> dict[str, Callable[[], int]]:
    """Let the rail say how many wait, if a page shows it."""
    return {"requests_waiting": _count}


def _count() -> int:
    who = caller_or_none()
    return queries.count_waiting(who) if who else 0


@bp.get("/institution/authorisations")
@login_required
def authorisations() -> Response:
    """List requests, what was granted, and the training sessions."""
    chosen = chosen_institution(institutions(), Permission.SEE_OWNER_SIDE)
    return _show(chosen, Form())


@bp.get("/institution/authorisations/<id:authorisation_id>")
@login_required
def authorisation(authorisation_id: int) -> Response:
    """Show one to decide on, with the coming reservations that rest on it."""
    return _one(_own(authorisation_id), Form())


@bp.post("/institution/authorisations/<id:authorisation_id>/grant")
@login_required
@uploads.large
def grant(authorisation_id: int) -> Response:
    """Grant it."""
    _own(authorisation_id)
    form = uploads.read(GrantForm)
    said = gettext("已授权，并已通知申请人。")
    try:
        file = uploads.chosen("file") if not form.errors else None
        return _act(authorisation_id, form, service.grant, said, file=file)
    except FileRefused as refused:
        form.refuse_field("file", refused)
        return _one(_own(authorisation_id), form)


@bp.post("/institution/authorisations/<id:authorisation_id>/refuse")
@login_required
def refuse(authorisation_id: int) -> Response:
    """Refuse it."""
    said = gettext("已退回，并已通知申请人。")
    return _act(authorisation_id, forms.read(AnswerForm), service.refuse, said)


@bp.post("/institution/authorisations/<id:authorisation_id>/suspend")
@login_required
def suspend(authorisation_id: int) -> Response:
    """Let it hold no longer."""
    said = gettext("已暂停，并已通知本人。")
    return _act(authorisation_id, forms.read(AnswerForm), service.suspend, said)


@bp.post("/institution/authorisations/<id:authorisation_id>/restore")
@login_required
def restore(authorisation_id: int) -> Response:
    """Let it hold again."""
    said = gettext("已恢复，并已通知本人。")
    return _act(authorisation_id, forms.read(SeenForm), service.restore, said)


@bp.post("/institution/authorisations/<id:authorisation_id>/invite")
@login_required
def invite(authorisation_id: int) -> Response:
    """Answer it with a seat in a session."""
    form = forms.read(InviteForm)
    if "session" in form.data:
        form.data["session_id"] = form.data.pop("session")
    said = gettext("已安排培训，并已通知申请人。")
    return _act(authorisation_id, form, service.invite, said)


def _act(
    authorisation_id: int,
    form: Form,
    act: Callable[..., Authorisation],
    said: str,
    **more: Any,
) -> Response:
    _own(authorisation_id)
    if not form.errors:
        with form.refusals():
            with transaction():
                act(authorisation_id, caller=caller(), **form.data, **more)
            flash(said, "ok")
            return go("authorisation", authorisation_id=authorisation_id)
    return _one(_own(authorisation_id), form)


@bp.post("/institution/training")
@login_required
def offer_training() -> Response:
    """Offer a training session."""
    chosen = chosen_institution(institutions(), Permission.RUN_INSTRUMENTS)
    form = forms.read(TrainingForm)
    slot = _slot(form) if not form.errors else None
    if slot is not None and forms.came_before():
        return go("authorisations", institution=chosen)
    if slot is not None:
        with form.refusals():
            given = {name: form.data[name] for name in _GIVEN}
            with transaction():
                made = service.offer(chosen, slot, **given, caller=caller())
            flash(gettext("已发布培训，可安排申请人参加，他们也可自行报名。"), "ok")
            return go("training", session_id=made.id)
    return _show(chosen, form)


_GIVEN = ("instrument_ids", "location", "seats", "note")


def _slot(form: Form) -> TimeSlot | None:
    ends = (form.data[end].replace(tzinfo=clock.CHINA) for end in ("starts_at", "ends_at"))
    try:
        return TimeSlot(*ends)
    except UnusableSlot as exc:
        form.refuse(unusable(exc.reason, exc.field))
        return None


@bp.get("/institution/training/<id:session_id>")
@login_required
def training(session_id: int) -> Response:
    """Show a session, who comes, and what the assessment found."""
    return _session(session_id, Form())


@bp.post("/institution/training/<id:session_id>/cancel")
@login_required
def call_off_training(session_id: int) -> Response:
    """Cancel a session; who has a seat is told."""
    said = gettext("培训已取消，并已通知报名的人。")
    return _of_session(session_id, AnswerForm, service.call_off, said)


@bp.post("/institution/training/<id:session_id>/seats/<id:seat_id>/assess")
@login_required
def assess(session_id: int, seat_id: int) -> Response:
    """Say what the assessment found."""
    said = gettext("已登记考核结果，并已通知本人。")
    return _of_session(session_id, AssessmentForm, service.assess, said, seat_id)


def _of_session(
    session_id: int, schema: type[FormSchema], act: Callable[..., object], said: str, *more: int
) -> Response:
    form = forms.read(schema)
    result = [form.data.pop("result")] if "result" in form.data else []
    if not form.errors:
        with form.refusals():
            with transaction():
                act(session_id, *more, *result, caller=caller(), **form.data)
            flash(said, "ok")
            return go("training", session_id=session_id)
    return _session(session_id, form)


def _own(authorisation_id: int) -> Authorisation:
    """Return one of an institution the caller works the day for, or raise NotFound."""
    found = queries.get_authorisation(authorisation_id, caller=caller())
    if not caller().may(Permission.SEE_OWNER_SIDE, found.institution_id):
        raise NotFound
    return found


def _show(institution_id: int, form: Form) -> Response:
    who = caller()
    rows = queries.of_institution(institution_id)
    page = render_template(
        "console/authorisations.html",
        institutions=institutions(),
        chosen=institution_id,
        form=form,
        waiting=[each for each in rows if each.is_open],
        decided=[each for each in rows if not each.is_open],
        sessions=queries.sessions_of(institution_id),
        instruments=own_instruments(institution_id, caller=who),
        may_run=who.may(Permission.RUN_INSTRUMENTS, institution_id),
        now=clock.now(),
    )
    return forms.answer(form, page)


def _one(found: Authorisation, form: Form) -> Response:
    now = clock.now()
    covering = [
        each
        for each in queries.coming_sessions(now=now, institution_id=found.institution_id)
        if found.instrument_id in each.row.instrument_ids
    ]
    page = render_template(
        "console/authorisation.html",
        found=found,
        form=form,
        sessions=covering,
        ahead=self_operated_ahead(found, now=now),
        may_run=caller().may(Permission.RUN_INSTRUMENTS, found.institution_id),
        today=clock.today(),
    )
    return forms.answer(form, page)


def _session(session_id: int, form: Form) -> Response:
    session = queries.session_shown(session_id)
    if not caller().may(Permission.SEE_OWNER_SIDE, session.row.institution_id):
        raise NotFound
    page = render_template(
        "console/training.html",
        session=session,
        seats=queries.seats_of(session_id),
        form=form,
        now=clock.now(),
        may_run=caller().may(Permission.RUN_INSTRUMENTS, session.row.institution_id),
    )
    return forms.answer(form, page)
