"""What a slot that was asked for, or moved to, waits for."""

from typing import Any

from booking.accounts.rules import Caller, Permission
from booking.reservations.models import Reservation, ReservationStatus
from booking.reservations.service.offers import Approval


def awaiting(approval: Approval) -> dict[str, Any]:
    """Return the status of a slot that was asked for, and what it waits for."""
    if not approval.needed:
        confirmed = ReservationStatus.CONFIRMED
        return {"status": confirmed, "approval_rules": None, "expires_at": None}
    return {
        "status": ReservationStatus.TENTATIVE,
        "approval_rules": " ".join(approval.reasons),
        "expires_at": approval.expires_at,
    }


def ask_again(reservation: Reservation, approval: Approval, caller: Caller) -> None:
    """Let a moved reservation wait for approval if its new slot needs it.

    Moved by the owner's own people, what was approved stays approved.
    """
    is_confirmed = reservation.status is ReservationStatus.CONFIRMED
    runs_it = caller.may(Permission.RUN_INSTRUMENTS, reservation.instrument.institution_id)
    if is_confirmed and runs_it:
        return
    for name, value in awaiting(approval).items():
        setattr(reservation, name, value)
    reservation.decided_at = reservation.decided_by = None
    reservation.decision_note = ""
