"""How instruments are booked, and what takes their time: for one or for thousands at once.

Instruments with the same policy and the same hours form one pattern, so that opening times are
worked out once per pattern. The number of statements does not depend on the number of rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute

from booking.accounts.rules import CustomerClass
from booking.availability.models import (
    LONGEST_OCCUPANCY,
    Occupancy,
    OccupancyKind,
    OpeningHours,
    Schedule,
    SpecialDay,
)
from booking.availability.queries.bookable import classes_at
from booking.availability.rules import (
    BookingPolicy,
    Conditions,
    Interval,
    Span,
    WeekPlan,
    of_text,
)
from booking.kernel import driver
from booking.kernel.db import db
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument
from booking.tariffs.rules import Customer

# An interval travels as one number: which day, from which minute, to which.
_DAY, _OPENS = 1 << 22, 1 << 11
_EPOCH = date(2000, 1, 1)
_MARGIN = timedelta(days=1)  # local dates reach into the neighbouring UTC dates

TakenByUnit = dict[int, list[Span]]


@dataclass(frozen=True)
class Pattern:
    """Instruments that are booked by the same rules, at the same hours; `label` as asked for."""

    policy: BookingPolicy
    plan: WeekPlan
    units: int
    ids: Sequence[int]
    label: str = ""
    # Whose they are, where customers of one's own are told apart.
    institution_id: int | None = None


def for_customer(found: Iterable[Pattern], customer: Customer) -> list[Pattern]:
    """Return the patterns with what is left of their hours for the customer."""
    return [
        pattern
        if pattern.institution_id is None
        else replace(
            pattern,
            plan=pattern.policy.conditions.plan_for(
                classes_at(customer, pattern.institution_id), pattern.plan
            ),
        )
        for pattern in found
    ]


def patterns(
    window: TimeSlot,
    *conditions: ColumnElement[bool],
    label: InstrumentedAttribute[str] | None = None,
) -> list[Pattern]:
    """Return how the instruments that meet the conditions are booked around the window.

    Those without a schedule are left out.
    """
    return load_patterns(by_pattern(*conditions, label=label), window)


def patterns_of(ids: Sequence[int], window: TimeSlot) -> list[Pattern]:
    """Return how these instruments are booked: `patterns` with a statement that is kept."""
    return load_patterns(_OF_IDS, window, ids=list(ids))


def by_pattern(
    *conditions: ColumnElement[bool], label: InstrumentedAttribute[str] | None = None
) -> Select[Any]:
    """Return the statement of `patterns`, for those who keep it."""
    each = _EACH.add_columns((literal("") if label is None else label).label("label"))
    found = each.where(*conditions).cte("each_one")
    shared = [column for column in found.c if column.name != "id"]
    return select(*shared, func.array_agg(found.c.id).label("ids")).group_by(*shared)


def load_patterns(statement: Select[Any], window: TimeSlot, **values: Any) -> list[Pattern]:
    """Return what a statement of `by_pattern` finds around the window, with its own values."""
    first, last = window.starts_at.date() - _MARGIN, window.ends_at.date() + _MARGIN
    rows = db.session.execute(statement, values | {"first": first, "last": last}).all()
    if not rows:
        return []
    days = workdays(first, last)
    return [_pattern(row, days) for row in rows]


def _week() -> ColumnElement[Any]:
    packed = (
        OpeningHours.weekday * _DAY
        + OpeningHours.opens_minute * _OPENS
        + OpeningHours.closes_minute
    )
    return (
        select(func.array_agg(aggregate_order_by(packed, packed)))
        .where(OpeningHours.instrument_id == Instrument.id)
        .scalar_subquery()
    )


def _special() -> ColumnElement[Any]:
    packed = (
        cast(SpecialDay.day - _EPOCH, BigInteger) * _DAY
        + func.coalesce(SpecialDay.opens_minute, 0) * _OPENS
        + func.coalesce(SpecialDay.closes_minute, 0)
    )
    days = SpecialDay.day.between(bindparam("first"), bindparam("last"))
    return (
        select(func.array_agg(aggregate_order_by(packed, packed)))
        .where(SpecialDay.instrument_id == Instrument.id, days)
        .scalar_subquery()
    )


# Built once: on a path that refuses thousands, building a statement costs more than running it.
_EACH = select(
    Instrument.id,
    Instrument.time_zone,
    Instrument.units,
    Schedule.grid_minutes,
    Schedule.shortest_minutes,
    Schedule.longest_minutes,
    Schedule.lead_minutes,
    Schedule.horizon_days,
    Schedule.buffer_before_minutes,
    Schedule.buffer_after_minutes,
    Schedule.change_until_minutes,
    Schedule.release_after_minutes,
    Schedule.observes_holidays,
    Schedule.classes,
    cast(Schedule.conditions, String).label("conditions"),
    case((Schedule.conditions.is_not(None), Instrument.institution_id)).label("institution_id"),
    # Only what ends within the window: else each would be a pattern of its own.
    *(
        case((end < bindparam("last"), end)).label(end.key)
        for end in (Instrument.verified_until, Instrument.calibrated_until)
    ),
    _week().label("week"),
    _special().label("special"),
).join(Schedule, Schedule.instrument_id == Instrument.id)


_OF_IDS = by_pattern(Instrument.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))


def _unpacked(packed: Iterable[int] | None) -> dict[int, list[Interval]]:
    days: dict[int, list[Interval]] = defaultdict(list)
    for number in packed or ():
        day, minutes = divmod(number, _DAY)
        intervals = days[day]
        if minutes:  # a special day without hours is closed
            intervals.append(divmod(minutes, _OPENS))
    return days


def _pattern(row: Any, days: dict[date, bool]) -> Pattern:
    zone = ZoneInfo(row.time_zone)
    special = _unpacked(row.special)
    return Pattern(
        policy=policy_of(row, zone),
        plan=WeekPlan(
            zone=zone,
            week=_unpacked(row.week),
            special={_EPOCH + timedelta(days=day): hours for day, hours in special.items()},
            workdays=days,
            observes_holidays=row.observes_holidays,
        ),
        units=row.units,
        ids=row.ids,
        label=row.label,
        institution_id=row.institution_id,
    )


def policy_of(row: Any, zone: ZoneInfo) -> BookingPolicy:
    """Return the policy from a row that carries a schedule's columns."""
    return BookingPolicy(
        zone=zone,
        grid_minutes=row.grid_minutes,
        shortest_minutes=row.shortest_minutes,
        longest_minutes=row.longest_minutes,
        lead_minutes=row.lead_minutes,
        horizon_days=row.horizon_days,
        buffer_before_minutes=row.buffer_before_minutes,
        buffer_after_minutes=row.buffer_after_minutes,
        change_until_minutes=row.change_until_minutes,
        release_after_minutes=row.release_after_minutes,
        verified_until=row.verified_until,
        calibrated_until=row.calibrated_until,
        conditions=conditions_of(row.classes, row.conditions),
    )


