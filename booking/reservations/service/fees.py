"""What is due though nothing was used: for cancelling late, and for not coming."""

from datetime import date

from booking.accounts.rules import Caller, Permission, require
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, WrongState
from booking.kernel.money import Money
from booking.kernel.text import N_
from booking.notices.rules import Kind
from booking.reservations import queries, rules
from booking.reservations.models import (
    HOLDING,
    FeeEnd,
    FeeSettlement,
    Reservation,
    ReservationStatus,
)
from booking.reservations.queries import Sheet
from booking.reservations.service.keeping import record
from booking.reservations.service.telling import tell
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


def settle_fee(
    reservation_id: int,
    *,
    caller: Caller,
    settlement: FeeEnd,
    settled_on: date,
    reference: str = "",
    reason: str = "",
    version: int | None = None,
) -> Reservation:
    """Record as the institution's finance how a fee was paid, or why it was waived; once.

    Nothing was used, so nothing is saved by it, whatever became of it (domain §4.5).
    Raises InvalidField, WrongState, NotFound, NotAllowed or Stale.
    """
    reservation = queries.get_reservation(reservation_id, caller=caller, for_update=True)
    reservation.check_version(version)
    owner = reservation.instrument.institution_id
    require(caller, Permission.KEEP_BOOKS, owner)
    # Asked anew: who waited for the lock read it before that.
    if reservation.fee is None or queries.find_fee_settlement(reservation.id) is not None:
        raise WrongState("settled" if reservation.fee else reservation.status, "settle-fee")
    if settled_on > clock.today():
        raise InvalidField("settled_on", N_("不能填写将来的日期。"))
    if settled_on < reservation.created_at.astimezone(clock.CHINA).date():
        raise InvalidField("settled_on", N_("日期太早，请核对。"))
    is_waived = settlement is FeeEnd.WAIVED
    if is_waived and not reason:
        raise InvalidField("reason", N_("请写明免收的原因，企业会看到。"))
    if not is_waived and not reference:
        raise InvalidField("reference", N_("请填写回单号、发票号或挂账协议编号。"))
    done = FeeSettlement(
        reservation_id=reservation.id,
        settlement=settlement,
        settled_on=settled_on,
        reference=reference,
        reason=reason,
        settled_by=caller.user_id,
    )
    reservation.fee_settlement = done
    reservation.touch()
    db.session.flush()
    kept = {"settlement": settlement, "settled_on": settled_on.isoformat(), "reference": reference}
    record("reservation.fee_settled", reservation, caller, new=kept, note=reason)
    told = {"fee_minor": reservation.fee_minor, "settlement": settlement, "reason": reason}
    tell(Kind.FEE, reservation, owner=owner, **told)
    return reservation
