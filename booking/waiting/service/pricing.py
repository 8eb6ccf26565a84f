"""What accepting an open offer would cost now, and what would refuse it."""

from collections.abc import Iterable
from dataclasses import replace

from booking.accounts.rules import Caller
from booking.kernel.errors import NotFound
from booking.kernel.text import N_
from booking.reservations.rules import Violation
from booking.reservations.service import would_be
from booking.waiting.queries import Placed
from booking.waiting.rules import Standing

_WITHDRAWN = Violation("withdrawn", N_("机构已撤回这台仪器，暂时不能预约。"))


def priced(found: Iterable[Placed], *, caller: Caller) -> list[Placed]:
    """Return them with price and refusals where an offer is open, as the caller would be told.

    One statement for each open offer: a firm has at most one on an instrument, ten in all.
    """
    return [_priced(each, caller) for each in found]


def _priced(found: Placed, caller: Caller) -> Placed:
    entry = found.entry
    if entry.standing is not Standing.OFFERED or entry.offered is None:
        return found
    try:
        told = would_be(
            entry.offered,
            instrument_id=entry.instrument_id,
            organisation_id=entry.organisation_id,
            user_id=caller.user_id,
            samples=entry.samples,
            is_assisted=entry.is_assisted,
        )
    except NotFound:  # withdrawn meanwhile
        return replace(found, refusals=(_WITHDRAWN,))
    price = None if told.quote is None else told.quote.price
    return replace(found, price=price, refusals=tuple(told.violations))
