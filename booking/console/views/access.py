"""Whose reservations of an instrument need approval, and who may operate it by themselves."""

from flask import Response, flash, render_template
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.authorisations.rules import Operation
from booking.availability import queries, service
from booking.availability.rules import ApprovalMode, ApprovalRule
from booking.console.schemas import ApprovalForm, OperationForm
from booking.console.views.frame import bp, go, own_instrument
from booking.kernel import forms
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.kernel.login import login_required


@bp.get("/institution/instruments/<id:instrument_id>/approval")
@login_required
def access_page(instrument_id: int) -> Response:
    """Show the rule in words, and ready to be changed."""
    return _show(instrument_id, None)


@bp.post("/institution/instruments/<id:instrument_id>/approval")
@login_required
def set_approval(instrument_id: int) -> Response:
    """Set it; refused, everything typed stays."""
    own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    form = forms.read(ApprovalForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                service.set_approval(instrument_id, **form.data, caller=caller())
            flash(gettext("审批规则已保存，已有预约不受影响。"), "ok")
            return go("access_page", instrument_id=instrument_id)
    return _show(instrument_id, form)


@bp.post("/institution/instruments/<id:instrument_id>/operation")
@login_required
def set_operation(instrument_id: int) -> Response:
    """Set how it may be used."""
    own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    form = forms.read(OperationForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                service.set_operation(instrument_id, **form.data, caller=caller())
            flash(gettext("使用方式已保存，已有预约不受影响。"), "ok")
            return go("access_page", instrument_id=instrument_id)
    return _show(instrument_id, form)


def _show(instrument_id: int, form: Form | None) -> Response:
    instrument = own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    sheet = queries.find_schedule(instrument)
    rule = sheet.schedule.approval if sheet else ApprovalRule()
    version = str(sheet.schedule.version) if sheet else ""
    shown = form or Form(values=_typed(rule))
    if "mode" not in shown.values:  # the other form of the page was sent
        shown.values = MultiDict([*_typed(rule).items(), *shown.values.items()])
    page = render_template(
        "console/approval.html",
        instrument=instrument,
        form=shown,
        rule=rule,
        modes=[mode.value for mode in ApprovalMode],
        operation=sheet.schedule.operation.value if sheet else "",
        operations=[each.value for each in Operation],
        # After a conflict the next try counts as having seen what stands now.
        version=version,
        is_set=sheet is not None,
    )
    return forms.answer(shown, page)


def _typed(rule: ApprovalRule) -> MultiDict[str, str]:
    """Return a rule as it would be typed."""
    return MultiDict(
        {
            "mode": rule.mode.value,
            "over_minutes": str(rule.over_minutes or ""),
            "over_price": rule.over_price.amount if rule.over_price else "",
            "hold_working_hours": str(rule.hold_working_hours),
        }
    )
