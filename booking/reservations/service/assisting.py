"""Changing who operates the instrument: at the same time, by today's price."""

from dataclasses import replace
from typing import Any

from booking.accounts.rules import Caller
from booking.kernel.errors import WrongState
from booking.kernel.money import Money
from booking.notices.rules import Kind
from booking.reservations import queries, rules
from booking.reservations.errors import NotBookable
from booking.reservations.models import Reservation, ReservationStatus
from booking.reservations.queries import Sheet
from booking.reservations.service import overriding, prepaying
from booking.reservations.service.asking import ask_again
from booking.reservations.service.changing import check_still_changeable
from booking.reservations.service.keeping import agreed_of, facts, record
from booking.reservations.service.offers import make_offer
from booking.reservations.service.telling import late_fee, tell
from booking.tariffs.rules import Quote

_STILL_AHEAD = frozenset({ReservationStatus.TENTATIVE, ReservationStatus.CONFIRMED})


def set_mode(
    reservation: Reservation,
    caller: Caller,
    *,
    is_assisted: bool,
    override_reason: str | None = None,
) -> Reservation:
    """Let a locked reservation be assisted or not, and price it anew; same again changes nothing.

    Only what the other way of operating breaks refuses it: the time was agreed on already. Raises
    WrongState, TooLateToChange, or NotBookable; with an `override_reason` as `move`.
    """
    if reservation.is_assisted is is_assisted:
        return reservation
    if reservation.status not in _STILL_AHEAD:
        raise WrongState(reservation.status, "change")
    slot = reservation.slot
    sheet = queries.get_sheet_of(reservation, slot)
    check_still_changeable(reservation, sheet, caller)
    kept: dict[str, Any] = {
        "samples": reservation.samples,
        "is_statutory": reservation.is_statutory,
        "prepaid": prepaying.of(reservation, waits=True),
    }
    before = make_offer(sheet, slot, **kept, is_assisted=reservation.is_assisted)
    offer = make_offer(sheet, slot, **kept, is_assisted=is_assisted)
    # What its hours are paid with has to hold for the new price, too.
    already = {each.rule for each in before.violations} - {rules.PREPAID}
    offer = replace(offer, violations=[e for e in offer.violations if e.rule not in already])
    offer = overriding.set_aside(offer, caller, override_reason)
    if offer.violations or sheet.policy is None or offer.quote is None:
        raise NotBookable(offer.violations)

    old = facts(reservation)
    agreed = agreed_of(sheet.policy, offer.quote, is_statutory=reservation.is_statutory)
    for name, value in agreed.items():
        if not name.startswith("buffer_"):  # the time that is held stays as it is
            setattr(reservation, name, value)
    prepaying.hold(reservation, caller)
    ask_again(reservation, offer.approval, caller)
    reservation.sequence += 1
    reservation.touch()
    new = facts(reservation) | {"is_assisted": is_assisted}
    record("reservation.mode_changed", reservation, caller, old=old, new=new)
    overriding.keep_override(reservation, offer, caller, override_reason)
    _tell(reservation, sheet, offer.quote)
    return reservation


def price_by_mode(reservation: Reservation) -> dict[bool, Money]:
    """Return what its time costs today, operated by oneself and assisted; where there is a price.

    Told before anybody changes the one for the other.
    """
    sheet = queries.get_sheet_of(reservation, reservation.slot)
    found: dict[bool, Money] = {}
    for assisted in (False, True):
        offer = make_offer(
            sheet, reservation.slot, samples=reservation.samples, is_assisted=assisted
        )
        if offer.quote is not None:
            found[assisted] = offer.quote.price
    return found


def _tell(reservation: Reservation, sheet: Sheet, quoted: Quote) -> None:
    was = {"was_starts_at": reservation.starts_at, "was_ends_at": reservation.ends_at}
    mode = {"now_assisted": reservation.is_assisted}
    tell(Kind.CHANGE, reservation, owner=sheet.institution_id, **was, **mode, **late_fee(quoted))
