"""The working calendar: what differs from the week, what is provisional, edits and imports."""

from datetime import date

from flask import Response, flash, render_template, request
from flask_babel import gettext

from booking.accounts.auth import caller
from booking.admin.schemas import DayForm, ImportForm
from booking.admin.views.frame import admins_only, bp, go
from booking.kernel import clock, forms, http
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.reference import queries, rules, service


@bp.get("/admin/calendar")
@admins_only
def calendar() -> Response:
    """Show a year: its working days, and the days that differ from the week."""
    return _show(_year(), day_form=Form(), import_form=Form())


@bp.post("/admin/calendar/day")
@admins_only
def set_day() -> Response:
    """Say what one day is; later updates of the sources leave it alone."""
    form = forms.read(DayForm)
    if not form.errors:
        with form.refusals(), transaction():
            service.set_day(**form.data, by=caller().user_id)
            flash(gettext("%(day)s 已保存。", day=form.data["day"].isoformat()), "ok")
            return go("calendar", year=form.data["day"].year)
    return _show(_year_of(form), day_form=form, import_form=Form())


@bp.post("/admin/calendar/import")
@admins_only
def import_days() -> Response:
    """Read a list of days; shown first, kept when confirmed; all of it or nothing."""
    form = forms.read(ImportForm)
    listed, troubles = rules.read_days(form.value("days")) if not form.errors else ([], [])
    if troubles:
        form.status = 422
        form.errors["days"] = [http.translate(each) for each in troubles]
    is_sure = bool(request.form.get("sure"))
    if not form.errors and is_sure:
        with form.refusals(), transaction():
            count = service.import_days(
                listed, announced=bool(form.data["announced"]), by=caller().user_id
            )
            flash(gettext("已导入 %(count)s 天。", count=count), "ok")
            return go("calendar", year=listed[0].day.year)
    year = listed[0].day.year if listed else _year()
    return _show(year, day_form=Form(), import_form=form, preview=() if form.errors else listed)


def _show(year: int, *, day_form: Form, import_form: Form, preview: object = ()) -> Response:
    days = queries.list_days(date(year, 1, 1), date(year, 12, 31))
    form = day_form if day_form.errors else import_form
    page = render_template(
        "admin/calendar.html",
        year=year,
        # The chosen one and its neighbours: from one to the next one comes everywhere.
        years=range(max(rules.FIRST_YEAR, year - 1), min(service.last_year(), year + 1) + 1),
        unlike=[day for day in days if day.is_workday != rules.is_weekday(day.day) or day.name],
        working=sum(day.is_workday for day in days),
        provisional=sum(day.provisional for day in days),
        by_staff=sum(day.source == rules.STAFF for day in days),
        provisional_years=queries.provisional_years(),
        form=form,
        day_form=day_form,
        import_form=import_form,
        preview=preview,
    )
    return forms.answer(form, page)


def _year() -> int:
    text = request.args.get("year", "")
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else 0
    known = rules.FIRST_YEAR <= year <= service.last_year()
    return year if known else clock.today().year


def _year_of(form: Form) -> int:
    try:
        year = date.fromisoformat(form.value("day")).year
    except ValueError:
        return clock.today().year
    return year if rules.FIRST_YEAR <= year <= service.last_year() else clock.today().year
