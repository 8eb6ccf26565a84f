"""Why can they not book: a firm, a person and a slot against every rule, and booking it anyway."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Response, flash, render_template, request
from flask_babel import gettext
from marshmallow import EXCLUDE, ValidationError
from werkzeug.datastructures import MultiDict

from booking.accounts import queries as accounts
from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.console.schemas.policies import OverrideForm, WhyForm
from booking.console.views.frame import bp, go_to, own_instrument
from booking.kernel import forms
from booking.kernel.db import transaction
from booking.kernel.errors import InvalidField, NotFound
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.names import clean_uscc, login_name
from booking.kernel.schema import unusable
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument
from booking.reservations import queries, service
from booking.reservations.service import Examined


@dataclass(frozen=True)
class _Asked:
    """Who wants it when."""

    slot: TimeSlot
    organisation_id: int
    user_id: int | None


@bp.get("/institution/instruments/<id:instrument_id>/why")
@login_required
def why_page(instrument_id: int) -> Response:
    """Ask who wants it when, and say of every rule whether that keeps it."""
    instrument = own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS)
    if "starts_at" not in request.args:
        return _show(instrument, Form(values=MultiDict({"minutes": "120"})))
    form = Form(values=request.args)
    with form.refusals():
        form.data = dict(WhyForm(unknown=EXCLUDE).load(request.args))
    return _show(instrument, form, _asked(form, instrument))


@bp.post("/institution/instruments/<id:instrument_id>/why")
@login_required
def book_anyway(instrument_id: int) -> Response:
    """Reserve it for them though rules are broken; refused, everything typed stays."""
    instrument = own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS)
    form = forms.read(OverrideForm)
    asked = _asked(form, instrument)
    if asked is None:
        return _show(instrument, form)
    with form.refusals():
        with transaction():
            made = service.reserve(
                instrument_id,
                asked.slot,
                caller=caller(),
                organisation_id=asked.organisation_id,
                user_id=asked.user_id,
                purpose=form.data["purpose"],
                override_reason=form.data["override_reason"],
            )
        flash(gettext("已预约 %(number)s，理由已记入日志。", number=made.number), "ok")
        return go_to("reservations_pages.show", reservation_id=made.id)
    return _show(instrument, form, asked)


def _asked(form: Form, instrument: Instrument) -> _Asked | None:
    """Return who wants it when; None with the reason in the form."""
    if form.errors:
        return None
    start = form.data["starts_at"].replace(tzinfo=instrument.zone)
    try:
        organisation_id = _organisation(form, instrument)
        return _Asked(
            TimeSlot(start, start + timedelta(minutes=form.data["minutes"])),
            organisation_id,
            _person(form, organisation_id),
        )
    except ValidationError as refused:
        form.refuse(refused)
    return None


def _organisation(form: Form, instrument: Instrument) -> int:
    """Return the firm: one the institution has dealt with, or whose credit code one knows."""
    chosen, code = form.data["organisation"], form.data["uscc"]
    if code:
        try:
            return accounts.organisation_by_uscc(clean_uscc(code)).id
        except InvalidField as refused:
            raise unusable(refused.details["errors"]["uscc"][0], "uscc") from refused
        except NotFound as refused:
            raise unusable(N_("没有这个统一社会信用代码的单位。"), "uscc") from refused
    if chosen is None or chosen not in _known(instrument):
        raise unusable(N_("请选择单位，或填写它的统一社会信用代码。"), "organisation")
    return int(chosen)


def _person(form: Form, organisation_id: int) -> int | None:
    login = form.data["login"]
    if not login:
        return None
    found = accounts.user_by_login(login_name(login))
    if found is None or not accounts.current_memberships(organisation_id, found.id):
        raise unusable(N_("该单位没有使用这个登录名的人员。"), "login")
    return found.id


def _known(instrument: Instrument) -> dict[int, str]:
    """Return the own institution and those it has dealt with."""
    own = accounts.names_of([instrument.institution_id])
    return own | queries.firms_dealt_with(instrument.institution_id)


def _show(instrument: Instrument, form: Form, asked: _Asked | None = None) -> Response:
    examined: Examined | None = None
    if asked is not None:
        examined = service.examine(
            instrument.id,
            asked.slot,
            caller=caller(),
            organisation_id=asked.organisation_id,
            user_id=asked.user_id,
        )
    known = _known(instrument)
    page = render_template(
        "console/why.html",
        instrument=instrument,
        form=form,
        asked=asked,
        known=known,
        name=accounts.names_of([asked.organisation_id])[asked.organisation_id] if asked else "",
        may_book=asked is not None and asked.organisation_id in known,
        examined=examined,
    )
    return forms.answer(form, page)
