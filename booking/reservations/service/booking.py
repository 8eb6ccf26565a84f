"""Quote, reserve, move and cancel: the customer's side of a reservation."""

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import make_transient_to_detached

from booking.accounts.rules import Caller, Permission, acting_for
from booking.availability import queries as calendars
from booking.availability import service as availability
from booking.availability.errors import SlotTaken
from booking.availability.rules import BookingPolicy
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import NotAllowed, WrongState
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.notices.rules import Kind
from booking.reservations import queries, rules
from booking.reservations.models import HOLDING, Reservation, ReservationStatus
from booking.reservations.queries import Sheet
from booking.reservations.rules import Violation
from booking.reservations.service.asking import ask_again, awaiting
from booking.reservations.service.offers import Offer, make_offer, taken
from booking.reservations.service.telling import CONFIRMING, confirmation, tell
from booking.tariffs import rules as tariffs

MOVABLE = frozenset({ReservationStatus.TENTATIVE, ReservationStatus.CONFIRMED})


def quote(
    instrument_id: int,
    slot: TimeSlot,
    *,
    caller: Caller,
    organisation_id: int | None = None,
    is_assisted: bool | None = None,
) -> Offer:
    """Return what the slot would cost the caller's organisation and what would refuse it.

    Raises NotFound, NotAllowed or WhichOrganisation.
    """
    offer = _offer(instrument_id, slot, caller, organisation_id, is_assisted)
    policy = offer.sheet.policy
    if policy is None or calendars.is_free(
        instrument_id, _with_buffers(slot, policy), units=offer.sheet.units
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
    purpose: str = "",
    is_assisted: bool | None = None,
) -> Reservation:
    """Reserve the instrument, or raise NotBookable (all broken rules) or SlotTaken.

    Where its owner has to approve it, the time is held until then.
    """
    offer = _offer(instrument_id, slot, caller, organisation_id, is_assisted)
    policy, quoted = offer.check()
    held = _with_buffers(slot, policy)
    agreed = _agreed(policy, quoted) | awaiting(offer.approval)
    told = confirmation(offer.sheet, slot, caller, agreed)
    for unit in availability.free_units(instrument_id, held, units=offer.sheet.units):
        now = clock.now()
        reservation = _taking(
            availability.taking_values(instrument_id, held, unit=unit) | told,
            caller,
            instrument_id=instrument_id,
            organisation_id=offer.sheet.organisation_id,
            user_id=caller.user_id,
            unit=unit,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            purpose=purpose,
            is_assisted=offer.is_assisted,
            decided_at=None,
            decided_by=None,
            decision_note="",
            sequence=0,
            cancelled_at=None,
            cancelled_by=None,
            cancel_reason="",
            version=1,
            created_at=now,
            updated_at=now,
            **agreed,
        )
        if reservation is not None:
            return reservation
    raise taken(offer.sheet, slot)


def change(
    reservation_id: int,
    *,
    caller: Caller,
    slot: TimeSlot | None = None,
    purpose: str | None = None,
    version: int | None = None,
) -> Reservation:
    """Move it to another slot, say another purpose, or both; raises as `move`."""
    if slot is None:
        reservation = changeable(reservation_id, caller, version)
    else:
        reservation = move(reservation_id, slot, caller=caller, version=version)
    if purpose is not None and purpose != reservation.purpose:
        if reservation.status not in HOLDING:
            raise WrongState(reservation.status, "change")
        old, reservation.purpose = reservation.purpose, purpose
        reservation.sequence += 1
        reservation.touch()
        record("reservation.purpose_changed", reservation, caller, old=old, new=purpose)
    return reservation


