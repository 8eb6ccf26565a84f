"""Who may change a reservation, and whether it is still theirs to change."""

from booking.accounts.rules import Caller, Permission
from booking.kernel import clock
from booking.kernel.errors import NotAllowed
from booking.reservations import queries, rules
from booking.reservations.errors import NotBookable
from booking.reservations.models import Reservation, ReservationStatus
from booking.reservations.queries import Sheet


def changeable(reservation_id: int, caller: Caller, version: int | None) -> Reservation:
    """Return the reservation, locked, if the caller may change it.

    Its maker may, who manages the organisation, and who works the day at the owner. Raises
    NotFound, NotAllowed or Stale.
    """
    reservation = queries.get_reservation(reservation_id, caller=caller, for_update=True)
    check_changer(reservation, caller)
    reservation.check_version(version)
    return reservation


def check_changer(reservation: Reservation, caller: Caller) -> None:
    """Raise NotAllowed for who sees it but may not change it."""
    customer, owner = reservation.organisation_id, reservation.instrument.institution_id
    made_it = reservation.user_id == caller.user_id and caller.may(Permission.RESERVE, customer)
    if not (
        made_it
        or caller.may(Permission.CHANGE_CUSTOMER_SIDE, customer)
        or caller.may(Permission.RUN_INSTRUMENTS, owner)
    ):
        raise NotAllowed


def check_still_changeable(reservation: Reservation, sheet: Sheet, caller: Caller) -> None:
    """Raise TooLateToChange for the customer's side once the owner's moment has passed."""
    works_there = caller.may(Permission.RUN_INSTRUMENTS, sheet.institution_id)
    is_asked = reservation.status is ReservationStatus.TENTATIVE  # and not promised yet
    if sheet.policy is not None and not works_there and not is_asked:
        rules.check_changeable(reservation.slot, sheet.policy, now=clock.now())


def check_not_needed(sheet: Sheet, caller: Caller) -> None:
    """Raise NotBookable for the customer's side if another reservation needs this one."""
    if sheet.policy is None or caller.may(Permission.RUN_INSTRUMENTS, sheet.institution_id):
        return
    if broken := list(rules.broken_pairs(None, sheet.policy, sheet.standing)):
        raise NotBookable(broken)
