"""REST for code lists and the working calendar; all reads are public."""

from datetime import date
from typing import Any

from flask import Response, request

from booking.kernel import login
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.kernel.paging import Page
from booking.reference import queries, service
from booking.reference.models import CalendarDay, Category, Industry, Region
from booking.reference.schemas import (
    CategoryPage,
    CategoryQuery,
    DayIn,
    DayOut,
    DayPage,
    DaysQuery,
    IndustryPage,
    RegionOut,
    RegionPage,
    RegionQuery,
)

bp = Blueprint("reference", __name__, description="行政区划、仪器分类、行业与工作日历")


@bp.get("/regions")
@bp.doc(security=[])
@bp.arguments(RegionQuery, location="query")
@bp.response(200, RegionPage)
def regions(query: dict[str, Any]) -> Page[dict[str, Any]]:
    """List the units below `parent`, or found by `q` (part of a name or code), or the provinces."""
    page = queries.list_regions(**query)
    return Page(items=_described(page.items), next_cursor=page.next_cursor)


@bp.get("/regions/<string:code>")
@bp.doc(security=[])
@bp.response(200, RegionOut)
def region(code: str) -> dict[str, Any]:
    """Show what a 6-digit code means today."""
    return _described([queries.get_region(code)])[0]


@bp.get("/categories")
@bp.doc(security=[])
@bp.arguments(CategoryQuery, location="query")
@bp.response(200, CategoryPage)
def categories(query: dict[str, Any]) -> Page[Category]:
    """List instrument categories by code prefix and part of the name."""
    return queries.list_categories(**query)


@bp.get("/industries")
@bp.doc(security=[])
@bp.response(200, IndustryPage)
def industries() -> Page[Industry]:
    """List the sections of GB/T 4754-2017, each followed by its divisions."""
    return Page(items=queries.list_industries())


@bp.get("/calendar-days")
@bp.doc(security=[])
@bp.arguments(DaysQuery, location="query")
@bp.response(200, DayPage)
def days(query: dict[str, Any]) -> Page[CalendarDay]:
    """List the days from `from` to `to`, both included, at most 400."""
    return Page(items=queries.list_days(**query))


@bp.put("/calendar-days/<string:day>")
@login_required
@bp.arguments(DayIn)
@bp.response(200, DayOut)
def set_day(data: dict[str, Any], day: str) -> CalendarDay:
    """Say whether a day is worked (platform administrators); later seeding leaves it alone."""
    by = login.administrator("reference")
    with transaction():
        return service.set_day(_date(day), **data, by=by)


@bp.after_request
def _cacheable(response: Response) -> Response:
    """Let code lists be kept for five minutes: they change a few times a year."""
    if request.method == "GET" and response.status_code == 200:
        response.headers["Cache-Control"] = "public, max-age=300"
    return response


def _described(items: Any) -> list[dict[str, Any]]:
    names = queries.region_names([item.code for item in items])
    return [_region(item, names[item.code]) for item in items]


def _region(item: Region, full_name: str) -> dict[str, Any]:
    return {
        "code": item.code,
        "name": item.name,
        "full_name": full_name,
        "level": item.level,
        "parent_code": item.parent_code,
        "valid_from": item.valid_from,
        "valid_to": item.valid_to,
    }


def _date(text: str) -> date:
    """Return the day in the address; anything but YYYY-MM-DD is no address of ours."""
    try:
        day = date.fromisoformat(text)
    except ValueError as exc:
        raise NotFound from exc
    if day.isoformat() != text:
        raise NotFound
    return day
