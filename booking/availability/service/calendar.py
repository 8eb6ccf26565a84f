"""Deciding when an instrument is open; taking and giving back time on its one calendar."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, delete, exists, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from booking.accounts.rules import Caller, Permission, require
from booking.authorisations.rules import Operation
from booking.availability import queries, rules
from booking.availability.errors import SlotTaken
from booking.availability.models import (
    LONGEST_OCCUPANCY,
    NO_OVERLAP,
    Closure,
    Occupancy,
    OccupancyKind,
    OpeningHours,
    Schedule,
    SpecialDay,
)
from booking.availability.rules import ApprovalRule, Interval, Terms
from booking.availability.service import policies
from booking.journal import service as journal
from booking.kernel import clock, driver
from booking.kernel.db import db, violation_raises
from booking.kernel.errors import InvalidField, Stale
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.registry import queries as registry

_QUEUES = 1129270359
MOST_SPECIAL_DAYS = 400

_CLOSED: list[tuple[int | None, int | None]] = [(None, None)]

Special = tuple[Sequence[Interval], str]  # hours of the day (none: closed) and the reason


def set_schedule(
    instrument_id: int,
    terms: Terms,
    week: Mapping[int, Sequence[Interval]],
    *,
    caller: Caller,
    special_days: Mapping[date, Special] | None = None,
    version: int | None = None,
) -> queries.ScheduleSheet:
    """Say when an instrument is open (wall clock, 0 = Monday) and how it may be booked.

    Takes the place of what stood; reservations already made stay. Raises NotFound, NotAllowed,
    Stale, or InvalidField for what cannot be.
    """
    special = special_days or {}
    _check(terms, week, special)
    instrument = registry.get_instrument(instrument_id, caller=caller, for_update=True)
    require(caller, Permission.RUN_INSTRUMENTS, instrument.institution_id)
    old = queries.find_schedule(instrument)
    if old is None:
        if version is not None:
            raise Stale(version=0)
        schedule = Schedule(instrument_id=instrument_id)
        policies.start(schedule, instrument.institution_id)
        db.session.add(schedule)
    else:
        schedule = old.schedule
        schedule.check_version(version)
        schedule.touch()
    before = old.facts() if old else None
    policies.keep_inherited(schedule, terms, instrument.institution_id)
    for name, value in asdict(terms).items():
        setattr(schedule, name, value)
    db.session.flush()
    _replace_hours(instrument_id, week, special)
    new = queries.get_schedule(instrument)
    journal.record(
        "schedule.set",
        "schedule",
        instrument_id,
        by=caller.user_id,
        organisation_id=instrument.institution_id,
        old=before,
        new=new.facts(),
    )
    return new


def set_approval(
    instrument_id: int, rule: ApprovalRule, *, caller: Caller, version: int | None = None
) -> Schedule:
    """Say which reservations need approval from now on; those already made stay.

    Raises NotFound (also while it takes no bookings online), NotAllowed, Stale or InvalidField.
    """
    rule.check()
    instrument = registry.get_instrument(instrument_id, caller=caller, for_update=True)
    require(caller, Permission.RUN_INSTRUMENTS, instrument.institution_id)
    schedule = queries.get_schedule(instrument).schedule
    schedule.check_version(version)
    old = schedule.approval
    schedule.approval_mode = rule.mode
    schedule.approval_over_minutes = rule.over_minutes
    schedule.approval_over_minor = rule.over_price.minor if rule.over_price else None
    schedule.hold_working_hours = rule.hold_working_hours
    schedule.touch()
    journal.record(
        "schedule.approval_set",
        "schedule",
        instrument_id,
        by=caller.user_id,
        organisation_id=instrument.institution_id,
        old=asdict(old),
        new=asdict(rule),
    )
    return schedule


def set_operation(
    instrument_id: int, operation: Operation, *, caller: Caller, version: int | None = None
) -> Schedule:
    """Say how it may be used from now on; reservations already made stay.

    Raises as `set_approval`.
    """
    instrument = registry.get_instrument(instrument_id, caller=caller, for_update=True)
    require(caller, Permission.RUN_INSTRUMENTS, instrument.institution_id)
    schedule = queries.get_schedule(instrument).schedule
    schedule.check_version(version)
    old, schedule.operation = schedule.operation, operation
    schedule.touch()
    journal.record(
        "schedule.operation_set",
        "schedule",
        instrument_id,
        by=caller.user_id,
        organisation_id=instrument.institution_id,
        old=old,
        new=operation,
    )
    return schedule


def _check(
    terms: Terms, week: Mapping[int, Sequence[Interval]], special: Mapping[date, Special]
) -> None:
    terms.check()
    for weekday, hours in week.items():
        if weekday not in range(7):
            raise InvalidField("week", N_("星期须为 0（周一）到 6（周日）。"))
        rules.check_hours("week", hours)
    if len(special) > MOST_SPECIAL_DAYS:
        raise InvalidField("special_days", N_("特别日期最多 %(most)s 天。", most=MOST_SPECIAL_DAYS))
    for hours, _ in special.values():
        rules.check_hours("special_days", hours)


def _replace_hours(
    instrument_id: int, week: Mapping[int, Sequence[Interval]], special: Mapping[date, Special]
) -> None:
    for kind in (OpeningHours, SpecialDay):
        db.session.execute(delete(kind).where(kind.instrument_id == instrument_id))
    weekly = [
        {
            "instrument_id": instrument_id,
            "weekday": weekday,
            "opens_minute": opens,
            "closes_minute": closes,
        }
        for weekday, hours in sorted(week.items())
        for opens, closes in sorted(hours)
    ]
    days: list[dict[str, Any]] = [
        {
            "instrument_id": instrument_id,
            "day": day,
            "opens_minute": opens,
            "closes_minute": closes,
            "reason": reason,
        }
        for day, (hours, reason) in sorted(special.items())
        for opens, closes in (sorted(hours) or _CLOSED)
    ]
    if weekly:
        db.session.execute(insert(OpeningHours), weekly)
    if days:
        db.session.execute(insert(SpecialDay), days)


def _taking(kind: OccupancyKind) -> str:
    return f"""
