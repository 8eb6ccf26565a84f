"""A month of reservations as a calendar of days."""

import calendar
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from booking.accounts.rules import Caller
from booking.kernel import clock
from booking.reservations import queries
from booking.reservations.models import Reservation

MOST = 500
_DAYS = calendar.Calendar(calendar.MONDAY)


@dataclass(frozen=True)
class Month:
    """Whole weeks, Monday first; days of the neighbouring months are None."""

    first: date
    weeks: Sequence[Sequence[date | None]]
    by_day: Mapping[date, Sequence[Reservation]]
    is_cut: bool

    @property
    def earlier(self) -> str:
        """Return the month before, as the address writes it."""
        return f"{self.first - timedelta(days=1):%Y-%m}"

    @property
    def later(self) -> str:
        """Return the month after."""
        return f"{self.first + timedelta(days=31):%Y-%m}"


def month_of(text: str, *, caller: Caller) -> Month:
    """Return the month named (`2026-11`, else this one) with what the caller may see in it."""
    first = _first(text)
    after = (first + timedelta(days=31)).replace(day=1)
    window = (_midnight(first), _midnight(after))
    page = queries.list_reservations(caller=caller, limit=MOST, cursor=None, window=window)
    by_day: dict[date, list[Reservation]] = defaultdict(list)
    for each in sorted(page.items, key=lambda found: found.starts_at):
        zone = each.instrument.zone
        day = max(each.starts_at.astimezone(zone).date(), first)
        while day < after and datetime.combine(day, datetime.min.time(), zone) < each.ends_at:
            by_day[day].append(each)
            day += timedelta(days=1)
    weeks = [
        [date(first.year, first.month, day) if day else None for day in week]
        for week in _DAYS.monthdayscalendar(first.year, first.month)
    ]
    return Month(first, weeks, by_day, is_cut=page.next_cursor is not None)


def _first(text: str) -> date:
    try:
        found = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        found = clock.today()
    return found.replace(day=1) if 2000 <= found.year < 2100 else clock.today().replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), clock.CHINA)
