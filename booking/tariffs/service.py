"""Publishing prices: a new version takes the place of the current one, none is ever edited."""

from decimal import Decimal

from booking.accounts.rules import Caller, CustomerClass, Permission, require
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.money import Money
from booking.registry import queries as registry
from booking.tariffs import queries
from booking.tariffs.models import Price


def publish_price(
    instrument_id: int,
    customer_class: CustomerClass,
    per_hour: Money,
    *,
    caller: Caller,
    discount_percent: Decimal = Decimal(0),
    discount_reason: str = "",
) -> Price:
    """Publish what a class pays per hour from now on; what was agreed before keeps its price.

    The same price again changes nothing: its days of being public go on counting (domain §4.3).
    Raises NotFound, or NotAllowed unless the caller manages the instrument.
    """
    # Locked, so that two versions published at once follow each other.
    instrument = registry.get_instrument(instrument_id, caller=caller, for_update=True)
    require(caller, Permission.MANAGE_INSTRUMENTS, instrument.institution_id)
    current = queries.find_current(instrument_id, customer_class)
    wanted = (per_hour, discount_percent, discount_reason)
    if current and (current.per_hour, current.discount_percent, current.discount_reason) == wanted:
        return current
    now = clock.now()
    if current:
        current.superseded_at = now
        db.session.flush()
    price = Price(
        instrument_id=instrument_id,
        customer_class=customer_class,
        per_hour=per_hour,
        discount_percent=discount_percent,
        discount_reason=discount_reason,
        published_at=now,
        published_by=caller.user_id,
    )
    db.session.add(price)
    db.session.flush()
    journal.record(
        "price.published",
        "price",
        price.id,
        by=caller.user_id,
        organisation_id=instrument.institution_id,
        old=_facts(current) if current else None,
        new=_facts(price),
    )
    return price


def _facts(price: Price) -> dict[str, object]:
    return {
        "id": price.id,
        "instrument_id": price.instrument_id,
        "customer_class": price.customer_class,
        "per_hour_minor": price.per_hour_minor,
        "currency": price.per_hour_currency,
        "discount_percent": str(price.discount_percent),
        "discount_reason": price.discount_reason,
    }
