"""Changing one of several that were reserved together: this one, it and those after it, or all.

All that are still to come change, or none does.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from booking.accounts.rules import Caller
from booking.availability import service as availability
from booking.availability.errors import SlotTaken
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, WrongState
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.notices.rules import Kind
from booking.reservations import queries
from booking.reservations.models import Reservation
from booking.reservations.queries import Sheet
from booking.reservations.rules import Reach, Violation, recurrence
from booking.reservations.service import booking, fees, prepaying
from booking.reservations.service.asking import ask_again
from booking.reservations.service.assisting import set_mode
from booking.reservations.service.changing import (
    check_changer,
    check_not_needed,
    check_still_changeable,
)
from booking.reservations.service.judging import Judged, Wish, refusal
from booking.reservations.service.keeping import agreed_of, facts, record
from booking.reservations.service.offers import make_offer, with_buffers
from booking.reservations.service.telling import late_fee, tell


class _Refused(Exception):
    """Some of them cannot be moved there."""

    def __init__(self, judged: Sequence[Judged]) -> None:
        self.judged = judged


def cancel(
    reservation_id: int,
    *,
    caller: Caller,
    reason: str = "",
    version: int | None = None,
    scope: Reach = Reach.THIS,
) -> Reservation:
    """Cancel it, or with it others of its group that are still to come; all or none.

    Raises WrongState, Stale, TooLateToChange, or NotBookable where another reservation needs it.
    """
    found = queries.get_reservation(reservation_id, caller=caller)
    if scope is Reach.THIS or found.group_id is None:
        return booking.cancel(reservation_id, caller=caller, reason=reason, version=version)
    this, chosen = _locked(found, scope, caller, version, action="cancel")
    due = [fees.of_cancelling(each, _sheet(each), caller) for each in chosen]
    for each, fee in zip(chosen, due, strict=True):
        booking.call_off(each, caller, reason, fee=fee)
    # Asked of each only now: what needed another of them is gone as well.
    for each in chosen:
        check_not_needed(_sheet(each), caller)
        booking.tell_cancelled(each, caller, reason)
    return this


def change(
    reservation_id: int,
    *,
    caller: Caller,
    slot: TimeSlot | None = None,
    purpose: str | None = None,
    is_assisted: bool | None = None,
    version: int | None = None,
    override_reason: str | None = None,
    scope: Reach = Reach.THIS,
) -> Reservation:
    """Move it or say another purpose, or with it others of its group that are still to come.

    The others move by as much on the clock on the wall, and last as long if the length changes.
    Raises as `move`; of several SomeNotBookable or SomeTaken, which name each.
    """
    found = queries.get_reservation(reservation_id, caller=caller)
    if scope is Reach.THIS or found.group_id is None:
        return booking.change(
            reservation_id,
            caller=caller,
            slot=slot,
            purpose=purpose,
            is_assisted=is_assisted,
            version=version,
            override_reason=override_reason,
        )
    if override_reason is not None:
        raise InvalidField("override_reason", N_("破例只能逐个改期。"))
    this, chosen = _locked(found, scope, caller, version, action="move")
    if slot is not None and slot != this.slot:
        _move_all(this, chosen, slot, caller)
    if is_assisted is not None:
        for each in chosen:
            set_mode(each, caller, is_assisted=is_assisted)
    if purpose is not None:
        _say(purpose, chosen, caller)
    return this


def _say(purpose: str, chosen: Sequence[Reservation], caller: Caller) -> None:
    for each in chosen:
        if each.purpose != purpose:
            old, each.purpose = each.purpose, purpose
            each.sequence += 1
            each.touch()
            record("reservation.purpose_changed", each, caller, old=old, new=purpose)


def _locked(
    found: Reservation, scope: Reach, caller: Caller, version: int | None, *, action: str
) -> tuple[Reservation, list[Reservation]]:
    """Return it and those that change with it, locked in the order of `grouping`."""
    assert found.group_id is not None  # noqa: S101 - asked only with one
    members = queries.of_group(found.group_id, caller=caller)
    instruments = {each.instrument_id for each in members}
    availability.queue_for_all(instruments)
    members = queries.of_group(found.group_id, caller=caller, for_update=True)
    this = next(each for each in members if each.id == found.id)
    this.check_version(version)
    first = (this.starts_at, this.id) if scope is Reach.FOLLOWING else None
    chosen = [
        each
        for each in members
        if each.status in booking.MOVABLE
        and each.ends_at > clock.now()
        and (first is None or (each.starts_at, each.id) >= first)
    ]
    if not chosen:
        raise WrongState(this.status, action)
    for each in chosen:
        check_changer(each, caller)
    queries.wait_beside(instruments, found.organisation_id)
    prepaying.lock(chosen)
    return this, chosen


def _sheet(reservation: Reservation) -> Sheet:
    return queries.get_sheet_of(reservation, reservation.slot)


def _move_all(
    this: Reservation, chosen: Sequence[Reservation], slot: TimeSlot, caller: Caller
) -> None:
    by = _wall(slot.starts_at, this) - _wall(this.starts_at, this)
    length = slot.duration if slot.duration != this.slot.duration else None
    wishes = [_moved(each, by, length) for each in chosen]
    befores = [queries.get_sheet_of(each, each.slot) for each in chosen]
    for each, sheet in zip(chosen, befores, strict=True):
        check_still_changeable(each, sheet, caller)
    try:
        # Written first and judged then: each is asked of with the others where they will be.
        with db.session.begin_nested():
            _rewrite(chosen, wishes, befores, caller)
    except _Refused as refused:
        raise refusal(refused.judged) from None


def _wall(instant: datetime, reservation: Reservation) -> datetime:
    return instant.astimezone(reservation.instrument.zone).replace(tzinfo=None)


def _moved(each: Reservation, by: timedelta, length: timedelta | None) -> Wish:
    wall = _wall(each.starts_at, each) + by
    start, is_once = recurrence.at_wall_once(wall.date(), wall, each.instrument.zone)
    flaw = None if is_once else recurrence.no_such_time(wall)
    slot = TimeSlot(start, start + (length or each.slot.duration))
    return Wish(each.instrument_id, slot, each.samples, each.is_assisted, flaw, each.is_statutory)


def _rewrite(
    chosen: Sequence[Reservation], wishes: Sequence[Wish], befores: Sequence[Sheet], caller: Caller
) -> None:
    olds, slots = [facts(each) for each in chosen], [each.slot for each in chosen]
    for each, wish in zip(chosen, wishes, strict=True):
        assert each.occupancy_id is not None  # noqa: S101 - the table's CHECK says so
        availability.release(each.occupancy_id)
        each.slot = wish.slot
    db.session.flush()
    numbers = {each.number for each in chosen}
    judged = [
        _judged(index, each, wish, before, numbers)
        for index, (each, wish, before) in enumerate(zip(chosen, wishes, befores, strict=True))
    ]
    if any(each.violations for each in judged):
        raise _Refused(judged)
    lost = _occupy_all(chosen, judged)
    if lost:
        raise _Refused([replace(each, is_taken=each.index in lost) for each in judged])
    for each, found, old, before in zip(chosen, judged, olds, slots, strict=True):
        _keep(each, found, old, before, caller)


def _judged(index: int, each: Reservation, wish: Wish, before: Sheet, numbers: set[str]) -> Judged:
    sheet = queries.get_sheet_of(each, wish.slot)
    # Who needs it at its old time is left alone; those that move with it are judged themselves.
    left = [other for other in before.standing.left if other.number not in numbers]
    sheet = replace(sheet, standing=replace(sheet.standing, left=left))
    offer = make_offer(
        sheet,
        wish.slot,
        samples=each.samples,
        is_assisted=each.is_assisted,
        is_statutory=each.is_statutory,
        prepaid=prepaying.of(each),
    )
    flaws: list[Violation] = [wish.flaw] if wish.flaw else []
    return Judged(index, wish, offer, [*flaws, *offer.violations])


def _occupy_all(chosen: Sequence[Reservation], judged: Sequence[Judged]) -> set[int]:
    """Take the new time of each; returns the numbers of those that are taken."""
    lost: set[int] = set()
    for found in sorted(judged, key=lambda each: (each.wish.instrument_id, each.wish.slot)):
        assert found.offer is not None  # noqa: S101 - it was judged
        policy, _ = found.offer.check()
        each, sheet = chosen[found.index], found.offer.sheet
        held = with_buffers(found.wish.slot, policy)
        try:
            taken = availability.occupy(each.instrument_id, held, units=sheet.units)
        except SlotTaken:
            lost.add(found.index)
        else:
            each.occupancy_id, each.unit = taken
    return lost


def _keep(
    each: Reservation, found: Judged, old: dict[str, object], before: TimeSlot, caller: Caller
) -> None:
    assert found.offer is not None  # noqa: S101 - it was judged
    policy, quoted = found.offer.check()
    for name, value in agreed_of(policy, quoted, is_statutory=each.is_statutory).items():
        setattr(each, name, value)
    prepaying.hold(each, caller)
    ask_again(each, found.offer.approval, caller)
    each.sequence += 1
    each.touch()
    record("reservation.moved", each, caller, old=old, new=facts(each))
    was = {"was_starts_at": before.starts_at, "was_ends_at": before.ends_at}
    owner = found.offer.sheet.institution_id
    tell(Kind.CHANGE, each, owner=owner, **was, **late_fee(quoted))
