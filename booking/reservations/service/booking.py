"""Quote, reserve, move and cancel: the customer's side of a reservation."""

from dataclasses import replace
from typing import Any, NamedTuple

from booking.accounts.rules import Caller, acting_for
from booking.availability import queries as calendars
from booking.availability import service as availability
from booking.availability.errors import SlotTaken
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import WrongState
from booking.kernel.money import Money
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.notices.rules import Kind
from booking.reservations import queries
from booking.reservations.models import HOLDING, Reservation, ReservationStatus
from booking.reservations.queries import Sheet
from booking.reservations.rules import Violation
from booking.reservations.service import fees, overriding, prepaying
from booking.reservations.service.asking import ask_again, awaiting
from booking.reservations.service.assisting import set_mode
from booking.reservations.service.changing import (
    changeable,
    check_not_needed,
    check_still_changeable,
)
from booking.reservations.service.keeping import NEW, agreed_of, facts, record, taking
from booking.reservations.service.offers import Offer, make_offer, taken, with_buffers
from booking.reservations.service.telling import confirmation, late_fee, tell

MOVABLE = frozenset({ReservationStatus.TENTATIVE, ReservationStatus.CONFIRMED})


def quote(
    instrument_id: int,
    slot: TimeSlot,
    *,
    caller: Caller,
    organisation_id: int | None = None,
    samples: int = 1,
    is_assisted: bool | None = None,
    is_statutory: bool = False,
    prepaid: int | None = None,
) -> Offer:
    """Return what the slot would cost the caller's organisation and what would refuse it.

    Raises NotFound, NotAllowed or WhichOrganisation.
    """
    buyer = (acting_for(caller, organisation_id), caller.user_id)
    offer = _offer(
        instrument_id,
        slot,
        buyer,
        samples,
        is_assisted=is_assisted,
        is_statutory=is_statutory,
        prepaid=prepaid,
    )
    return with_taken(offer)


def would_be(
    slot: TimeSlot,
    *,
    instrument_id: int,
    organisation_id: int,
    user_id: int,
    samples: int = 1,
    is_assisted: bool | None = None,
) -> Offer:
    """Return what somebody would be told of the slot now, whether it is taken or not.

    Raises NotFound.
    """
    buyer = (organisation_id, user_id)
    return _offer(instrument_id, slot, buyer, samples, is_assisted=is_assisted)


def with_taken(offer: Offer) -> Offer:
    """Return the offer, refused as well if nothing is left of the time."""
    sheet, policy = offer.sheet, offer.sheet.policy
    if policy is None or calendars.is_free(
        sheet.instrument_id, with_buffers(offer.slot, policy), units=sheet.units
    ):
        return offer
    is_taken = Violation("taken", N_("这个时段已被约走。"))
    return replace(offer, violations=[*offer.violations, is_taken])


def reserve(
    instrument_id: int,
    slot: TimeSlot,
    *,
    caller: Caller,
    organisation_id: int | None = None,
    user_id: int | None = None,
    purpose: str = "",
    is_assisted: bool | None = None,
    samples: int = 1,
    is_statutory: bool = False,
    override_reason: str | None = None,
    prepaid: int | None = None,
) -> Reservation:
    """Reserve the instrument, or raise NotBookable (all broken rules) or SlotTaken.

    Where its owner has to approve it, the time is held until then. The hours are paid from the
    balance `prepaid` if one is named. With an `override_reason` whoever manages the instrument
    sets rules aside, also for a firm (and somebody of it) that their institution knows.
    """
    buyer = overriding.buyer_of(
        instrument_id, caller, organisation_id, user_id, overrides=override_reason is not None
    )
    offer = _offer(
        instrument_id,
        slot,
        buyer,
        samples,
        is_assisted=is_assisted,
        is_statutory=is_statutory,
        prepaid=prepaid,
        waits=True,
    )
    offer = overriding.set_aside(offer, caller, override_reason)
    reservation = take(offer, caller, purpose=purpose)
    if reservation is None:
        raise taken(offer.sheet, slot)
    overriding.keep_override(reservation, offer, caller, override_reason)
    return reservation


