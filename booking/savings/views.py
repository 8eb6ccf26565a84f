"""Pages of savings: what was saved this year and how it was computed, and one line's evidence."""

from calendar import monthrange
from datetime import date
from functools import partial
from typing import Any

from flask import render_template, request

from booking.accounts.auth import caller
from booking.accounts.rules import Caller
from booking.kernel import clock, pages
from booking.kernel.errors import InvalidField
from booking.kernel.login import login_required
from booking.kernel.money import Money
from booking.registry import queries as registry
from booking.savings import queries, rules
from booking.savings.queries import Only, Period
from booking.savings.schemas import FIRST_YEAR, shown

bp = pages.Blueprint("savings_pages", __name__)
SHOWN = 50


@bp.get("/savings")
@login_required
def index() -> str:
    """Show a year of savings: the sum with its formula, the months, every line."""
    who, this_year = caller(), clock.today().year
    year = _year(this_year)
    period = Period(*queries.ends_of(year))
    cursor = request.args.get("cursor") or None
    months = queries.by_month(caller=who, year=year)
    month, only = _month(), _only()
    listed = partial(
        queries.list_lines, caller=who, limit=SHOWN, period=_within(year, month), only=only
    )
    try:
        page = listed(cursor=cursor)
    except InvalidField:
        page = listed(cursor=None)
    return render_template(
        "savings/index.html",
        year=year,
        this_year=this_year,
        totals=queries.totals(caller=who, period=period),
        plot=_plot(months[: clock.today().month] if year == this_year else months),
        lines=page.items,
        next_cursor=page.next_cursor,
        buys=_buys,
        chosen_month=date(year, month, 1) if month else None,
        scope=only,
        **_avoided(who, year),
    )


def _avoided(who: Caller, year: int) -> dict[str, Any]:
    """Return the reference values of the year, by class."""
    classes, left_out = rules.avoided(queries.hours_used(caller=who, year=year))
    names = registry.category_names({each.category for each in classes})
    return {
        "avoided": [(names.get(each.category, each.category), shown(each)) for each in classes],
        "avoided_total": Money(sum(each.value for each in classes)),
        "left_out": left_out,
        "parameters": rules.PARAMETERS,
    }


def _only() -> Only | None:
    asked = request.args.get("scope", "")
    return Only(asked) if asked in set(Only) else None


def _month() -> int | None:
    given = request.args.get("month", "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) <= 2 else 0
    return number if number in range(1, 13) else None


def _within(year: int, month: int | None) -> Period:
    first, last = queries.ends_of(year)
    if month is None:
        return Period(first, last)
    ends = date(year, month, monthrange(year, month)[1])
    return Period(date(year, month, 1), ends)


def _buys(line: Any) -> bool:
    return line.organisation_id in caller().organisations


def _year(this_year: int) -> int:
    given = request.args.get("year", "")
    is_number = given.isascii() and given.isdigit() and len(given) == len("2026")
    year = int(given) if is_number else this_year
    return year if FIRST_YEAR <= year <= this_year else this_year


def _plot(months: list[queries.Month]) -> list[tuple[queries.Month, float]]:
    """Return the months with the lengths of their bars in percent; what was lost has none."""
    most = max((month.saved.minor for month in months), default=0)
    return [
        (month, 100 * max(month.saved.minor, 0) / most if most > 0 else 0.0) for month in months
    ]


@bp.get("/savings/<id:line_id>")
@login_required
def show(line_id: int) -> str:
    """Show one line: its identity, its evidence, and what was corrected."""
    line = queries.get_line(line_id, caller=caller())
    if line.corrects_id is not None:
        line = queries.get_line(line.corrects_id, caller=caller())
    return render_template(
        "savings/show.html",
        line=line,
        corrections=queries.corrections(line),
        stands=queries.stands(line),
    )
