"""Recurring dates by a small part of RFC 5545's RRULE, on the instrument's wall. Pure.

A rule comes from outside, so it is read by a grammar of our own that knows days, weeks and months
only, and it is matched against at most `LONGEST_DAYS` days: whatever it says, it ends at once.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from booking.kernel.errors import InvalidField
from booking.kernel.text import N_, Text
from booking.reservations.rules.slots import Violation

MOST_OCCURRENCES = 60
MOST_INTERVAL = 99
LONGEST_DAYS = 732  # no instrument can be booked further ahead than a year
LONGEST_RULE = 200
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PART = re.compile(r"([A-Z]{3,10})=([A-Z0-9,+-]{1,80})")
_BYDAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY")
_KNOWN = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY"})


@dataclass(frozen=True)
class Recurrence:
    """A rule that was read and can be kept."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: date | None = None
    by_day: tuple[tuple[int | None, int], ...] = ()  # which of the month, and weekday from 0
    by_month_day: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """Return it as RFC 5545 writes it, always the same for the same rule."""
        parts = [f"FREQ={self.freq}"]
        if self.interval > 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.by_day:
            named = (f"{nth or ''}{WEEKDAYS[day]}" for nth, day in self.by_day)
            parts.append(f"BYDAY={','.join(named)}")
        if self.by_month_day:
            parts.append(f"BYMONTHDAY={','.join(map(str, self.by_month_day))}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            parts.append(f"UNTIL={self.until:%Y%m%d}")
        return ";".join(parts)


def parse(rule: str) -> Recurrence:
    """Return the rule, or raise InvalidField that says which part cannot be used and why."""
    parts = _parts(rule)
    freq = parts.get("FREQ", "")
    if freq not in _FREQUENCIES:
        raise _no(N_("FREQ 须为 DAILY（每天）、WEEKLY（每周）或 MONTHLY（每月）。"))
    count, until = _count(parts), _until(parts)
    if (count is None) == (until is None):
        raise _no(N_("请写明重复几次（COUNT）或到哪天为止（UNTIL），两者择一。"))
    by_day, by_month_day = _by_day(parts, freq), _by_month_day(parts, freq)
    if by_day and by_month_day:
        raise _no(N_("BYDAY 和 BYMONTHDAY 不能同时使用。"))
    return Recurrence(
        freq,
        _number(parts, "INTERVAL", most=MOST_INTERVAL) or 1,
        count,
        until,
        by_day,
        by_month_day,
    )


def dates(recurrence: Recurrence, first: date) -> list[date]:
    """Return its dates from the first day on, or raise InvalidField: none, too many, too far."""
    found: list[date] = []
    last = first + timedelta(days=LONGEST_DAYS)
    if recurrence.until is not None and recurrence.until > last:
        raise _no(_TOO_FAR)
    last = recurrence.until or last
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if _matches(recurrence, first, day):
            found.append(day)
            if len(found) > MOST_OCCURRENCES:
                raise _no(_TOO_MANY)
            if len(found) == recurrence.count:
                return found
    if not found:
        raise _no(N_("没有一天符合这个重复规则。"))
    if recurrence.count is not None:
        raise _no(_TOO_FAR)
    return found


def at_wall_once(day: date, wall: datetime, zone: ZoneInfo) -> tuple[datetime, bool]:
    """Return the instant of a wall-clock time on a day, and whether that time comes just once.

    A time that DST skips moves forward by what was skipped; of a repeated one it is the first.
    """
    local = datetime.combine(day, wall.time(), zone)
    instant = local.astimezone(UTC)
    back = instant.astimezone(zone).replace(tzinfo=None)
    repeats = local.utcoffset() != local.replace(fold=1).utcoffset()
    return instant, back == local.replace(tzinfo=None) and not repeats


def no_such_time(wall: datetime) -> Violation:
    """Return what is said of a date on which a time does not come just once."""
    return Violation(
        "no_such_time",
        N_("这一天因夏令时换时，%(time)s 不存在或出现两次，请另选时间。", time=f"{wall:%H:%M}"),
    )


_TOO_MANY = N_("一个系列最多 %(most)s 次，请缩短或分成几个系列。", most=MOST_OCCURRENCES)
_TOO_FAR = N_("系列须在 %(days)s 天以内结束，请减少次数或间隔。", days=LONGEST_DAYS)


def _no(reason: Text) -> InvalidField:
    return InvalidField("rule", reason)


def _parts(rule: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for written in rule.removeprefix("RRULE:").split(";") if len(rule) <= LONGEST_RULE else ():
        match = _PART.fullmatch(written)
        if match is None or match[1] not in _KNOWN or match[1] in found:
            raise _no(
                N_(
                    "重复规则中“%(part)s”不能使用。可用 FREQ、INTERVAL、COUNT、UNTIL、"
                    "BYDAY、BYMONTHDAY，各一次。",
                    part=written[:40],
                )
            )
        found[match[1]] = match[2]
    return found


def _number(parts: dict[str, str], name: str, *, most: int) -> int | None:
    written = parts.get(name)
    if written is None:
        return None
    if not written.isdigit() or not 1 <= int(written[:10]) <= most or len(written) > 10:
        raise _no(N_("%(name)s 须为 1 到 %(most)s 的整数。", name=name, most=most))
    return int(written)


def _count(parts: dict[str, str]) -> int | None:
    written = parts.get("COUNT", "")
    if written.isdigit() and (len(written) > 10 or int(written) > MOST_OCCURRENCES):
        raise _no(_TOO_MANY)
    return _number(parts, "COUNT", most=MOST_OCCURRENCES)


def _until(parts: dict[str, str]) -> date | None:
    written = parts.get("UNTIL")
    if written is None:
        return None
    try:
        return datetime.strptime(written, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise _no(N_("UNTIL 请写最后一天的日期，如 20261231。")) from None


def _by_day(parts: dict[str, str], freq: str) -> tuple[tuple[int | None, int], ...]:
    found: list[tuple[int | None, int]] = []
    for written in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        match = _BYDAY.fullmatch(written)
        if match is None or (match[1] and freq != "MONTHLY"):
            raise _no(N_("BYDAY 请写 MO 到 SU；每月的第几个写作 1MO、-1FR。"))
        found.append((int(match[1]) if match[1] else None, WEEKDAYS.index(match[2])))
    return tuple(dict.fromkeys(found))


def _by_month_day(parts: dict[str, str], freq: str) -> tuple[int, ...]:
    found: list[int] = []
    for written in parts["BYMONTHDAY"].split(",") if "BYMONTHDAY" in parts else ():
        usable = freq == "MONTHLY" and re.fullmatch(r"-1|[1-9]|[12][0-9]|3[01]", written)
        if not usable:
            raise _no(N_("BYMONTHDAY 只用于每月，请写 1 到 31，月末写 -1。"))
        found.append(int(written))
    return tuple(dict.fromkeys(found))


def _matches(rule: Recurrence, first: date, day: date) -> bool:
    if rule.freq == "DAILY":
        weekdays = {weekday for _, weekday in rule.by_day}
        is_named = not weekdays or day.weekday() in weekdays
        return is_named and (day - first).days % rule.interval == 0
    if rule.freq == "WEEKLY":
        monday = first - timedelta(days=first.weekday())
        weekdays = {weekday for _, weekday in rule.by_day} or {first.weekday()}
        return day.weekday() in weekdays and (day - monday).days // 7 % rule.interval == 0
    months = (day.year - first.year) * 12 + day.month - first.month
    return months % rule.interval == 0 and _in_month(rule, first, day)


def _in_month(rule: Recurrence, first: date, day: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    if rule.by_month_day:
        return day.day in rule.by_month_day or (day.day == length and -1 in rule.by_month_day)
    if rule.by_day:
        counted = {None, (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)}
        return any(day.weekday() == weekday and nth in counted for nth, weekday in rule.by_day)
    return day.day == first.day
