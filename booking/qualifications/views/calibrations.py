"""An instrument's verifications and calibrations: what holds, the history, recording more."""

from flask import Response, flash, render_template
from flask_babel import gettext

from booking.accounts.auth import caller
from booking.accounts.rules import Permission, require
from booking.files.errors import FileRefused
from booking.kernel import clock, forms, uploads
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.qualifications import queries, rules, service
from booking.qualifications.rules import CalibrationKind
from booking.qualifications.schemas import CalibrationForm, ExtensionForm, WithdrawForm
from booking.qualifications.views.frame import bp, go
from booking.registry import queries as registry
from booking.registry.models import Instrument


@bp.get("/institution/instruments/<id:instrument_id>/calibrations")
@login_required
def calibrations_page(instrument_id: int) -> Response:
    """List an instrument's verifications and calibrations, and offer to record one."""
    return _show(instrument_id, Form())


@bp.post("/institution/instruments/<id:instrument_id>/calibrations")
@login_required
@uploads.large
def record(instrument_id: int) -> Response:
    """Record a verification or calibration with its certificate's file."""
    _own(instrument_id)
    form = uploads.read(CalibrationForm)
    if form.errors:
        return _show(instrument_id, form)
    if forms.came_before():
        return go("calibrations_page", instrument_id=instrument_id)
    with form.refusals():
        try:
            with transaction():
                service.record_calibration(
                    instrument_id, **form.data, file=uploads.chosen("file"), caller=caller()
                )
        except FileRefused as refused:
            form.refuse_field("file", refused)
        else:
            flash(gettext("已登记。预约按最新的有效期判断。"), "ok")
            return go("calibrations_page", instrument_id=instrument_id)
    return _show(instrument_id, form)


@bp.post("/institution/instruments/<id:instrument_id>/calibrations/<id:calibration_id>/withdraw")
@login_required
def withdraw_record(instrument_id: int, calibration_id: int) -> Response:
    """Let a record that is wrong count no longer."""
    _own(instrument_id)
    form = forms.read(WithdrawForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                service.withdraw_calibration(
                    instrument_id, calibration_id, **form.data, caller=caller()
                )
            flash(gettext("记录已作废，仍留在历史中。"), "ok")
            return go("calibrations_page", instrument_id=instrument_id)
    return _show(instrument_id, form, about=calibration_id)


@bp.post("/institution/instruments/<id:instrument_id>/calibrations/<id:calibration_id>/extend")
@login_required
def extend(instrument_id: int, calibration_id: int) -> Response:
    """Answer, by name, for using the instrument beyond its calibration's end."""
    _own(instrument_id)
    form = forms.read(ExtensionForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                service.extend(
                    instrument_id,
                    calibration_id,
                    form.data["until"],
                    reason=form.data["extension_reason"],
                    caller=caller(),
                )
            flash(gettext("已登记延用，由您负责。"), "ok")
            return go("calibrations_page", instrument_id=instrument_id)
    return _show(instrument_id, form)


@bp.post("/institution/instruments/<id:instrument_id>/calibrations/<id:calibration_id>/revoke")
@login_required
def revoke(instrument_id: int, calibration_id: int) -> Response:
    """Take back whatever extends a calibration."""
    _own(instrument_id)
    form = Form()
    with form.refusals():
        forms.check_token()
        with transaction():
            service.revoke_extensions(instrument_id, calibration_id, caller=caller())
        flash(gettext("已取消延用。"), "ok")
        return go("calibrations_page", instrument_id=instrument_id)
    return _show(instrument_id, form)


def _own(instrument_id: int) -> Instrument:
    """Return an instrument whose records the caller looks after; others' are not found."""
    who = caller()
    found = registry.get_instrument(instrument_id, caller=who)
    if found.institution_id not in who.organisations:
        raise NotFound
    require(who, Permission.MANAGE_INSTRUMENTS, found.institution_id)
    return found


def _show(instrument_id: int, form: Form, about: int | None = None) -> Response:
    instrument = _own(instrument_id)
    records = queries.calibrations_of(instrument_id)
    current = queries.current(records)
    page = render_template(
        "qualifications/calibrations.html",
        instrument=instrument,
        form=form,
        about=about,
        records=records,
        current={kind.value: found for kind, found in current.items()},
        extension=queries.extension_of(current.get(CalibrationKind.CALIBRATION)),
        today=clock.now().astimezone(instrument.zone).date(),
        soon=rules.SOON_DAYS,
    )
    return forms.answer(form, page)