INSERT INTO occupancies (instrument_id, unit, starts_at, ends_at, kind)
VALUES (%(taken_instrument_id)s, %(taken_unit)s, %(taken_from)s, %(taken_until)s, '{kind}')
ON CONFLICT ON CONSTRAINT {NO_OVERLAP} DO NOTHING RETURNING id
"""  # noqa: S608 - our own words


_TAKE, _OFFER = _taking(OccupancyKind.RESERVATION), _taking(OccupancyKind.OFFER)
# The same as the beginning of a larger statement; the values are `taking_values`.
TAKING = f"taken AS ({_TAKE})"


def taking_values(instrument_id: int, slot: TimeSlot, *, unit: int) -> dict[str, Any]:
    """Return the values of `TAKING`; `taken` has one row with the id, or none if it is taken."""
    return {
        "taken_instrument_id": instrument_id,
        "taken_unit": unit,
        "taken_from": slot.starts_at,
        "taken_until": slot.ends_at,
    }


def occupy(instrument_id: int, slot: TimeSlot, *, units: int = 1) -> tuple[int, int]:
    """Take the slot (buffers included) for a reservation on any free unit.

    Returns the occupancy's id and the unit; raises SlotTaken if no unit is free. The constraint
    decides the race and no conflict ever aborts the transaction: insert first, look afterwards.
    """
    for unit in free_units(instrument_id, slot, units=units):
        held = occupy_unit(instrument_id, slot, unit=unit)
        if held is not None:
            return held, unit
    raise SlotTaken(slot)


def occupy_unit(instrument_id: int, slot: TimeSlot, *, unit: int) -> int | None:
    """Take the slot on this unit; returns the occupancy's id, or None if it is taken."""
    held = driver.first(_TAKE, taking_values(instrument_id, slot, unit=unit))
    return None if held is None else int(held[0])


def hold_offer(instrument_id: int, slot: TimeSlot, *, units: int = 1) -> int | None:
    """Hold the slot (buffers included) for an offer on any free unit; None if none is free.

    Returns the occupancy's id.
    """
    for unit in free_units(instrument_id, slot, units=units):
        held = driver.first(_OFFER, taking_values(instrument_id, slot, unit=unit))
        if held is not None:
            return int(held[0])
    return None


def free_units(instrument_id: int, slot: TimeSlot, *, units: int) -> Iterator[int]:
    """Yield the unit to try to take; again if somebody else was faster, while any looks free."""
    if units == 1:
        yield 1
        return
    for _ in range(2 * units):
        unit = db.session.scalar(_free_unit(instrument_id, slot, units))
        if unit is None:
            return
        yield unit


def release(occupancy_id: int) -> None:
    """Give the time back."""
    driver.rows("DELETE FROM occupancies WHERE id = %(id)s", {"id": occupancy_id})


