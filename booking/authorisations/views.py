"""One's own authorisations: what holds, what waits, asking for more, and training."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, render_template
from flask_babel import gettext

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.authorisations import queries, rules, service
from booking.authorisations.models import Authorisation
from booking.authorisations.schemas import RequestForm, SeenForm
from booking.files.errors import FileRefused
from booking.files.gateway import store
from booking.kernel import clock, downloads, forms, pages, uploads
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.registry import queries as registry

bp = pages.Blueprint("authorisations_pages", __name__)


@bp.get("/authorisations")
@login_required
def index() -> Response:
    """List one's own authorisations and requests, one's training, and sessions to come."""
    return _show(Form())


@bp.post("/authorisations/<id:authorisation_id>/withdraw")
@login_required
def withdraw(authorisation_id: int) -> Response:
    """Take one's own request back."""
    form = forms.read(SeenForm)
    return _do(form, service.withdraw, gettext("申请已撤回。"), authorisation_id, **form.data)


@bp.post("/training/<id:session_id>/sign-up")
@login_required
def sign_up(session_id: int) -> Response:
    """Take a seat for oneself."""
    said = gettext("已报名，请按时参加。")
    return _do(forms.read(SeenForm), service.sign_up, said, session_id, organisation_id=_firm())


@bp.post("/training/<id:session_id>/give-up")
@login_required
def give_up(session_id: int) -> Response:
    """Give one's seat back."""
    return _do(forms.read(SeenForm), service.give_up, gettext("已取消报名。"), session_id)


def _do(form: Form, act: Callable[..., object], said: str, id_: int, **given: Any) -> Response:
    if not form.errors:
        with form.refusals():
            with transaction():
                act(id_, caller=caller(), **given)
            flash(said, "ok")
            return bp.go("index")
    return _show(form)


def _show(form: Form) -> Response:
    who, now = caller(), clock.now()
    seats = queries.own_seats(who.user_id)
    mine = queries.own(who)
    held = {each.session_id for each in seats}
    asked_of = {each.institution_id for each in mine}
    page = render_template(
        "authorisations/index.html",
        form=form,
        authorisations=mine,
        seats=seats,
        sessions=[
            each
            for each in queries.coming_sessions(now=now)
            if each.row.id not in held and each.row.institution_id in asked_of
        ],
        now=now,
        today=clock.today(),
        soon=rules.REMIND_DAYS[1],
    )
    return forms.answer(form, page)


@bp.get("/instruments/<id:instrument_id>/authorisation")
@login_required
def ask_page(instrument_id: int) -> Response:
    """Offer to ask for an instrument, with what stands already and the sessions to come."""
    return _ask_page(instrument_id, Form())


@bp.post("/instruments/<id:instrument_id>/authorisation")
@login_required
@uploads.large
def ask(instrument_id: int) -> Response:
    """Ask to be allowed to operate it, perhaps with evidence."""
    form = uploads.read(RequestForm)
    if form.errors:
        return _ask_page(instrument_id, form)
    with form.refusals():
        try:
            with transaction():
                service.request(
                    instrument_id,
                    **form.data,
                    file=uploads.chosen("file"),
                    caller=caller(),
                    organisation_id=_firm(),
                )
        except FileRefused as refused:
            form.refuse_field("file", refused)
        else:
            flash(gettext("已提交申请，机构会安排培训或直接授权。"), "ok")
            return bp.go("index")
    return _ask_page(instrument_id, form)


def _firm() -> int | None:
    """Return for whom the person asks: their first organisation that may reserve."""
    return min(caller().organisations_with(Permission.RESERVE), default=None)


def _ask_page(instrument_id: int, form: Form) -> Response:
    who = caller()
    instrument = registry.get_instrument(instrument_id, caller=who)
    page = render_template(
        "authorisations/ask.html",
        instrument=instrument,
        institution=registry.publisher_name(instrument.institution_id),
        form=form,
        current=queries.current(instrument, who.user_id, today=clock.today()),
        asked=queries.open_request(instrument_id, who.user_id),
        sessions=queries.coming_sessions(now=clock.now(), instrument_id=instrument_id),
        held={each.session_id for each in queries.own_seats(who.user_id)},
    )
    return forms.answer(form, page)


@bp.get("/authorisations/<id:authorisation_id>/evidence")
@login_required
def evidence(authorisation_id: int) -> Response:
    """Send the evidence to the person, to who manages their firm, and to the institution."""
    found: Authorisation = queries.get_authorisation(authorisation_id, caller=caller())
    if found.file is None:
        raise NotFound
    try:
        content = store().open(found.file.sha256)
    except FileNotFoundError as exc:  # `booking verify` names it
        raise NotFound from exc
    return downloads.send(
        content,
        name=found.file_name,
        media_type=found.file.media_type.value,
        etag=found.file.sha256,
        size=found.file.size,
    )
