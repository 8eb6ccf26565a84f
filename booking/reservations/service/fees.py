"""What is due though nothing was used: for cancelling late, and for not coming."""

from booking.accounts.rules import Caller, Permission
from booking.kernel import clock
from booking.kernel.money import Money
from booking.reservations import queries, rules
from booking.reservations.models import HOLDING, Reservation, ReservationStatus
from booking.reservations.queries import Sheet
from booking.tariffs import queries as tariffs
from booking.tariffs.rules import Terms, fee


def if_cancelled_late(reservation: Reservation) -> Money | None:
    """Return what cancelling costs after the free moment; None where nobody can by then."""
    return fee(_terms(reservation).late_cancel, reservation.price)


def if_nobody_comes(reservation: Reservation) -> Money | None:
    """Return what not coming costs, if anything."""
    return fee(_terms(reservation).no_show, reservation.price)


def of_cancelling(reservation: Reservation, sheet: Sheet, caller: Caller) -> Money | None:
    """Return what cancelling now costs whom: nothing in time, and nothing if the owner does it.

    Raises TooLateToChange once the slot has begun, and after the free moment where the price
    that was agreed on has no fee for it.
    """
    is_asked = reservation.status is ReservationStatus.TENTATIVE  # and not promised yet
    if sheet.policy is None or is_asked:
        return None
    if caller.may(Permission.RUN_INSTRUMENTS, sheet.institution_id):
        return None
    now = clock.now()
    if now <= rules.changeable_until(reservation.slot, sheet.policy):
        return None
    due = if_cancelled_late(reservation) if now < reservation.starts_at else None
    if due is None:
        rules.check_changeable(reservation.slot, sheet.policy, now=now)
    return due


def of_cancelling_now(reservation: Reservation, *, caller: Caller) -> Money | None:
    """Return the same before anybody cancels; None for what no longer can be."""
    if reservation.status not in HOLDING:
        return None
    return of_cancelling(reservation, queries.get_sheet_of(reservation, reservation.slot), caller)


def _terms(reservation: Reservation) -> Terms:
    if reservation.price_id is None:
        return Terms()
    return tariffs.get_price(reservation.price_id).terms