def move(
    reservation_id: int, slot: TimeSlot, *, caller: Caller, version: int | None = None
) -> Reservation:
    """Move to another slot at today's price, or raise NotBookable, SlotTaken, TooLateToChange.

    Releases and occupies in one transaction; whatever fails leaves the old slot held.
    """
    try:
        # Rolled back, the savepoint lets the queue go on while we look what else is free.
        with db.session.begin_nested():
            return _move(reservation_id, slot, caller, version)
    except _Lost as lost:
        raise taken(lost.sheet, slot) from None
    except _MovedMeanwhile:
        return move(reservation_id, slot, caller=caller, version=version)


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


def _move(reservation_id: int, slot: TimeSlot, caller: Caller, version: int | None) -> Reservation:
    near = {"starts_at": slot.starts_at, "ends_at": slot.ends_at}
    has_queued = availability.queue_for(reservation_id, instrument=_INSTRUMENT_IF_NEAR, **near)
    reservation = changeable(reservation_id, caller, version)
    if reservation.status not in MOVABLE:
        raise WrongState(reservation.status, "move")
    if reservation.slot == slot:
        return reservation
    sheet = queries.get_sheet_of(reservation, slot)
    _check_changeable(reservation, sheet, caller)
    offer = make_offer(sheet, slot, is_assisted=reservation.is_assisted)
    policy, quoted = offer.check()

    old, before = facts(reservation), reservation.slot
    _take_instead(reservation, sheet, _with_buffers(slot, policy), has_queued=has_queued)
    reservation.slot = slot
    for name, value in _agreed(policy, quoted).items():
        setattr(reservation, name, value)
    ask_again(reservation, offer.approval, caller)
    reservation.sequence += 1
    reservation.touch()
    record("reservation.moved", reservation, caller, old=old, new=facts(reservation))
    was = {"was_starts_at": before.starts_at, "was_ends_at": before.ends_at}
    tell(Kind.CHANGE, reservation, owner=sheet.institution_id, **was)
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
    """Cancel and free the time, or raise WrongState, Stale or TooLateToChange."""
    reservation = changeable(reservation_id, caller, version)
    if reservation.status in HOLDING:
        sheet = queries.get_sheet_of(reservation, reservation.slot)
        _check_changeable(reservation, sheet, caller)
    return let_go(reservation, caller, reason)


def let_go(reservation: Reservation, caller: Caller, reason: str) -> Reservation:
    """Cancel a locked reservation, whoever decided it, and tell both sides.

    Raises WrongState if it can no longer be cancelled.
    """
    old, held = facts(reservation), reservation.occupancy_id
    reservation.become(ReservationStatus.CANCELLED, action="cancel")
    reservation.occupancy_id = None
    reservation.cancelled_at = clock.now()
    reservation.cancelled_by = caller.user_id
    reservation.cancel_reason = reason
    reservation.sequence += 1
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
    by_owner = reservation.organisation_id not in caller.organisations
    owner = reservation.instrument.institution_id
    tell(Kind.CANCELLATION, reservation, owner=owner, by_owner=by_owner, reason=reason)
    return reservation


def changeable(reservation_id: int, caller: Caller, version: int | None) -> Reservation:
    """Return the reservation, locked, if the caller may change it.

    Its maker may, who manages the organisation, and who works the day at the owner. Raises
    NotFound, NotAllowed or Stale.
    """
    reservation = queries.get_reservation(reservation_id, caller=caller, for_update=True)
    customer, owner = reservation.organisation_id, reservation.instrument.institution_id
    made_it = reservation.user_id == caller.user_id and caller.may(Permission.RESERVE, customer)
    if not (
        made_it
        or caller.may(Permission.CHANGE_CUSTOMER_SIDE, customer)
        or caller.may(Permission.RUN_INSTRUMENTS, owner)
    ):
        raise NotAllowed
    reservation.check_version(version)
    return reservation


def _offer(
    instrument_id: int,
    slot: TimeSlot,
    caller: Caller,
    organisation_id: int | None,
    is_assisted: bool | None,
) -> Offer:
    customer = acting_for(caller, organisation_id)
    sheet = queries.get_sheet(instrument_id, slot, organisation_id=customer, user_id=caller.user_id)
    return make_offer(sheet, slot, is_assisted=is_assisted)


