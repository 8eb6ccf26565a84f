"""At the instrument and afterwards: begin, end, confirm, agree, object, settle."""

from collections.abc import Callable

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext

from booking.accounts.auth import caller
from booking.kernel import clock, forms
from booking.kernel.db import transaction
from booking.kernel.forms import Form, FormSchema
from booking.kernel.login import login_required
from booking.registry import queries as registry
from booking.reservations import queries, rules, service
from booking.reservations.models import Reservation
from booking.reservations.schemas import (
    FaultForm,
    FeeForm,
    MomentForm,
    NoteForm,
    ObjectionForm,
    RecordForm,
    SettlementForm,
    UsageForm,
    VersionForm,
)
from booking.reservations.views.frame import bp, go
from booking.reservations.views.shown import doing, facts, page_of


@bp.get("/instruments/<id:instrument_id>/check-in")
@login_required
def at_instrument(instrument_id: int) -> str | Response:
    """Lead from the code on the instrument to one's reservation there, or say there is none."""
    who = caller()
    mine = queries.usable_now(instrument_id, caller=who, now=clock.now())
    if mine and (doing(mine[0], who).start or doing(mine[0], who).end):
        return go("use_page", reservation_id=mine[0].id)
    instrument = registry.get_instrument(instrument_id, caller=who)
    return render_template("reservations/at_instrument.html", instrument=instrument, coming=mine)


@bp.get("/reservations/<id:reservation_id>/use")
@login_required
def use_page(reservation_id: int) -> str:
    """Show the one screen at the instrument: my slot and the big button."""
    return _use_page(queries.get_reservation(reservation_id, caller=caller()), Form())


def _use_page(found: Reservation, form: Form) -> str:
    return render_template(
        "reservations/use.html",
        earliest=found.starts_at - rules.EARLIEST_START,
        now=clock.now(),
        form=form,
        faults=queries.faults_of(found.id),
        **facts(found),
    )


@bp.post("/reservations/<id:reservation_id>/check-in")
@login_required
def start(reservation_id: int) -> Response:
    """Begin the use."""
    return _press(reservation_id, service.check_in, gettext("已开始使用。"))


@bp.post("/reservations/<id:reservation_id>/check-out")
@login_required
def end(reservation_id: int) -> Response:
    """End the use."""
    return _press(reservation_id, service.check_out, gettext("已结束使用，剩余时段已释放。"))


def _press(reservation_id: int, act: Callable[..., Reservation], said: str) -> Response:
    form = forms.read(MomentForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                act(reservation_id, caller=caller(), **form.data)
            flash(said, "ok")
            return redirect(_back(reservation_id), code=303)  # type: ignore[return-value]
    found = queries.get_reservation(reservation_id, caller=caller())
    return forms.answer(form, _use_page(found, form))


def _back(reservation_id: int) -> str:
    return forms.safe_next(url_for("reservations_pages.use_page", reservation_id=reservation_id))


@bp.post("/reservations/<id:reservation_id>/report-fault")
@login_required
def report_fault(reservation_id: int) -> Response:
    """Say what is wrong with the instrument, and whether it can still be used."""
    form = forms.read(FaultForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                service.report_fault(reservation_id, **form.data, caller=caller())
            flash(gettext("已报告，机构会尽快处理。"), "ok")
            return go("use_page", reservation_id=reservation_id)
    found = queries.get_reservation(reservation_id, caller=caller())
    return forms.answer(form, _use_page(found, form))


@bp.post("/reservations/<id:reservation_id>/no-show")
@login_required
def miss(reservation_id: int) -> Response:
    """Record that nobody came."""
    return _act(reservation_id, NoteForm, service.no_show, gettext("已登记为爽约，时段已释放。"))


@bp.post("/reservations/<id:reservation_id>/record")
@login_required
def record(reservation_id: int) -> Response:
    """Record a use afterwards."""
    form = forms.read(RecordForm)
    zone = queries.get_reservation(reservation_id, caller=caller()).instrument.zone
    for name in ("started_at", "ended_at"):
        if form.data.get(name) is not None:
            form.data[name] = form.data[name].replace(tzinfo=zone)
    return _finish(reservation_id, form, service.record_use, gettext("已补记，请核定用时。"))


@bp.post("/reservations/<id:reservation_id>/confirm-usage")
@login_required
def confirm(reservation_id: int) -> Response:
    """Confirm the minutes and so the fee."""
    return _act(
        reservation_id, UsageForm, service.confirm_usage, gettext("已核定，并通知企业核对。")
    )


@bp.post("/reservations/<id:reservation_id>/agree")
@login_required
def agree(reservation_id: int) -> Response:
    """Say that it is right."""
    return _act(reservation_id, VersionForm, service.agree, gettext("已核对无误。"))


@bp.post("/reservations/<id:reservation_id>/object")
@login_required
def object_to(reservation_id: int) -> Response:
    """Say what is not right."""
    return _act(
        reservation_id, ObjectionForm, service.object_to, gettext("异议已提交，机构会答复。")
    )


@bp.post("/reservations/<id:reservation_id>/settle")
@login_required
def settle(reservation_id: int) -> Response:
    """Record how it was paid."""
    return _act(reservation_id, SettlementForm, service.settle, gettext("已结算，节约费用已计入。"))


@bp.post("/reservations/<id:reservation_id>/settle-fee")
@login_required
def settle_fee(reservation_id: int) -> Response:
    """Record how a fee was dealt with."""
    return _act(reservation_id, FeeForm, service.settle_fee, gettext("已登记，并通知企业。"))


def _act(
    reservation_id: int, schema: type[FormSchema], act: Callable[..., Reservation], said: str
) -> Response:
    return _finish(reservation_id, forms.read(schema), act, said)


def _finish(
    reservation_id: int, form: Form, act: Callable[..., Reservation], said: str
) -> Response:
    """Do it and lead to the reservation, or show its page again with what was typed."""
    if not form.errors:
        with form.refusals():
            with transaction():
                act(reservation_id, caller=caller(), **form.data)
            flash(said, "ok")
            return go("show", reservation_id=reservation_id)
    return forms.answer(
        form, page_of(queries.get_reservation(reservation_id, caller=caller()), form)
    )