def take(
    offer: Offer, caller: Caller, *, purpose: str, group_id: int | None = None
) -> Reservation | None:
    """Take what is offered and keep the reservation; None, and nothing, if it is taken.

    Raises NotBookable if something refuses it.
    """
    policy, quoted = offer.check()
    sheet, slot = offer.sheet, offer.slot
    held = with_buffers(slot, policy)
    agreed = agreed_of(policy, quoted, is_statutory=offer.is_statutory) | awaiting(offer.approval)
    told = confirmation(sheet, slot, agreed | late_fee(quoted))
    for unit in availability.free_units(sheet.instrument_id, held, units=sheet.units):
        columns = {
            **NEW,
            "instrument_id": sheet.instrument_id,
            "organisation_id": sheet.organisation_id,
            "user_id": sheet.standing.user_id,
            "group_id": group_id,
            "unit": unit,
            "starts_at": slot.starts_at,
            "ends_at": slot.ends_at,
            "purpose": purpose,
            **agreed,
        }
        hold = availability.taking_values(sheet.instrument_id, held, unit=unit)
        if (reservation := taking(hold | told, caller, **columns)) is not None:
            prepaying.hold(reservation, caller)
            return reservation
    return None


def change(
    reservation_id: int,
    *,
    caller: Caller,
    slot: TimeSlot | None = None,
    purpose: str | None = None,
    is_assisted: bool | None = None,
    version: int | None = None,
    override_reason: str | None = None,
) -> Reservation:
    """Move it to another slot, have it assisted or not, say another purpose; raises as `move`."""
    given: dict[str, Any] = {"is_assisted": is_assisted, "override_reason": override_reason}
    if slot is not None:
        reservation = move(reservation_id, slot, caller=caller, version=version, **given)
    else:
        reservation = changeable(reservation_id, caller, version)
        if is_assisted is not None:
            set_mode(reservation, caller, **given)
    if purpose is not None and purpose != reservation.purpose:
        if reservation.status not in HOLDING:
            raise WrongState(reservation.status, "change")
        old, reservation.purpose = reservation.purpose, purpose
        reservation.sequence += 1
        reservation.touch()
        record("reservation.purpose_changed", reservation, caller, old=old, new=purpose)
    return reservation


def move(
    reservation_id: int,
    slot: TimeSlot,
    *,
    caller: Caller,
    version: int | None = None,
    is_assisted: bool | None = None,
    override_reason: str | None = None,
) -> Reservation:
    """Move to another slot at today's price, or raise NotBookable, SlotTaken, TooLateToChange.

    Releases and occupies in one transaction; whatever fails leaves the old slot held. With an
    `override_reason` whoever manages the instrument sets rules aside.
    """
    try:
        # Rolled back, the savepoint lets the queue go on while we look what else is free.
        with db.session.begin_nested():
            how = _How(is_assisted, override_reason)
            return _move(reservation_id, slot, caller, version, how)
    except _Lost as lost:
        raise taken(lost.sheet, slot) from None
    except _MovedMeanwhile:
        return move(
            reservation_id,
            slot,
            caller=caller,
            version=version,
            is_assisted=is_assisted,
            override_reason=override_reason,
        )


class _How(NamedTuple):
    """What a move may change besides the time, and why against the rules."""

    is_assisted: bool | None
    override_reason: str | None


