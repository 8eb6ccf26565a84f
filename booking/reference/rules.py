"""Reading GB/T 2260 as python-stdnum ships it, and counting working days. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from booking.kernel.clock import CHINA
from booking.kernel.text import N_, Text

FIRST_YEAR = 2020
YEARS_AHEAD = 2
STAFF = "staff"

# Headings inside the code table, not places: nobody lives in "the districts" of a city.
HEADINGS = frozenset(
    {
        "市辖区",
        "市区",
        "县",
        "省直辖行政单位",
        "省直辖县级行政单位",
        "自治区直辖县级行政单位",
    }
)
_PROVINCE = re.compile(r'(\d\d) province="[^"]*"')
_UNIT = re.compile(r'  (\d{4}) county="([^"]*)"')
_PERIOD = re.compile(r"(?:\[(\d{4})?-(\d{4})?\])?(.+)")
_DAY = timedelta(days=1)


class RegionLevel(StrEnum):
    """The three levels of GB/T 2260."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"


@dataclass(frozen=True)
class RegionFacts:
    """What a code meant from one year to another; None is an open end."""

    code: str
    name: str
    level: RegionLevel
    parent_code: str | None
    valid_from: int | None
    valid_to: int | None


def read_regions(lines: Iterable[str]) -> list[RegionFacts]:
    """Return the units of GB/T 2260 with their periods; ValueError if the format is unknown.

    A county without a city of its own (直辖市, 省直辖县级) stands directly under its province.
    """
    units = [unit for unit in _units(lines) if unit.name not in HEADINGS]
    codes = {unit.code for unit in units}
    return [replace(unit, parent_code=_parent(unit, codes)) for unit in units]


def _units(lines: Iterable[str]) -> Iterator[RegionFacts]:
    province = ""
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        if heading := _PROVINCE.fullmatch(line.rstrip()):
            province = heading[1]
        elif province and (unit := _UNIT.fullmatch(line.rstrip())):
            yield from _periods(province + unit[1], unit[2])
        else:
            raise ValueError(f"not a line of the region list: {line!r}")


def _periods(code: str, names: str) -> Iterator[RegionFacts]:
    """Yield `[1983-1995]东区,[1996-]芙蓉区` as two."""
    for part in names.split(","):
        period = _PERIOD.fullmatch(part)
        if period is None:
            raise ValueError(f"not a name with its period: {part!r}")
        yield RegionFacts(
            code=code,
            name=period[3],
            level=_level(code),
            parent_code=None,
            valid_from=int(period[1]) if period[1] else None,
            valid_to=int(period[2]) if period[2] else None,
        )


def _level(code: str) -> RegionLevel:
    if code.endswith("0000"):
        return RegionLevel.PROVINCE
    return RegionLevel.CITY if code.endswith("00") else RegionLevel.COUNTY


def _parent(unit: RegionFacts, codes: set[str]) -> str | None:
    above = ancestors(unit.code)
    return next((code for code in reversed(above) if code in codes), None)


def ancestors(code: str) -> list[str]:
    """Return the codes a code can stand under, province first; they need not all exist."""
    found = [f"{code[:2]}0000", f"{code[:4]}00"]
    return [above for above in dict.fromkeys(found) if above != code]


def is_weekday(day: date) -> bool:
    """Tell whether the day is Monday to Friday: the rule where no calendar is known."""
    return day.weekday() < 5


def count_working_days(after: date, days: int, calendar: Mapping[date, bool]) -> date | None:
    """Return the working day that is `days` working days after a day, None past the calendar.

    The day itself never counts (a sample received today is due N working days later, domain §7).
    """
    day, left = after, days
    while left:
        day += _DAY
        if day not in calendar:
            return None
        left -= calendar[day]
    return day


OPENS, CLOSES = time(9), time(17)  # of an office that answers


def after_working_hours(start: datetime, hours: int, calendar: Mapping[date, bool]) -> datetime:
    """Return the instant so many working hours later: 9:00 to 17:00 in China on working days.

    Days the calendar does not know follow the weekday rule (domain §7).
    """
    at, left = start.astimezone(CHINA), timedelta(hours=hours)
    while True:
        day = at.date()
        begins = max(at, datetime.combine(day, OPENS, CHINA))
        ends = datetime.combine(day, CLOSES, CHINA)
        if calendar.get(day, is_weekday(day)) and begins < ends:
            if begins + left <= ends:
                return (begins + left).astimezone(UTC)
            left -= ends - begins
        at = datetime.combine(day + _DAY, OPENS, CHINA)


@dataclass(frozen=True)
class ListedDay:
    """A day as a list says it."""

    day: date
    is_workday: bool
    name: str | None


WORKED = frozenset({"班", "上班", "工作日", "work", "1"})
FREE = frozenset({"休", "休息", "放假", "off", "0"})
LONGEST_NAME, TROUBLES_NAMED = 50, 20


def read_days(text: str) -> tuple[list[ListedDay], list[Text]]:
    """Return the days of a list, one a line, and a sentence for each line that is none.

    `2027-02-06，休，春节` as it stands in a table or a text: commas of either width or tabs, words
    in Chinese or English.
    """
    found: dict[date, ListedDay] = {}
    troubles: list[Text] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            listed = _listed(line)
        except ValueError:
            troubles.append(
                N_("第 %(line)s 行应为“日期，班或休，名称”：%(text)s", line=number, text=line[:40])
            )
            continue
        if listed.day in found:
            troubles.append(
                N_("第 %(line)s 行的日期已经出现过：%(text)s", line=number, text=line[:40])
            )
        found[listed.day] = listed
    if len(troubles) > TROUBLES_NAMED:
        more = N_("还有 %(count)s 行有问题。", count=len(troubles) - TROUBLES_NAMED)
        troubles = [*troubles[:TROUBLES_NAMED], more]
    return sorted(found.values(), key=lambda each: each.day), troubles


def _listed(line: str) -> ListedDay:
    """Return the day of a line, or raise ValueError."""
    parts = [part.strip() for part in re.split(r"[,，\t]", line.strip(), maxsplit=2)]
    if len(parts) < 2 or (word := parts[1].lower()) not in WORKED | FREE:
        raise ValueError(line)
    year, month, day = map(int, re.split(r"[-/.年月]", parts[0].rstrip("日")))
    name = parts[2] if len(parts) > 2 else ""
    if len(name) > LONGEST_NAME:
        raise ValueError(line)
    return ListedDay(date(year, month, day), word in WORKED, name or None)