def begin_earlier(occupancy_id: int, starts_at: datetime) -> None:
    """Take the time before what is held as well, or raise SlotTaken and hold what was held.

    Whoever calls has queued for the instrument.
    """
    held = db.session.get_one(Occupancy, occupancy_id)
    if starts_at < held.starts_at:
        wanted = TimeSlot(starts_at, held.ends_at)
        with violation_raises(NO_OVERLAP, SlotTaken(wanted)):
            held.starts_at = starts_at


def end_earlier(occupancy_id: int, ends_at: datetime) -> None:
    """Give back what is left of the time after the instant."""
    held = db.session.get_one(Occupancy, occupancy_id)
    if held.starts_at < ends_at < held.ends_at:
        held.ends_at = ends_at
        db.session.flush()


def queue_for(id_: int, *, instrument: str = "%(id)s", **given: object) -> bool:
    """Let one mover or closer at a time through per instrument, until the transaction ends.

    Who holds time while waiting for more needs it: two moves that swap slots would each wait for
    the other's. Creating and cancelling take nothing while they wait. Whoever queues does it
    before locking any row. Takes the instrument's id, or that of what `instrument` then finds it
    by: a query given `%(id)s` and `given`; nobody waits, and False comes back, if it finds none.
    """
    lock = f"SELECT pg_advisory_xact_lock({_QUEUES}, hashint8(({instrument})::bigint))"
    answer = driver.first(lock, {"id": id_, **given})
    return answer is not None and answer[0] is not None


_QUEUE_ALL = f"""
SELECT pg_advisory_xact_lock({_QUEUES}, queued.lock)
  FROM (SELECT DISTINCT hashint8(id) AS lock
          FROM unnest(CAST(%(ids)s AS bigint[])) AS id ORDER BY 1) queued
"""  # noqa: S608 - our own words


def queue_for_all(ids: Collection[int]) -> None:
    """Queue for several instruments at once, all in one order, before locking any row."""
    driver.rows(_QUEUE_ALL, {"ids": sorted(ids)})


def close(closure: Closure, *, units: int) -> Closure:
    """Take a closure's time on its unit, or on all; raise SlotTaken, holding none of it.

    What was only offered to the waiting list gives way: whoever offers queues as closers do.
    """
    taken = [closure.unit] if closure.unit is not None else list(range(1, units + 1))
    closure.units = len(taken)
    db.session.execute(
        delete(Occupancy).where(
            Occupancy.instrument_id == closure.instrument_id,
            Occupancy.kind == OccupancyKind.OFFER,
            Occupancy.unit.in_(taken),
            Occupancy.starts_at < closure.ends_at,
            Occupancy.ends_at > closure.starts_at,
        )
    )
    db.session.add(closure)
    db.session.flush()
    rows = [
        {
            "instrument_id": closure.instrument_id,
            "unit": unit,
            "kind": closure.kind,
            "starts_at": part.starts_at,
            "ends_at": part.ends_at,
            "closure_id": closure.id,
        }
        for unit in taken
        for part in parts(closure.slot)
    ]
    statement = upsert(Occupancy).values(rows).on_conflict_do_nothing(constraint=NO_OVERLAP)
    held = db.session.scalars(statement.returning(Occupancy.id)).all()
    if len(held) < len(rows):
        db.session.execute(delete(Occupancy).where(Occupancy.id.in_(held)))
        db.session.delete(closure)
        db.session.flush()
        raise SlotTaken(closure.slot)
    return closure


def parts(slot: TimeSlot) -> Iterator[TimeSlot]:
    """Yield the slot in pieces no longer than an occupancy may be."""
    start = slot.starts_at
    while start < slot.ends_at:
        end = min(start + LONGEST_OCCUPANCY, slot.ends_at)
        yield TimeSlot(start, end)
        start = end


def lift(closure: Closure) -> None:
    """End a closure now: what has passed of it stays taken, the rest is given back."""
    now = clock.now()
    held = Occupancy.closure_id == closure.id
    db.session.execute(delete(Occupancy).where(held, Occupancy.starts_at >= now))
    for occupancy in db.session.scalars(
        select(Occupancy).where(held, Occupancy.ends_at > now).with_for_update()
    ):
        occupancy.ends_at = now
    closure.lifted_at = now
    closure.sequence += 1
    closure.touch()
    db.session.flush()


def _free_unit(instrument_id: int, slot: TimeSlot, units: int) -> Select[int]:
    unit = func.generate_series(1, units).column_valued("candidate")
    overlapping = exists().where(
        Occupancy.instrument_id == instrument_id,
        Occupancy.unit == unit,
        Occupancy.starts_at < slot.ends_at,
        Occupancy.ends_at > slot.starts_at,
    )
    return select(unit).where(~overlapping).order_by(unit).limit(1)
