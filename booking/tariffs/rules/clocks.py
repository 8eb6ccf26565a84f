"""Which window of a price each minute of a use falls into, by the clock on the wall. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from booking.tariffs.rules.terms import DAY_MINUTES, HOLIDAY, DayPlan, Terms, Window

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_MONDAY, _SATURDAY = 0, 5


@dataclass(frozen=True)
class Wall:
    """The clock and the working calendar where the instrument stands."""

    zone: ZoneInfo
    workdays: Mapping[date, bool] = field(default_factory=dict)

    def kind(self, day: date) -> int:
        """Return the kind of a day: its weekday, a public holiday, or Monday's if worked (调休)."""
        weekday, works = day.weekday(), self.workdays.get(day)
        if works is None or works == (weekday < _SATURDAY):
            return weekday
        return _MONDAY if works else HOLIDAY


def minutes_by_window(
    terms: Terms, starts_at: datetime, minutes: int, wall: Wall
) -> dict[Window | None, int]:
    """Return how many minutes fall into which window, in the order in which they begin.

    Minutes are those that pass: an hour that the clock repeats counts twice, one that it skips
    not at all.
    """
    if not terms.windows:
        return {None: minutes}
    found: dict[Window | None, int] = {}
    minute = (starts_at - _EPOCH) // _MINUTE
    end, day = minute + minutes, starts_at.astimezone(wall.zone).date()
    while minute < end:
        midnight, length = _local_day(wall.zone, day)
        plan = terms.day_plans[wall.kind(day)]
        if length != DAY_MINUTES:
            plan = _disturbed(wall.zone, midnight, length, plan)
        for opens, closes, window in plan:
            shared = min(end, midnight + closes) - max(minute, midnight + opens)
            if shared > 0:
                found[window] = found.get(window, 0) + shared
        minute, day = midnight + length, day + _DAY
    return found


@lru_cache(maxsize=4096)
def _local_day(zone: ZoneInfo, day: date) -> tuple[int, int]:
    """Return the minute since 1970 at which a local day begins, and how many it has."""
    first, last = (
        (datetime(each.year, each.month, each.day, tzinfo=zone) - _EPOCH) // _MINUTE
        for each in (day, day + _DAY)
    )
    return first, last - first


@lru_cache(maxsize=256)
def _disturbed(zone: ZoneInfo, midnight: int, length: int, plan: DayPlan) -> DayPlan:
    """Return the plan of a day on which the clock jumps, in minutes that pass since midnight."""
    found: list[tuple[int, int, Window | None]] = []
    for passed in range(length):
        clock = (_EPOCH + (midnight + passed) * _MINUTE).astimezone(zone)
        on_wall = clock.hour * 60 + clock.minute
        window = next(window for opens, closes, window in plan if opens <= on_wall < closes)
        if found and found[-1][2] is window:
            found[-1] = (found[-1][0], passed + 1, window)
        else:
            found.append((passed, passed + 1, window))
    return tuple(found)
