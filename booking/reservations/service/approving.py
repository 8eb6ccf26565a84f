"""What waits for the owner's word: approving it, declining it, and letting it expire."""

from booking.accounts.rules import Caller, Permission, require
from booking.availability import service as availability
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, WrongState
from booking.kernel.text import N_
from booking.notices.rules import Kind
from booking.reservations import queries, rules
from booking.reservations.errors import HoldExpired, NotBookable
from booking.reservations.models import Reservation, ReservationStatus
from booking.reservations.rules import Violation
from booking.reservations.service import prepaying
from booking.reservations.service.changing import changeable
from booking.reservations.service.keeping import facts, record
from booking.reservations.service.offers import Offer, make_offer
from booking.reservations.service.telling import tell

BATCH = 100


def approve(
    reservation_id: int, *, caller: Caller, note: str = "", version: int | None = None
) -> Reservation:
    """Approve what is held, as whoever runs the instrument; the price stays as it was asked for.

    The rules are asked again, as they stand now. Raises NotBookable with what broke since,
    HoldExpired, WrongState, or as `changeable`.
    """
    reservation = _waiting(reservation_id, caller, version, "approve")
    if reservation.expires_at is not None and clock.now() >= reservation.expires_at:
        raise HoldExpired
    if broken := broken_since(reservation):
        raise NotBookable(broken)
    _decide(reservation, ReservationStatus.CONFIRMED, caller, note)
    return reservation


def broken_since(reservation: Reservation) -> list[Violation]:
    """Return what would refuse a slot that is held; not what is about when to ask for one."""
    found = _as_of_now(reservation).violations
    return [each for each in found if each.rule not in rules.OF_ASKING]


def needs_approval(reservation: Reservation) -> bool:
    """Tell whether its slot, asked for now, would need approval."""
    return _as_of_now(reservation).approval.needed


def _as_of_now(reservation: Reservation) -> Offer:
    return make_offer(
        queries.get_sheet_of(reservation, reservation.slot),
        reservation.slot,
        samples=reservation.samples,
        is_assisted=reservation.is_assisted,
        is_statutory=reservation.is_statutory,
        prepaid=prepaying.of(reservation),
    )


def decline(
    reservation_id: int, *, caller: Caller, reason: str, version: int | None = None
) -> Reservation:
    """Decline what is held, saying why, and free its time.

    Raises InvalidField without a reason, WrongState, or as `changeable`.
    """
    if not reason:
        raise InvalidField("reason", N_("请写明原因，企业会看到。"))
    reservation = _waiting(reservation_id, caller, version, "decline")
    _decide(reservation, ReservationStatus.DECLINED, caller, reason)
    return reservation


def expire_holds() -> int:
    """End the holds that nobody answered in time and free theirs; returns how many.

    Somebody who decides on one just now has it; if they could not, the next run ends it.
    """
    due = queries.expired_holds(clock.now(), limit=BATCH)
    prepaying.lock(due)
    for reservation in due:
        _end(reservation, ReservationStatus.EXPIRED, None)
    return len(due)


def _waiting(reservation_id: int, caller: Caller, version: int | None, action: str) -> Reservation:
    reservation = changeable(reservation_id, caller, version)
    require(caller, Permission.RUN_INSTRUMENTS, reservation.instrument.institution_id)
    if reservation.status is not ReservationStatus.TENTATIVE:
        raise WrongState(reservation.status, action)
    return reservation


def _decide(reservation: Reservation, status: ReservationStatus, caller: Caller, note: str) -> None:
    reservation.decided_at, reservation.decided_by = clock.now(), caller.user_id
    reservation.decision_note = note
    _end(reservation, status, caller)


# What each end is called: as a move, in the journal, and in the notice that tells of it.
_ENDS = {
    ReservationStatus.CONFIRMED: ("approve", "reservation.approved", Kind.APPROVED),
    ReservationStatus.DECLINED: ("decline", "reservation.declined", Kind.DECLINED),
    ReservationStatus.EXPIRED: ("expire", "reservation.expired", Kind.EXPIRED),
}


def _end(reservation: Reservation, status: ReservationStatus, caller: Caller | None) -> None:
    """End the waiting; whatever does not come about gives its time back."""
    old, held, note = facts(reservation), reservation.occupancy_id, reservation.decision_note
    action, entry, kind = _ENDS[status]
    is_off = status is not ReservationStatus.CONFIRMED
    if is_off:
        prepaying.give_back(reservation, caller)
    reservation.become(status, action=action)
    reservation.sequence += 1
    if is_off:
        reservation.occupancy_id = None
    else:
        reservation.expires_at = None
    db.session.flush()
    if is_off and held is not None:
        availability.release(held)
    record(entry, reservation, caller, old=old, new=facts(reservation), note=note)
    tell(kind, reservation, owner=reservation.instrument.institution_id, note=note)
