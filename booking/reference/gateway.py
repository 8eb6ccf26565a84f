"""The sources of our code lists: files in this package, python-stdnum and holidays."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import metadata, resources

from booking.reference.rules import RegionFacts, is_weekday, read_regions


@dataclass(frozen=True)
class DayFacts:
    """What a source says of one day."""

    day: date
    is_workday: bool
    name: str | None
    source: str
    provisional: bool


def regions() -> list[RegionFacts]:
    """Return GB/T 2260 from python-stdnum.

    Its list is LGPL-2.1+: it is read from the installed package at run time, not copied here.
    """
    source = resources.files("stdnum.cn").joinpath("loc.dat")
    with source.open(encoding="utf-8") as lines:
        return read_regions(lines)


def categories() -> dict[str, str]:
    """Return the 6-digit categories of scheme nrii: name by code."""
    return dict(_rows("nrii-categories.csv"))


def industries() -> dict[str, str]:
    """Return the sections and divisions of GB/T 4754-2017: name by code, in its order."""
    return dict(_rows("industries.csv"))


def _rows(name: str) -> Iterator[tuple[str, str]]:
    source = resources.files("booking.reference").joinpath("data", name)
    with source.open(encoding="utf-8") as lines:
        for row in csv.DictReader(line for line in lines if not line.startswith("#")):
            yield row["code"], row["name"]


def days(first_year: int, last_year: int) -> Iterator[DayFacts]:
    """Yield every day of the years as the holidays package knows it.

    A year without any worked weekend has not been announced yet (the State Council's notice
    comes around November): what we know of it are the statutory days, so it is provisional.
    """
    import holidays

    source = f"holidays {metadata.version('holidays')}"
    years = range(first_year, last_year + 1)
    known = holidays.country_holidays("CN", years=years, language="zh_CN")
    worked = {day for day in known.weekend_workdays if day.year in years}
    announced = {day.year for day in worked}
    day, end = date(first_year, 1, 1), date(last_year, 12, 31)
    while day <= end:
        yield DayFacts(
            day=day,
            is_workday=day in worked or (is_weekday(day) and day not in known),
            name="调休上班" if day in worked else known.get(day),
            source=source,
            provisional=day.year not in announced,
        )
        day += timedelta(days=1)
