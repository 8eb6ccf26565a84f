"""Prices in time: a year's versions, when each was first agreed on, which rose too fast."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from booking.kernel import clock
from booking.kernel.db import db
from booking.reservations.models import Reservation
from booking.tariffs.models import Price
from booking.tariffs.rules import SHOWN_FOR, Version, rises


@dataclass(frozen=True)
class Dated:
    """A version of the last twelve months; `rise_percent` where its rise needs a look."""

    price: Price
    rise_percent: int | None


def price_history(instrument_id: int) -> Sequence[Dated]:
    """Return the versions that held in the last twelve months or are announced, latest first."""
    now = clock.now()
    first_used = (
        select(func.min(Reservation.created_at))
        # Of the instrument: there is an index on that, and a version belongs to one only.
        .where(Reservation.instrument_id == Price.instrument_id, Reservation.price_id == Price.id)
        .scalar_subquery()
    )
    query = select(Price, first_used).where(
        Price.instrument_id == instrument_id,
        or_(Price.superseded_at.is_(None), Price.superseded_at > now - SHOWN_FOR),
        Price.superseded_at.is_distinct_from(Price.effective_from),
    )
    found = db.session.execute(query.order_by(Price.effective_from.desc(), Price.id.desc())).all()
    versions = [
        Version(price.facts, price.customer_class, price.effective_from, price.superseded_at, first)
        for price, first in found
    ]
    flagged = rises(versions, now=now)
    return [Dated(price, flagged.get(price.id)) for price, _ in found]


def rise_of(history: Sequence[Dated], price_id: int | None) -> int | None:
    """Return what is to be said of a version's rise, if anything (domain §4.3)."""
    return next((each.rise_percent for each in history if each.price.id == price_id), None)
