"""The week of an instrument as the slot calendar draws it: a picture for pointers.

The slot list says and does the same for everybody (ux.md §5), so nothing is only here.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext

from booking.accounts.rules import Caller
from booking.availability.queries import Day, Week
from booking.availability.rules import DAY_MINUTES, Span, without
from booking.kernel import clock, formats
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot
from booking.reservations import queries

Event = Mapping[str, Any]
_MINUTE = timedelta(minutes=1)


def week_drawn(
    week: Week,
    *,
    axis: tuple[int, int],
    chosen: TimeSlot | None,
    price: Money | None,
    caller: Caller | None,
    address: str,
) -> str:
    """Return the week as JSON: days, events in the instrument's wall time, and its words.

    `address` is where a choice leads, without `start` and `minutes`.
    """
    zone, mine = week.zone, _mine(week, caller)
    events = [event for day in week.days for event in _of_day(day, _spans_on(day.on, mine, zone))]
    events += [_event(slot, zone, "mine", gettext("您的预约"), _hours(slot, zone)) for slot in mine]
    if chosen is not None:
        said = formats.length(chosen.minutes)
        if price is not None:
            said = f"{said}\n{formats.money(price)}"
        events.append(_event(chosen, zone, "sel", _hours(chosen, zone), said))
    drawn = {
        "days": [_heading(day) for day in week.days],
        "opens": _clock(axis[0]),
        "closes": _clock(axis[1]),
        "minutes": week.minutes,
        "step": 30,
        "grid": week.grid_minutes,
        "now": _wall(clock.now(), zone),
        "events": events,
        "address": address,
        "words": {
            "notFree": gettext("这段时间不全是空闲，请在绿色的时间里选。"),
        },
    }
    return json.dumps(drawn, ensure_ascii=False, separators=(",", ":"))


def longest(week: Week) -> tuple[date, int] | None:
    """Return the day of the longest free time in one piece, and its minutes."""
    pieces = [(end - start, day.on) for day in week.days for start, end in day.free]
    if not pieces:
        return None
    minutes, on = max(pieces, key=lambda piece: piece[0])
    return on, minutes


def _mine(week: Week, caller: Caller | None) -> list[TimeSlot]:
    if caller is None:
        return []
    first, last = week.days[0].on, week.days[-1].on + timedelta(days=1)
    midnights = (datetime.combine(day, datetime.min.time(), week.zone) for day in (first, last))
    return queries.held_within(week.instrument_id, TimeSlot(*midnights), caller=caller)


def _heading(day: Day) -> dict[str, Any]:
    if day.free_minutes:
        left = gettext("余 %(length)s", length=formats.tight(day.free_minutes))
    else:
        left = gettext("约满") if day.open else gettext("不开放")
    return {
        "date": day.on.isoformat(),
        "name": formats.weekday(day.on),
        "number": str(day.on.day),
        "left": left,
        "free": bool(day.free_minutes),
        "today": day.on == clock.today(),
    }


def _spans_on(on: date, slots: Iterable[TimeSlot], zone: ZoneInfo) -> list[Span]:
    """Return the slots in minutes since the day's beginning, those of other days left out."""
    midnight = datetime.combine(on, datetime.min.time(), zone)
    found = (
        (int((slot.starts_at - midnight) / _MINUTE), int((slot.ends_at - midnight) / _MINUTE))
        for slot in slots
    )
    return sorted((start, end) for start, end in found if start < DAY_MINUTES and end > 0)


def _of_day(day: Day, mine: Sequence[Span]) -> Iterator[Event]:
    for span in day.free:
        yield _span(day.on, span, "free", display="background")
    for span in without(list(without(day.taken, day.upkeep)), mine):
        yield _span(day.on, span, "busy", title=gettext("已约"))
    for span in day.upkeep:
        yield _span(day.on, span, "upkeep", title=gettext("检修校准"), said=_minutes(span))


def _span(on: date, span: Span, kind: str, **more: Any) -> Event:
    start, end = span
    return {"start": _at(on, start), "end": _at(on, end), "kind": kind, **more}


def _event(slot: TimeSlot, zone: ZoneInfo, kind: str, title: str, said: str) -> Event:
    return {
        "start": _wall(slot.starts_at, zone),
        "end": _wall(slot.ends_at, zone),
        "kind": kind,
        "title": title,
        "said": said,
    }


def _hours(slot: TimeSlot, zone: ZoneInfo) -> str:
    start, end = slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone)
    return f"{start:%H:%M}–{end:%H:%M}"


def _minutes(span: Span) -> str:
    return f"{_clock(span[0])}–{_clock(span[1])}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _wall(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%dT%H:%M}"


def _at(on: date, minute: int) -> str:
    return f"{on + timedelta(days=minute // 1440)}T{_clock(minute % 1440)}"
