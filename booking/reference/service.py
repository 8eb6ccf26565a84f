"""Seeding the code lists and the calendar, and setting a day by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select, update
from sqlalchemy import column as named
from sqlalchemy.dialects.postgresql import JSONB, insert

from booking.journal.service import record
from booking.kernel import clock
from booking.kernel.db import Model, db
from booking.reference import gateway
from booking.reference.errors import DayOutsideCalendar
from booking.reference.models import CalendarDay, Category, Industry, Region
from booking.reference.rules import FIRST_YEAR, STAFF, YEARS_AHEAD, ListedDay


def seed() -> dict[str, int]:
    """Bring all code lists and the calendar up to their sources; returns changed rows by table.

    May run at any time and any number of times: what has gone from a source is kept.
    """
    return {
        "regions": _upsert(
            Region, map(asdict, gateway.regions()), key=["code", "name", "valid_from"]
        ),
        "categories": _upsert(
            Category,
            (
                {"scheme": "nrii", "code": code, "name": name}
                for code, name in gateway.categories().items()
            ),
            key=["scheme", "code"],
        ),
        "industries": _upsert(Industry, _industries(), key=["code"]),
        "calendar_days": seed_days(),
    }


def seed_days() -> int:
    """Fill the calendar from 2020 to two years ahead; days that staff have set stay as they are."""
    days = gateway.days(FIRST_YEAR, last_year())
    rows = ({**asdict(day), "day": day.day.isoformat()} for day in days)
    return _upsert(CalendarDay, rows, key=["day"], only_where=CalendarDay.source != STAFF)


def last_year() -> int:
    """Return the last year that the calendar covers today."""
    return clock.today().year + YEARS_AHEAD


def set_day(day: date, *, is_workday: bool, name: str | None, by: int) -> CalendarDay:
    """Say what a day is, over what the sources say; raises DayOutsideCalendar."""
    if not FIRST_YEAR <= day.year <= last_year():
        raise DayOutsideCalendar(FIRST_YEAR, last_year())
    old = db.session.scalar(
        select(CalendarDay)
        .where(CalendarDay.day == day)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if old is None:
        old = CalendarDay(day=day, is_workday=is_workday, name=None, source=STAFF)
        db.session.add(old)
    before = {"is_workday": old.is_workday, "name": old.name, "source": old.source}
    old.is_workday, old.name, old.source, old.provisional = is_workday, name, STAFF, False
    record(
        "calendar_day.set",
        "calendar_day",
        int(f"{day:%Y%m%d}"),
        by=by,
        old=before,
        new={"is_workday": is_workday, "name": name, "source": STAFF},
    )
    db.session.flush()
    return old


def import_days(days: Sequence[ListedDay], *, announced: bool, by: int) -> int:
    """Take a list of days over what the sources say: all of it or nothing; returns how many.

    `announced`: what the list does not name is certain for its years too, and stays as it is when
    the sources are read again. Raises DayOutsideCalendar.
    """
    years = sorted({each.day.year for each in days})
    if any(not FIRST_YEAR <= year <= last_year() for year in years):
        raise DayOutsideCalendar(FIRST_YEAR, last_year())
    rows = [
        {
            "day": each.day.isoformat(),
            "is_workday": each.is_workday,
            "name": each.name,
            "source": STAFF,
            "provisional": False,
        }
        for each in days
    ]
    if rows:
        _upsert(CalendarDay, rows, key=["day"])
    if announced:
        db.session.execute(
            update(CalendarDay)
            .where(func.date_part("year", CalendarDay.day).in_(years), CalendarDay.provisional)
            .values(provisional=False, source=STAFF)
            .execution_options(synchronize_session=False)
        )
    for year in years:
        listed = [each for each in days if each.day.year == year]
        given = {each.day.isoformat(): [each.is_workday, each.name] for each in listed}
        record("calendar.imported", "calendar_year", year, by=by, announced=announced, days=given)
    return len(rows)


def _industries() -> Iterable[dict[str, Any]]:
    section = ""
    for code, name in gateway.industries().items():
        section = code if code.isalpha() else section
        yield {"code": code, "name": name, "section": section}


def _upsert(
    model: type[Model],
    rows: Iterable[dict[str, Any]],
    *,
    key: list[str],
    only_where: ColumnElement[bool] | None = None,
) -> int:
    """Insert or update the rows and return how many changed."""
    given = list(rows)
    columns = [column for column in model.__table__.columns if column.name in given[0]]
    # One parameter for thousands of rows: the database unpacks the JSON faster than we bind.
    source = (
        func.jsonb_to_recordset(literal(given, JSONB))
        .table_valued(*(named(column.name, column.type) for column in columns))
        .render_derived(name="source", with_types=True)
    )
    statement = insert(model).from_select([c.name for c in columns], select(source))
    values = [column for column in columns if column.name not in key]
    differs = or_(*(c.is_distinct_from(statement.excluded[c.name]) for c in values))
    statement = statement.on_conflict_do_update(
        index_elements=key,
        set_={column.name: statement.excluded[column.name] for column in values},
        where=differs if only_where is None else only_where & differs,
    )
    return len(db.session.execute(statement.returning(literal(1))).all())
