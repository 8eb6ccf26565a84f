"""How the days of a week are drawn: bars of what is free and what stands still."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from booking.availability.queries.weeks import Day, Week
from booking.kernel import clock

AXIS = (8 * 60, 18 * 60)  # the bar of a day, unless somebody is open longer


@dataclass(frozen=True)
class DayShown:
    """A day of a strip as the page draws it; parts are in percent of the bar."""

    date: date
    is_today: bool
    free_minutes: int
    earliest: datetime | None
    url: str
    is_chosen: bool
    parts: Sequence[tuple[float, float, str]]


def axis_of(weeks: Iterable[Week]) -> tuple[int, int]:
    """Return the hours that the bars of days show, in minutes: all that is open, at least 8-18."""
    spans = [span for week in weeks for day in week.days for span in day.open]
    starts, ends = [span[0] for span in spans], [span[1] for span in spans]
    return min([AXIS[0], *starts]) // 60 * 60, -(-max([AXIS[1], *ends]) // 60) * 60


def day_shown(day: Day, axis: tuple[int, int], *, url: str, chosen: date | None = None) -> DayShown:
    """Return the day as a strip or a chip shows it."""
    parts = [(span, "free") for span in day.free] + [(span, "upkeep") for span in day.upkeep]
    low, high = axis
    return DayShown(
        date=day.on,
        is_today=day.on == clock.today(),
        free_minutes=day.free_minutes if day.starts else 0,
        earliest=day.starts[0] if day.starts else None,
        url=url if day.starts else "",
        is_chosen=day.on == chosen,
        parts=[
            (
                round(100 * (max(start, low) - low) / (high - low), 1),
                round(100 * (min(end, high) - max(start, low)) / (high - low), 1),
                kind,
            )
            for (start, end), kind in sorted(parts)
        ],
    )
