"""A series on a page: the rule, each date with what refuses it, and confirming what is left."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, flash, render_template, request
from flask_babel import gettext

from booking.accounts.auth import acting_organisation, caller
from booking.kernel import formats, forms, http
from booking.kernel.db import transaction
from booking.kernel.errors import DomainError, NotFound
from booking.kernel.login import login_required
from booking.reservations import service
from booking.reservations.rules.recurrence import MOST_OCCURRENCES, WEEKDAYS
from booking.reservations.service import Pattern, Series
from booking.reservations.views.basket import broken_of, sums
from booking.reservations.views.choice import Choice, read_choice
from booking.reservations.views.frame import bp, go

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY")
SKIP, KEEP = "skip", "keep"


@bp.get("/instruments/<id:instrument_id>/series")
@login_required
def series_page(instrument_id: int) -> Response:
    """Ask how the chosen slot repeats, and show each date before anything is booked."""
    return _page(read_choice(instrument_id, request.args), request.args)


@bp.post("/instruments/<id:instrument_id>/series")
@login_required
def series(instrument_id: int) -> Response:
    """Reserve all dates as chosen, or none and show again what is in the way."""
    choice, who = read_choice(instrument_id, request.form), caller()
    if choice.slot is None:
        return _page(choice, request.form)
    try:
        forms.check_token()
        with transaction():
            made = service.reserve_series(
                _pattern(choice, request.form),
                _choices(request.form),
                caller=who,
                organisation_id=acting_organisation(who),
                purpose=choice.purpose[:200],
            )
    except NotFound:
        raise
    except DomainError as refused:
        choice = read_choice(instrument_id, request.form)
        return _page(choice, request.form, refused)
    flash(gettext("%(count)s 个预约已一次确认。", count=len(made.reservations)), "ok")
    return go("group", group_id=made.group.id)


def _pattern(choice: Choice, given: Mapping[str, str]) -> Pattern:
    assert choice.slot is not None  # noqa: S101 - asked only with one
    rule = _rule(given)
    return Pattern(
        choice.instrument.id,
        choice.slot,
        rule,
        choice.samples,
        choice.is_assisted,
        choice.is_statutory,
    )


def _rule(given: Mapping[str, str]) -> str:
    freq = given.get("freq", "")
    parts = [f"FREQ={freq if freq in _FREQUENCIES else 'WEEKLY'}"]
    parts.append(f"INTERVAL={given.get('interval', '').strip() or 1}")
    days = [day for day in WEEKDAYS if day in request.values.getlist("weekday")]
    if days and freq == "WEEKLY":
        parts.append(f"BYDAY={','.join(days)}")
    parts.append(f"COUNT={given.get('count', '').strip() or 8}")
    return ";".join(parts)


def _choices(given: Mapping[str, str]) -> dict[int, datetime | None]:
    """Return what was chosen of each date: to leave it out, or another beginning."""
    found: dict[int, datetime | None] = {}
    for index in range(MOST_OCCURRENCES):
        chosen = given.get(f"date-{index}", KEEP)
        if chosen == SKIP:
            found[index] = None
        elif chosen != KEEP:
            try:
                start = datetime.fromisoformat(chosen)
            except ValueError:
                continue
            if start.tzinfo is not None and 2000 < start.year < 2099:
                found[index] = start
    return found


def _page(choice: Choice, given: Mapping[str, str], refused: DomainError | None = None) -> Response:
    who, found, trouble = caller(), None, _said(refused) if refused else ""
    status = http.status_of(type(refused)) if refused else 200
    if choice.slot is not None and "freq" in given:
        try:
            found = service.preview_series(
                _pattern(choice, given), caller=who, organisation_id=acting_organisation(who)
            )
        except NotFound:
            raise
        except DomainError as unusable:
            trouble = trouble or _said(unusable)
            status = http.status_of(type(unusable))
    page = render_template(
        "reservations/series.html",
        choice=choice,
        instrument=choice.instrument,
        written=choice.written(choice.slot.starts_at) if choice.slot else "",
        given={name: given.get(name, "") for name in ("freq", "interval", "count")},
        weekdays=_weekdays(choice),
        chosen_days=request.values.getlist("weekday"),
        trouble=trouble,
        most=MOST_OCCURRENCES,
        **_shown(found, given),
    )
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def _weekdays(choice: Choice) -> list[tuple[str, str]]:
    """Return the days of the week with their names in the reader's language."""
    monday = datetime(2024, 1, 1, 12, tzinfo=choice.zone)
    days = (monday.replace(day=1 + number) for number in range(7))
    return [(WEEKDAYS[day.weekday()], formats.weekday(day, choice.zone)) for day in days]


def _shown(found: Series | None, given: Mapping[str, str]) -> dict[str, Any]:
    occurrences = found.occurrences if found else ()
    rows = [
        {
            "occurrence": each,
            "broken": broken_of(each.judged),
            "chosen": given.get(f"date-{each.judged.index}", ""),
        }
        for each in occurrences
    ]
    return {"rows": rows, **sums([each.judged for each in occurrences if each.judged.bookable])}


def _said(refused: DomainError) -> str:
    by_field = refused.details.get("errors") or {}
    reasons = [http.translate(each) for found in by_field.values() for each in found]
    return " ".join(reasons) or http.translate(refused.message)
