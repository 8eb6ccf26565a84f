"""Closures: the owner takes time back, never over a promise it has not named."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from booking.accounts.rules import Caller, Permission, require
from booking.availability import service as availability
from booking.availability.errors import SlotTaken
from booking.availability.models import Closure, OccupancyKind
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, WrongState
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.registry import queries as registry
from booking.registry.models import Instrument
from booking.reservations import queries
from booking.reservations.errors import OnAPromise
from booking.reservations.models import Reservation
from booking.reservations.service import prepaying
from booking.reservations.service.booking import MOVABLE, call_off, tell_cancelled
from booking.reservations.service.faults import answer_fault, get_open_fault
from booking.reservations.service.keeping import facts, record
from booking.reservations.service.offers import instead

LONGEST_DAYS = 400


@dataclass(frozen=True)
class Closed:
    """A closure, and what became of the reservations that gave way to it."""

    closure: Closure
    cancelled: Sequence[Reservation] = ()
    moved: Sequence[Reservation] = ()  # to another unit, at the same time


def close(
    instrument_id: int,
    slot: TimeSlot,
    kind: OccupancyKind,
    *,
    caller: Caller,
    unit: int | None = None,
    reason: str = "",
    cancel: Collection[int] = (),
    fault: int | None = None,
) -> Closed:
    """Close an instrument (or one unit) for a while; the reservations named give way.

    Where another unit is free at their time they move there, else they are cancelled and the
    firms are offered what is free instead. It may answer a fault that was reported.

    Raises OnAPromise with everything in the way that was not named, and then changes nothing;
    InvalidField for a unit, length or reservation that cannot be meant; WrongState for a named
    reservation already in use or a fault already answered.
    """
    instrument = registry.get_instrument(instrument_id, caller=caller)
    require(caller, Permission.RUN_INSTRUMENTS, instrument.institution_id)
    _check(instrument, slot, unit)
    availability.queue_for(instrument_id)
    named = _named(instrument_id, slot, unit, cancel)
    told = reason_told(kind, reason)
    moved, cancelled = _give_way(named, instrument, unit, told, caller)
    closure = Closure(
        instrument_id=instrument_id,
        unit=unit,
        slot=slot,
        kind=kind,
        reason=reason,
        created_by=caller.user_id,
    )
    _take(closure, units=instrument.units)
    for promise in cancelled:  # now that the time is closed it is not among what is offered
        tell_cancelled(promise, caller, told, offers=_offers(promise))
    if fault is not None:
        answer_fault(get_open_fault(fault, instrument_id), caller, reason, closure=closure)
    _record(
        "closure.made",
        closure,
        instrument,
        caller,
        cancelled=[each.id for each in cancelled],
        moved=[each.id for each in moved],
    )
    return Closed(closure, cancelled, moved)


def _named(
    instrument_id: int, slot: TimeSlot, unit: int | None, cancel: Collection[int]
) -> Sequence[Reservation]:
    """Return the reservations in the way, locked; raises unless just these were named."""
    found = queries.in_the_way(instrument_id, slot, unit=unit)
    if unknown := set(cancel) - {promise.id for promise in found.reservations}:
        raise InvalidField(
            "cancel",
            N_("预约 %(ids)s 不在该时间段内。", ids="、".join(map(str, sorted(unknown)))),
        )
    unnamed = [promise for promise in found.reservations if promise.id not in cancel]
    if unnamed or found.closures:
        raise OnAPromise(unnamed, found.closures)
    return found.reservations


def _take(closure: Closure, *, units: int) -> None:
    try:
        availability.close(closure, units=units)
    except SlotTaken:
        # Somebody reserved between our look and our taking; what was cancelled is rolled back.
        late = queries.in_the_way(closure.instrument_id, closure.slot, unit=closure.unit)
        raise OnAPromise(late.reservations, late.closures) from None


def _give_way(
    reservations: Sequence[Reservation],
    instrument: Instrument,
    closed: int | None,
    reason: str,
    caller: Caller,
) -> tuple[list[Reservation], list[Reservation]]:
    """Move those that can be moved and cancel the others; nobody is told yet."""
    prepaying.lock(reservations)
    moved = [each for each in reservations if _moves(each, instrument, closed, caller)]
    cancelled = [each for each in reservations if each not in moved]
    for each in cancelled:
        call_off(each, caller, reason)
    return moved, cancelled


def _moves(
    reservation: Reservation, instrument: Instrument, closed: int | None, caller: Caller
) -> bool:
    """Move a reservation that has not begun to another unit at its time, if one is free."""
    if closed is None or instrument.units == 1 or reservation.status not in MOVABLE:
        return False
    held, old = reservation.occupancy_id, facts(reservation)
    for unit in range(1, instrument.units + 1):
        if unit == closed:
            continue
        taken = availability.occupy_unit(instrument.id, reservation.held, unit=unit)
        if taken is None:
            continue
        reservation.occupancy_id, reservation.unit = taken, unit
        reservation.touch()
        db.session.flush()
        assert held is not None  # noqa: S101 - the table's CHECK says so
        availability.release(held)
        record("reservation.unit_changed", reservation, caller, old=old, new=facts(reservation))
        return True
    return False


def _offers(reservation: Reservation) -> list[dict[str, object]]:
    """Return what is free instead, here first, as a notice keeps it."""
    sheet = queries.get_sheet_of(reservation, reservation.slot)
    here, elsewhere = instead(sheet, reservation.slot)
    offered = [*here, *elsewhere]
    names = registry.instrument_names({each["instrument_id"] for each in offered})
    return [
        {
            "instrument_id": each["instrument_id"],
            "instrument": names[each["instrument_id"]],
            "starts_at": each["starts_at"],
            "ends_at": each["ends_at"],
            "price_minor": each["price"].minor,
            "currency": each["price"].currency,
        }
        for each in offered
    ]


_DEFAULT_REASON = {
    OccupancyKind.MAINTENANCE: "仪器维护",
    OccupancyKind.CALIBRATION: "仪器校准",
    OccupancyKind.FAULT: "仪器故障",
    OccupancyKind.OWN_USE: "机构自用",
}


def reason_told(kind: OccupancyKind, reason: str) -> str:
    """Return what firms are told where nobody wrote a reason: the kind of closure."""
    return reason or _DEFAULT_REASON[kind]


def lift(closure_id: int, *, caller: Caller, version: int | None = None) -> Closure:
    """End a closure now and give back what is left of it.

    Raises NotFound, NotAllowed, Stale, or WrongState if it is over or was lifted before.
    """
    availability.queue_for(
        closure_id, instrument="SELECT instrument_id FROM closures WHERE id = %(id)s"
    )
    closure = queries.get_closure(closure_id, caller=caller, for_update=True)
    instrument = registry.get_instrument(closure.instrument_id, caller=caller)
    require(caller, Permission.RUN_INSTRUMENTS, instrument.institution_id)
    closure.check_version(version)
    if closure.lifted_at is not None:
        raise WrongState("lifted", "lift")
    if closure.ends_at <= clock.now():
        raise WrongState("over", "lift")
    availability.lift(closure)
    _record("closure.lifted", closure, instrument, caller)
    return closure


def _check(instrument: Instrument, slot: TimeSlot, unit: int | None) -> None:
    if unit is not None and unit > instrument.units:
        raise InvalidField("unit", N_("这台仪器只有 %(units)s 台。", units=instrument.units))
    if slot.duration.days >= LONGEST_DAYS:
        raise InvalidField("ends_at", N_("一次停用最长 %(days)s 天。", days=LONGEST_DAYS))


def _record(
    action: str, closure: Closure, instrument: Instrument, caller: Caller, **data: object
) -> None:
    journal.record(
        action,
        "closure",
        closure.id,
        by=caller.user_id,
        organisation_id=instrument.institution_id,
        new={
            "instrument_id": closure.instrument_id,
            "unit": closure.unit,
            "kind": closure.kind,
            "starts_at": closure.starts_at.isoformat(),
            "ends_at": closure.ends_at.isoformat(),
            "lifted_at": closure.lifted_at.isoformat() if closure.lifted_at else None,
            "reason": closure.reason,
        },
        **data,
    )