def _check_changeable(reservation: Reservation, sheet: Sheet, caller: Caller) -> None:
    """Raise TooLateToChange for the customer's side once the owner's moment has passed."""
    works_there = caller.may(Permission.RUN_INSTRUMENTS, sheet.institution_id)
    is_asked = reservation.status is ReservationStatus.TENTATIVE  # and not promised yet
    if sheet.policy is not None and not works_there and not is_asked:
        rules.check_changeable(reservation.slot, sheet.policy, now=clock.now())


def _occupy(sheet: Sheet, wanted: TimeSlot) -> tuple[int, int]:
    try:
        return availability.occupy(sheet.instrument_id, wanted, units=sheet.units)
    except SlotTaken:
        raise _Lost(sheet) from None


def _with_buffers(slot: TimeSlot, policy: BookingPolicy) -> TimeSlot:
    return slot.widened(
        before_minutes=policy.buffer_before_minutes, after_minutes=policy.buffer_after_minutes
    )


def _agreed(policy: BookingPolicy, quoted: tariffs.Quote) -> dict[str, Any]:
    """Return what is copied onto the reservation: price, baseline, buffers (domain §4.3)."""
    return {
        "buffer_before_minutes": policy.buffer_before_minutes,
        "buffer_after_minutes": policy.buffer_after_minutes,
        "customer_class": quoted.customer_class,
        "price_id": quoted.price_id,
        "currency": quoted.price.currency,
        "list_minor": quoted.list_price.minor,
        "price_minor": quoted.price.minor,
        "baseline_minor": quoted.baseline.minor if quoted.baseline else None,
        "baseline_rank": quoted.baseline_rank,
    }


_COLUMNS = [
    column.key
    for column in Reservation.__table__.columns
    if column.key not in {"id", "occupancy_id"}
]
# Taking the time, the reservation, its journal entry and its notice: one statement, on the
# busiest path.
_RESERVE = journal.recording(
    f"INSERT INTO reservations (occupancy_id, {', '.join(_COLUMNS)}) "  # noqa: S608 - our own
    f"SELECT taken.id, {', '.join(f'%({name})s' for name in _COLUMNS)} FROM taken "
    "RETURNING id, occupancy_id",
    after=availability.TAKING,
    beside=CONFIRMING,
)


def _taking(hold: dict[str, Any], caller: Caller, **columns: Any) -> Reservation | None:
    """Take the time and keep a reservation of these columns; None, and nothing, if it is taken."""
    reservation = Reservation(**columns)
    made = journal.insert_recorded(
        _RESERVE,
        columns | hold,
        action="reservation.reserved",
        subject_type="reservation",
        by=caller.user_id,
        organisation_id=reservation.organisation_id,
        new=facts(reservation),
    )
    if made is None:
        return None
    reservation.id, reservation.occupancy_id = made
    make_transient_to_detached(reservation)
    db.session.add(reservation)
    return reservation


def facts(reservation: Reservation) -> dict[str, object]:
    """Return what the journal keeps of a reservation."""
    return {
        "status": reservation.status,
        "unit": reservation.unit,
        "starts_at": reservation.starts_at.isoformat(),
        "ends_at": reservation.ends_at.isoformat(),
        "price_minor": reservation.price_minor,
        "list_minor": reservation.list_minor,
        "baseline_minor": reservation.baseline_minor,
        "price_id": reservation.price_id,
        "expires_at": reservation.expires_at.isoformat() if reservation.expires_at else None,
    }


def record(action: str, reservation: Reservation, caller: Caller | None, **data: object) -> None:
    """Write a change of a reservation into the journal; without a caller it was a job's."""
    journal.record(
        action,
        "reservation",
        reservation.id,
        by=caller.user_id if caller else None,
        organisation_id=reservation.organisation_id,
        **data,
    )
