"""When an instrument of one's institution is open, and on which terms it is booked."""

from typing import Any

from flask import Response, flash, render_template
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.availability import queries, service
from booking.availability.queries import ScheduleSheet
from booking.availability.rules import GRIDS, Terms
from booking.availability.schemas import WEEKDAYS
from booking.console.schemas import HoursForm, typed_terms, written_hours
from booking.console.views.frame import bp, go, own_instrument
from booking.kernel import clock, forms
from booking.kernel.db import transaction
from booking.kernel.errors import Conflict
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.text import N_


@bp.get("/institution/instruments/<id:instrument_id>/hours")
@login_required
def hours_page(instrument_id: int) -> Response:
    """Show the week, the days that differ and the terms, ready to be changed."""
    instrument = own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    return _show(instrument_id, Form(values=_typed(queries.find_schedule(instrument))))


@bp.post("/institution/instruments/<id:instrument_id>/hours")
@login_required
def set_hours(instrument_id: int) -> Response:
    """Set them; refused, everything typed stays and what is wrong stands beside it."""
    own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    form = forms.read(HoursForm)
    if not form.errors:
        with form.refusals():
            _set(instrument_id, **form.data)
            flash(gettext("开放时间已保存，已有预约不受影响。"), "ok")
            return go("hours_page", instrument_id=instrument_id)
    return _show(instrument_id, form)


def _set(instrument_id: int, *, version: int | None, **given: Any) -> None:
    with transaction():
        # Locked, so that the days that differ, which this page only shows, are not lost.
        instrument = own_instrument(instrument_id, Permission.RUN_INSTRUMENTS, for_update=True)
        standing = queries.find_schedule(instrument)
        if version != (standing.schedule.version if standing else None):
            raise Conflict(
                N_("您填写时有人改过开放时间，还没有保存。请与现在的设置核对，再保存以您填的为准。")
            )
        service.set_schedule(
            instrument_id,
            **given,
            special_days=standing.special_days if standing else {},
            caller=caller(),
            version=version,
        )


def _show(instrument_id: int, form: Form) -> Response:
    instrument = own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    sheet = queries.find_schedule(instrument)
    is_overtaken = form.status == 409
    seen = form.value("version")
    page = render_template(
        "console/hours.html",
        instrument=instrument,
        form=form,
        weekdays=WEEKDAYS,
        grids=sorted(GRIDS),
        special_days=_special(sheet),
        overtaken=_typed(sheet) if is_overtaken else None,
        version=str(sheet.schedule.version) if is_overtaken and sheet else seen,
        is_set=sheet is not None,
    )
    return forms.answer(form, page)


def _typed(sheet: ScheduleSheet | None) -> MultiDict[str, str]:
    """Return a schedule as it would be typed; the usual terms if there is none."""
    values = typed_terms(sheet.terms if sheet else Terms())
    week = sheet.week if sheet else {}
    values |= {name: written_hours(week.get(day, ())) for day, name in enumerate(WEEKDAYS)}
    if sheet:
        values["version"] = str(sheet.schedule.version)
    return MultiDict(values)


def _special(sheet: ScheduleSheet | None) -> list[tuple[Any, str, str]]:
    """Return the days from today on that differ from the week: day, hours, reason."""
    if sheet is None:
        return []
    return [
        (day, written_hours(hours), reason)
        for day, (hours, reason) in sheet.special_days.items()
        if day >= clock.today()
    ]
