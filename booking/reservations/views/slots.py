"""The days, starts and lengths to choose from on an instrument's page."""

from datetime import timedelta
from typing import Any

from flask_babel import gettext

from booking.availability import queries as availability
from booking.availability.queries import DAYS, day_shown
from booking.kernel import clock, formats
from booking.reservations.views.choice import LENGTHS, Choice

NOON, EVENING = 12, 18


def slot_lists(choice: Choice) -> dict[str, Any]:
    """Return what the slot list and the panel's own lists show."""
    week = choice.week
    axis = availability.axis_of([week] if week else [])
    parts = _parts(choice)
    return {
        "axis": axis,
        "days": [
            day_shown(
                day,
                axis,
                url=choice.address(day=day.on.isoformat(), start=None),
                chosen=choice.day,
            )
            for day in (week.days if week else ())
        ],
        "parts": parts,
        "day_options": _day_options(choice),
        "all_starts": {value for _, starts in parts for value, _ in starts},
        "chosen_start": choice.written(choice.slot.starts_at) if choice.slot else "",
        "lengths": [(minutes, formats.length(minutes)) for minutes in _lengths(choice)],
        "earlier_url": _week_url(choice, -DAYS),
        "later_url": _week_url(choice, DAYS),
        "week_words": formats.days(choice.first, choice.first + timedelta(days=DAYS - 1)),
    }


def _lengths(choice: Choice) -> list[int]:
    return sorted({*LENGTHS, choice.minutes})


def _week_url(choice: Choice, days: int) -> str:
    first = choice.first + timedelta(days=days)
    if first <= clock.today() and choice.first == clock.today():
        return ""
    return choice.address(**{"from": max(first, clock.today()).isoformat(), "start": None})


def _parts(choice: Choice) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the starts of the chosen day: morning, afternoon, evening."""
    starts = [
        start
        for each in (choice.week.days if choice.week else ())
        if each.on == choice.day
        for start in each.starts
    ]
    halves: list[tuple[str, list[tuple[str, str]]]] = []
    for words, low, high in (
        (gettext("上午"), 0, NOON),
        (gettext("下午"), NOON, EVENING),
        (gettext("晚上"), EVENING, 24),
    ):
        within = [start for start in starts if low <= start.hour < high]
        halves.append((words, [(choice.written(each), f"{each:%H:%M}") for each in within]))
    return halves


def _day_options(choice: Choice) -> list[tuple[str, str, bool]]:
    """Return the days of the panel's list: value, words with how much is free, whether any is."""
    return [
        (
            day.on.isoformat(),
            f"{formats.day(day.on)} · {formats.tight(day.free_minutes)}"
            if day.starts
            else formats.day(day.on),
            bool(day.starts) or day.on == choice.day,
        )
        for day in (choice.week.days if choice.week else ())
    ]
