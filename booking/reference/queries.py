"""Reads of code lists as they stand on a day, and of the working calendar."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from booking.kernel import clock, driver, paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.reference.models import CalendarDay, Category, Industry, Region
from booking.reference.rules import ancestors, count_working_days, is_weekday

Coded = TypeVar("Coded", Region, Category)
_DAY = timedelta(days=1)
# The meaning that holds in the year first, else the newest there ever was.
_REGION_NAMES = """
SELECT DISTINCT ON (code) code, name
  FROM regions
 WHERE code = ANY(%(codes)s)
 ORDER BY code,
          (coalesce(valid_from, %(year)s) <= %(year)s
           AND coalesce(valid_to, %(year)s) >= %(year)s) DESC,
          valid_from DESC NULLS LAST, id DESC
"""


def find_region(code: str, on: date | None = None) -> Region | None:
    """Return what the code means on the day (today if none is given), or None.

    Periods are kept by year, so in the year of a change a code may mean the old and the new
    unit: the newer one is returned.
    """
    query = _valid(on).where(Region.code == code).order_by(*_NEWEST).limit(1)
    return db.session.scalar(query)


def get_region(code: str, on: date | None = None) -> Region:
    """Return what the code means on the day, or raise NotFound."""
    found = find_region(code, on)
    if found is None:
        raise NotFound
    return found


def region_exists(code: str, on: date | None = None) -> bool:
    """Tell whether the code means something on the day."""
    return find_region(code, on) is not None


def region_name(code: str, on: date | None = None) -> str | None:
    """Return the place in full, `湖南省 长沙市 岳麓区`, or None if the code never existed."""
    return region_names([code], on).get(code)


def region_names(codes: Collection[str] | None, on: date | None = None) -> dict[str, str]:
    """Return places in full by code, in one query; unknown codes are left out.

    A code that is no longer valid keeps the last name it had. None: all that are valid.
    """
    if codes is None:
        codes = db.session.scalars(select(Region.code).where(_holds(on)).distinct()).all()
    wanted = {code: [*ancestors(code), code] for code in codes}
    every = {part for parts in wanted.values() for part in parts}
    values = {"codes": list(every), "year": (on or clock.today()).year}
    names: dict[str, str] = dict(driver.rows(_REGION_NAMES, values))
    return {
        code: " ".join(names[part] for part in parts if part in names)
        for code, parts in wanted.items()
        if code in names
    }


def list_regions(
    *,
    limit: int,
    cursor: str | None,
    parent: str | None = None,
    q: str | None = None,
    on: date | None = None,
) -> paging.Page[Region]:
    """Return a page of units: children of `parent`, or by part of a name or code, or provinces."""
    query = _valid(on)
    if parent is not None:
        query = query.where(Region.parent_code == parent)
    elif not q:
        query = query.where(Region.parent_code.is_(None))
    if q:
        query = query.where(
            or_(
                Region.name.contains(q, autoescape=True), Region.code.startswith(q, autoescape=True)
            )
        )
    if cursor is not None:
        query = query.where(Region.code > paging.decode(cursor, str)[0])
    query = query.order_by(Region.code, *_NEWEST).limit(limit + 1)
    return _page(db.session.scalars(query.ext(distinct_on(Region.code))).all(), limit)


def regions_within(prefix: str, on: date | None = None) -> Sequence[Region]:
    """Return every unit whose code begins so, in the order of codes: each city before its own."""
    query = _valid(on).where(Region.code.startswith(prefix, autoescape=True))
    query = query.order_by(Region.code, *_NEWEST)
    return db.session.scalars(query.ext(distinct_on(Region.code))).all()


def find_category(code: str, scheme: str = "nrii") -> Category | None:
    """Return the category with this 6-digit code, or None."""
    return db.session.get(Category, (scheme, code))


def list_categories(
    *, limit: int, cursor: str | None, prefix: str | None = None, q: str | None = None
) -> paging.Page[Category]:
    """Return a page of categories by code, filtered by code prefix and part of the name."""
    query = select(Category).where(Category.scheme == "nrii")
    if prefix:
        query = query.where(Category.code.startswith(prefix, autoescape=True))
    if q:
        query = query.where(Category.name.contains(q, autoescape=True))
    if cursor is not None:
        query = query.where(Category.code > paging.decode(cursor, str)[0])
    return _page(db.session.scalars(query.order_by(Category.code).limit(limit + 1)).all(), limit)


def find_industry(code: str) -> Industry | None:
    """Return the section (letter) or division (2 digits) of GB/T 4754, or None."""
    return db.session.get(Industry, code)


def list_industries() -> Sequence[Industry]:
    """Return all sections, each followed by its divisions."""
    is_division = Industry.code != Industry.section
    return db.session.scalars(
        select(Industry).order_by(Industry.section, is_division, Industry.code)
    ).all()


def list_days(first: date, last: date) -> Sequence[CalendarDay]:
    """Return the days of the calendar from first to last, both included."""
    return db.session.scalars(
        select(CalendarDay).where(CalendarDay.day.between(first, last)).order_by(CalendarDay.day)
    ).all()


def workdays(first: date, last: date) -> dict[date, bool]:
    """Tell of every day from first to last whether it is worked.

    Days beyond the calendar follow the weekday rule (domain §7).
    """
    rows = db.session.execute(
        select(CalendarDay.day, CalendarDay.is_workday).where(CalendarDay.day.between(first, last))
    )
    known = dict(rows.all())
    days = (first + _DAY * offset for offset in range((last - first).days + 1))
    return {day: known.get(day, is_weekday(day)) for day in days}


def add_working_days(day: date, n: int) -> date:
    """Return the n-th working day after the day, which never counts itself; n = 0 is the day.

    Raises ValueError if n is negative.
    """
    if n < 0:
        raise ValueError("working days are counted forward")
    reach = 2 * n + 30
    while True:
        calendar = workdays(day + _DAY, day + _DAY * reach)
        found = count_working_days(day, n, calendar)
        if found is not None:
            return found
        reach *= 2


def provisional_years() -> list[int]:
    """Return the years of the calendar whose 调休 has not been announced."""
    year = func.date_part("year", CalendarDay.day)
    query = select(year).where(CalendarDay.provisional).distinct().order_by(year)
    return [int(found) for found in db.session.scalars(query)]


_NEWEST = (Region.valid_from.desc().nulls_last(), Region.id.desc())


def _valid(on: date | None) -> Select[Region]:
    return select(Region).where(_holds(on))


def _holds(on: date | None) -> ColumnElement[bool]:
    year = (on or clock.today()).year
    return and_(
        func.coalesce(Region.valid_from, year) <= year,
        func.coalesce(Region.valid_to, year) >= year,
    )


def _page(rows: Sequence[Coded], limit: int) -> paging.Page[Coded]:
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].code) if more else None
    )
