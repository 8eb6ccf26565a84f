"""When an instrument of one's institution is open, and on which terms it is booked."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Response, flash, render_template, request
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.availability import queries, service
from booking.availability.queries import ScheduleSheet
from booking.availability.rules import GRIDS, Interval, Terms
from booking.availability.schemas import WEEKDAYS
from booking.console.queries import Ahead, days_ahead
from booking.console.schemas import DayHours, HoursForm, typed_terms, written_hours
from booking.console.views.frame import bp, go, own_instrument
from booking.kernel import clock, forms
from booking.kernel.db import transaction
from booking.kernel.errors import Conflict
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.schema import unusable
from booking.kernel.text import N_, Text
from booking.registry.models import Instrument

MOST_ROWS, SPARE_ROWS = 100, 3
LONGEST_REASON = 100
SpecialDays = dict[date, tuple[Sequence[Interval], str]]


@bp.get("/institution/instruments/<id:instrument_id>/hours")
@login_required
def hours_page(instrument_id: int) -> Response:
    """Show the week, the days that differ and the terms, ready to be changed."""
    instrument = own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    return _show(instrument_id, Form(values=_typed(queries.find_schedule(instrument))))


@bp.post("/institution/instruments/<id:instrument_id>/hours")
@login_required
def set_hours(instrument_id: int) -> Response:
    """Set them, or only show the next days by them; refused, everything typed stays."""
    own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    form = forms.read(HoursForm)
    days = typed_days(form)
    if not form.errors and "preview" not in request.form:
        with form.refusals():
            _set(instrument_id, days, **form.data)
            flash(gettext("开放时间已保存，已有预约不受影响。"), "ok")
            return go("hours_page", instrument_id=instrument_id)
    return _show(instrument_id, form, days)


def typed_days(form: Form) -> SpecialDays | None:
    """Return the special days as typed, with what is wrong beside them; None if none were sent."""
    if "special-rows" not in form.values:
        return None
    found: SpecialDays = {}
    for n in range(MOST_ROWS):
        on = form.value(f"special-{n}-day").strip()
        hours, reason = form.value(f"special-{n}-hours"), form.value(f"special-{n}-reason")
        if not on and not hours.strip():
            continue
        try:
            day = date.fromisoformat(on)
            if day in found:
                raise unusable(N_("同一天只能填写一次。"))
            found[day] = (DayHours().deserialize(hours), " ".join(reason.split())[:LONGEST_REASON])
        except ValidationError as refused:
            form.refuse(ValidationError(refused.messages, f"special-{n}-day"))
        except ValueError:
            form.refuse(ValidationError([N_("请选择日期。")], f"special-{n}-day"))
    return found


def _set(
    instrument_id: int, days: SpecialDays | None, *, version: int | None, **given: Any
) -> None:
    with transaction():
        # Locked, so that the days that are over, which this page does not show, are not lost.
        instrument = own_instrument(instrument_id, Permission.RUN_INSTRUMENTS, for_update=True)
        standing = queries.find_schedule(instrument)
        if version != (standing.schedule.version if standing else None):
            raise Conflict(
                N_("您填写时有人改过开放时间，还没有保存。请与现在的设置核对，再保存以您填的为准。")
            )
        service.set_schedule(
            instrument_id,
            **given,
            special_days=_all_days(standing, days),
            caller=caller(),
            version=version,
        )


def _all_days(standing: ScheduleSheet | None, days: SpecialDays | None) -> SpecialDays:
    """Return what was typed with the days that are over; what stands if nothing was sent."""
    kept: SpecialDays = dict(standing.special_days) if standing else {}
    if days is None:
        return kept
    return {day: of for day, of in kept.items() if day < clock.today()} | days


def _show(instrument_id: int, form: Form, days: SpecialDays | None = None) -> Response:
    instrument = own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    sheet = queries.find_schedule(instrument)
    is_overtaken = form.status == 409
    page = render_template(
        "console/hours.html",
        instrument=instrument,
        form=form,
        weekdays=WEEKDAYS,
        grids=sorted(GRIDS),
        rows=_rows(form),
        ahead=_ahead(instrument, sheet, form, days),
        unbookable=_unbookable(instrument, sheet, form, days),
        is_typed=bool(form.data),
        written=written_hours,
        overtaken=_typed(sheet) if is_overtaken else None,
        version=str(sheet.schedule.version) if is_overtaken and sheet else form.value("version"),
        is_set=sheet is not None,
    )
    return forms.answer(form, page)


def _ahead(
    instrument: Instrument, sheet: ScheduleSheet | None, form: Form, days: SpecialDays | None
) -> Ahead | None:
    """Return the next days by what was typed, else by what is set; None while neither is sound."""
    if form.data and not form.errors:
        return days_ahead(
            instrument,
            form.data["week"],
            _all_days(sheet, days),
            observes_holidays=form.data["terms"].observes_holidays,
        )
    if form.errors or sheet is None:
        return None
    holidays = sheet.schedule.observes_holidays
    return days_ahead(instrument, sheet.week, sheet.special_days, observes_holidays=holidays)


def _unbookable(
    instrument: Instrument, sheet: ScheduleSheet | None, form: Form, days: SpecialDays | None
) -> list[Text]:
    """Return why nobody could book by these hours and the policy that stands, if so."""
    if form.errors or sheet is None:
        return []
    if not form.data:
        return queries.why_unbookable(instrument, clock.now())
    return queries.why_unbookable(
        instrument,
        clock.now(),
        terms=form.data["terms"],
        week=form.data["week"],
        special={day: hours for day, (hours, _) in _all_days(sheet, days).items()},
    )


def _rows(form: Form) -> list[int]:
    """Return the numbers of the rows for special days: those filled in, and some to fill in."""
    filled = [n for n in range(MOST_ROWS) if form.value(f"special-{n}-day")]
    return list(range(min(MOST_ROWS, max(filled, default=-1) + 1 + SPARE_ROWS)))


def _typed(sheet: ScheduleSheet | None) -> MultiDict[str, str]:
    """Return a schedule as it would be typed; the usual terms if there is none."""
    values = typed_terms(sheet.terms if sheet else Terms())
    week = sheet.week if sheet else {}
    values |= {name: written_hours(week.get(day, ())) for day, name in enumerate(WEEKDAYS)}
    if sheet:
        values["version"] = str(sheet.schedule.version)
        coming = [each for each in sheet.special_days.items() if each[0] >= clock.today()]
        for n, (day, (hours, reason)) in enumerate(coming):
            values[f"special-{n}-day"] = day.isoformat()
            values[f"special-{n}-hours"] = written_hours(hours)
            values[f"special-{n}-reason"] = reason
    return MultiDict(values)
