"""A reservation and the hours its firm bought beforehand: holding, using and giving them back."""

from collections.abc import Iterable
from typing import Any

from booking.accounts.rules import Caller
from booking.kernel.errors import NotFound
from booking.packages import queries as packages
from booking.packages import service as ledger
from booking.packages.models import PrepaidBalance
from booking.packages.rules import Prepaid
from booking.reservations.models import Reservation
from booking.reservations.queries import Sheet


def chosen(balance_id: int | None, sheet: Sheet, *, waits: bool) -> Prepaid | None:
    """Return the balance that was named, if one was; raises NotFound unless it is theirs to use.

    Who is going to take from it `waits` for others who do, before any time is taken: in this
    order nobody waits for somebody who waits for them.
    """
    if balance_id is None:
        return None
    found = packages.lock(balance_id, waits=waits)
    if (
        found is None
        or found.organisation_id != sheet.organisation_id
        or found.institution_id != sheet.institution_id
    ):
        raise NotFound
    return found.prepaid()


def of(reservation: Reservation, *, waits: bool = False) -> Prepaid | None:
    """Return the balance of a reservation, with what the reservation has of it as if left."""
    if reservation.prepaid_id is None:
        return None
    found = packages.lock(reservation.prepaid_id, waits=waits)
    if found is None:
        return None
    return found.prepaid(packages.taken_for(found.id, reservation.id))


def lock(reservations: Iterable[Reservation]) -> None:
    """Lock the balances of several reservations before any of their time is given back."""
    packages.lock_each(each.prepaid_id for each in reservations if each.prepaid_id is not None)


def hold(reservation: Reservation, caller: Caller) -> None:
    """Let it hold just the minutes that were agreed to be paid so."""
    balance = _balance(reservation)
    if balance is None:
        return
    wanted = reservation.prepaid.minutes if reservation.prepaid else 0
    if packages.taken_for(balance.id, reservation.id) == wanted:
        return
    ledger.release(balance, reservation.id, by=caller.user_id)
    ledger.hold(balance, reservation.id, wanted, by=caller.user_id)


def use(reservation: Reservation, caller: Caller) -> None:
    """Take what the confirmed use comes to and give the rest back."""
    balance = _balance(reservation)
    if balance is not None:
        used = reservation.prepaid_now.minutes if reservation.prepaid_now else 0
        ledger.use(balance, reservation.id, used, by=caller.user_id)


def give_back(reservation: Reservation, caller: Caller | None) -> None:
    """Give back all that is held for what does not come about."""
    balance = _balance(reservation)
    if balance is not None:
        ledger.release(balance, reservation.id, by=caller.user_id if caller else None)


def is_whole(reservation: Reservation) -> bool:
    """Tell whether nothing is to be paid beside what the balance pays."""
    to_pay = reservation.to_pay
    return reservation.prepaid_now is not None and to_pay is not None and to_pay.minor == 0


def reference(reservation: Reservation) -> str:
    """Return by what a wholly prepaid use is settled: the balance's number; nothing for others."""
    if not is_whole(reservation) or reservation.prepaid_id is None:
        return ""
    found = packages.lock(reservation.prepaid_id, waits=False)
    return found.number if found else ""


def evidence(reservation: Reservation) -> dict[str, Any] | None:
    """Return what the prepaid part of a price rests on, for the line of savings."""
    covered = reservation.prepaid_now
    found = packages.lock(covered.id, waits=False) if covered else None
    if covered is None or found is None:
        return None
    return {
        "balance": found.number,
        "package_id": found.package_id,
        "package": found.package.name,
        "hours": found.hours,
        "price": found.price.amount,
        "paid_on": found.paid_on.isoformat(),
        "reference": found.reference,
        "per_hour": covered.per_hour.amount,
        "minutes": covered.minutes,
        "amount": covered.amount.amount,
    }


def _balance(reservation: Reservation) -> PrepaidBalance | None:
    return None if reservation.prepaid_id is None else packages.lock(reservation.prepaid_id)