class _Lost(Exception):
    """Somebody was faster."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet


class _MovedMeanwhile(Exception):
    """It lay elsewhere when we looked whether we have to queue."""


INSTRUMENT = "SELECT instrument_id FROM reservations WHERE id = %(id)s"
# Of a reservation that may hold some of the time it moves to, whatever the buffers (a day at most).
_INSTRUMENT_IF_NEAR = f"""{INSTRUMENT}
AND starts_at < CAST(%(ends_at)s AS timestamptz) + interval '2 days'
AND ends_at > CAST(%(starts_at)s AS timestamptz) - interval '2 days'"""


def _move(
    reservation_id: int,
    slot: TimeSlot,
    caller: Caller,
    version: int | None,
    how: _How,
) -> Reservation:
    near = {"starts_at": slot.starts_at, "ends_at": slot.ends_at}
    has_queued = availability.queue_for(reservation_id, instrument=_INSTRUMENT_IF_NEAR, **near)
    reservation = changeable(reservation_id, caller, version)
    if reservation.status not in MOVABLE:
        raise WrongState(reservation.status, "move")
    assisted = reservation.is_assisted if how.is_assisted is None else how.is_assisted
    override_reason = how.override_reason
    if reservation.slot == slot:
        return set_mode(reservation, caller, is_assisted=assisted, override_reason=override_reason)
    sheet = queries.get_sheet_of(reservation, slot, waits=True)
    check_still_changeable(reservation, sheet, caller)
    offer = make_offer(
        sheet,
        slot,
        samples=reservation.samples,
        is_assisted=assisted,
        is_statutory=reservation.is_statutory,
        prepaid=prepaying.of(reservation, waits=True),
    )
    offer = overriding.set_aside(offer, caller, override_reason)
    policy, quoted = offer.check()

    old, before = facts(reservation), reservation.slot
    _take_instead(reservation, sheet, with_buffers(slot, policy), has_queued=has_queued)
    reservation.slot = slot
    agreed = agreed_of(policy, quoted, is_statutory=reservation.is_statutory)
    for name, value in agreed.items():
        setattr(reservation, name, value)
    prepaying.hold(reservation, caller)
    ask_again(reservation, offer.approval, caller)
    reservation.sequence += 1
    reservation.touch()
    record("reservation.moved", reservation, caller, old=old, new=facts(reservation))
    overriding.keep_override(reservation, offer, caller, override_reason)
    was = {"was_starts_at": before.starts_at, "was_ends_at": before.ends_at}
    tell(Kind.CHANGE, reservation, owner=sheet.institution_id, **was, **late_fee(quoted))
    return reservation


def _take_instead(
    reservation: Reservation, sheet: Sheet, wanted: TimeSlot, *, has_queued: bool
) -> None:
    """Exchange the time held for other time, or raise _Lost.

    Time elsewhere is taken before the old is given back: who waits for it then holds nothing that
    another could wait for, and needs no queue.
    """
    held, old = reservation.held, reservation.occupancy_id
    assert old is not None  # noqa: S101 - the table's CHECK says so
    if held.overlaps(wanted):
        if not has_queued:
            raise _MovedMeanwhile
        availability.release(old)
        reservation.occupancy_id, reservation.unit = _occupy(sheet, wanted)
        return
    reservation.occupancy_id, reservation.unit = _occupy(sheet, wanted)
    availability.release(old)


def cancel(
    reservation_id: int, *, caller: Caller, reason: str = "", version: int | None = None
) -> Reservation:
    """Cancel and free the time, after the free moment at the fee that was agreed.

    Raises WrongState, Stale, or TooLateToChange where there is no such fee.
    """
    reservation = changeable(reservation_id, caller, version)
    fee = None
    if reservation.status in HOLDING:
        sheet = queries.get_sheet_of(reservation, reservation.slot, waits=True)
        fee = fees.of_cancelling(reservation, sheet, caller)
        check_not_needed(sheet, caller)
    call_off(reservation, caller, reason, fee=fee)
    tell_cancelled(reservation, caller, reason)
    return reservation


def call_off(
    reservation: Reservation, caller: Caller, reason: str, *, fee: Money | None = None
) -> None:
    """Cancel a locked reservation and tell nobody yet; raises WrongState."""
    old, held = facts(reservation), reservation.occupancy_id
    reservation.become(ReservationStatus.CANCELLED, action="cancel")
    reservation.occupancy_id = None
    reservation.cancelled_at = clock.now()
    reservation.cancelled_by = caller.user_id
    reservation.cancel_reason = reason
    reservation.fee_minor = fee.minor if fee else 0
    reservation.sequence += 1
    prepaying.give_back(reservation, caller)
    db.session.flush()
    if held is not None:
        availability.release(held)
    record(
        "reservation.cancelled",
        reservation,
        caller,
        old=old,
        new=facts(reservation),
        reason=reason,
    )


def tell_cancelled(reservation: Reservation, caller: Caller, reason: str, **more: object) -> None:
    """Tell both sides that it was cancelled, and by which of them."""
    by_owner = reservation.organisation_id not in caller.organisations
    owner = reservation.instrument.institution_id
    told = {"by_owner": by_owner, "reason": reason, "fee_minor": reservation.fee_minor}
    tell(Kind.CANCELLATION, reservation, owner=owner, **told, **more)


def _offer(
    instrument_id: int,
    slot: TimeSlot,
    buyer: tuple[int, int],
    samples: int,
    *,
    is_assisted: bool | None = None,
    is_statutory: bool = False,
    prepaid: int | None = None,
    waits: bool = False,
) -> Offer:
    organisation_id, user_id = buyer
    sheet = queries.get_sheet(
        instrument_id, slot, organisation_id=organisation_id, user_id=user_id, waits=waits
    )
    hours = prepaying.chosen(prepaid, sheet, waits=waits)
    return make_offer(
        sheet,
        slot,
        samples=samples,
        is_assisted=is_assisted,
        is_statutory=is_statutory,
        prepaid=hours,
    )


def _occupy(sheet: Sheet, wanted: TimeSlot) -> tuple[int, int]:
    try:
        return availability.occupy(sheet.instrument_id, wanted, units=sheet.units)
    except SlotTaken:
        raise _Lost(sheet) from None