def conditions_of(classes: Sequence[str] | None, kept: str | None) -> Conditions:
    """Return the conditions as a schedule keeps them: who may book, and the rest in JSON."""
    found = of_text(kept)
    if classes is None:
        return found
    return replace(found, classes=tuple(CustomerClass(each) for each in classes))


_WORKDAYS = "SELECT day, is_workday FROM calendar_days WHERE day BETWEEN %(first)s AND %(last)s"


def workdays(first: date, last: date) -> dict[date, bool]:
    """Return what the working calendar says of the days; those it does not know are missing."""
    return dict(driver.rows(_WORKDAYS, {"first": first, "last": last}))


def _meets() -> tuple[ColumnElement[bool], ...]:
    # The last condition says nothing new; it lets the index stop at the window's end.
    return (
        Occupancy.ends_at > bindparam("starts_at"),
        Occupancy.starts_at < bindparam("ends_at"),
        Occupancy.ends_at < bindparam("end_at_most"),
    )


def _bounds(window: TimeSlot) -> dict[str, Any]:
    return {
        "starts_at": window.starts_at,
        "ends_at": window.ends_at,
        "end_at_most": window.ends_at + LONGEST_OCCUPANCY,
    }


_TAKEN = (
    select(
        Occupancy.instrument_id,
        Occupancy.unit,
        func.date_part("epoch", Occupancy.starts_at),
        func.date_part("epoch", Occupancy.ends_at),
    )
    .where(Occupancy.instrument_id == func.any(bindparam("ids")), *_meets())
    .order_by(Occupancy.instrument_id, Occupancy.ends_at)
)


def taken(ids: Sequence[int], window: TimeSlot) -> dict[int, TakenByUnit]:
    """Return what is taken in the window, by instrument and unit, sorted, in whole minutes."""
    found: dict[int, TakenByUnit] = defaultdict(lambda: defaultdict(list))
    rows = db.session.execute(_TAKEN, {"ids": list(ids)} | _bounds(window))
    for instrument_id, unit, starts, ends in rows:
        found[instrument_id][unit].append((int(starts // 60), -int(-ends // 60)))
    return found


@dataclass(frozen=True)
class Taken:
    """Time that is taken on a unit, and by what."""

    unit: int
    kind: OccupancyKind
    closure_id: int | None
    slot: TimeSlot


_TAKEN_SLOTS = """
SELECT unit, kind, closure_id, starts_at, ends_at FROM occupancies
 WHERE instrument_id = %(instrument_id)s
   AND ends_at > %(starts_at)s AND starts_at < %(ends_at)s AND ends_at < %(end_at_most)s
 ORDER BY ends_at, unit
"""


def taken_slots(instrument_id: int, window: TimeSlot) -> list[Taken]:
    """Return what takes one instrument's time in the window, soonest first."""
    found = driver.rows(_TAKEN_SLOTS, _bounds(window) | {"instrument_id": instrument_id})
    return [
        Taken(unit, OccupancyKind(kind), closure_id, TimeSlot(starts_at, ends_at))
        for unit, kind, closure_id, starts_at, ends_at in found
    ]


def is_free(instrument_id: int, slot: TimeSlot, *, units: int) -> bool:
    """Tell whether a unit has nothing in the slot; only the constraint decides for good."""
    busy = select(func.count(Occupancy.unit.distinct())).where(
        Occupancy.instrument_id == instrument_id, Occupancy.unit <= units, *_meets()
    )
    return (db.session.scalar(busy, _bounds(slot)) or 0) < units
