"""What a slot costs, what it is compared with, and why. Pure.

Baseline: rank 2 of domain §4.3 (机构公示收费标准), or none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from booking.accounts.rules import CustomerClass
from booking.kernel.money import Money

PUBLIC_FOR = timedelta(days=30)
LIST_RANK, LIST_SOURCE = 2, "list_price"  # 机构公示收费标准
COUNTED_CLASSES = frozenset({CustomerClass.SME, CustomerClass.LARGE})
EXTERNAL_CLASSES = (CustomerClass.SME, CustomerClass.LARGE, CustomerClass.RESEARCH)


class NoBaseline(StrEnum):
    """Why nothing can be said about a saving."""

    NOT_AN_ENTERPRISE = "not_an_enterprise"
    LIST_TOO_YOUNG = "list_too_young"
    OWN_USE = "own_use"


@dataclass(frozen=True)
class PriceFacts:
    """A published price version as far as rules need it; money per hour."""

    id: int
    per_hour: Money
    discount_percent: Decimal
    published_at: datetime
    used_at_full_price: bool = False
    discount_reason: str = ""


@dataclass(frozen=True)
class Customer:
    """Whose prices apply to somebody who looks around: outside, and at the own institutions."""

    classes: tuple[CustomerClass, ...] = EXTERNAL_CLASSES
    own_institutions: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Quote:
    """What it costs now: list, due, baseline with its source, expected saving."""

    minutes: int
    customer_class: CustomerClass
    list_price: Money
    price: Money
    price_id: int | None
    price_published_at: datetime | None
    per_hour: Money
    discount_percent: Decimal
    baseline: Money | None
    baseline_rank: int | None
    no_baseline: NoBaseline | None

    @property
    def due_per_hour(self) -> Money:
        """Return what an hour costs after the published discount."""
        return self.per_hour.times(share_due(self.discount_percent))

    @property
    def saving(self) -> Money | None:
        """Return baseline minus price, expected only; None without a baseline."""
        return None if self.baseline is None else self.baseline - self.price


def quote(
    facts: PriceFacts | None, *, minutes: int, customer_class: CustomerClass, now: datetime
) -> Quote | None:
    """Return the quote for so many minutes, or None if the class has no published price.

    The owner's own people pay nothing unless the owner published an internal price.
    """
    if facts is None:
        if customer_class is not CustomerClass.INTERNAL:
            return None
        free = Money(0)
        return Quote(
            minutes=minutes,
            customer_class=customer_class,
            list_price=free,
            price=free,
            price_id=None,
            price_published_at=None,
            per_hour=free,
            discount_percent=Decimal(0),
            baseline=None,
            baseline_rank=None,
            no_baseline=NoBaseline.OWN_USE,
        )
    hours = Fraction(minutes, 60)
    # Each is rounded once, from the exact amount (domain §4.6).
    listed = facts.per_hour.times(hours)
    due = facts.per_hour.times(hours * share_due(facts.discount_percent))
    reason = why_no_baseline(facts, customer_class, now=now)
    return Quote(
        minutes=minutes,
        customer_class=customer_class,
        list_price=listed,
        price=due,
        price_id=facts.id,
        price_published_at=facts.published_at,
        per_hour=facts.per_hour,
        discount_percent=facts.discount_percent,
        baseline=listed if reason is None else None,
        baseline_rank=LIST_RANK if reason is None else None,
        no_baseline=reason,
    )


def share_due(discount_percent: Decimal) -> Fraction:
    """Return which part of the list price is left to pay."""
    return 1 - Fraction(discount_percent) / 100


def why_no_baseline(
    facts: PriceFacts, customer_class: CustomerClass, *, now: datetime
) -> NoBaseline | None:
    """Return why the list price may not serve as baseline, or None if it may (domain §4.3).

    It may once it has been public for 30 days or somebody's use at the full price was confirmed
    (an order alone could be made up and cancelled); research customers and the owner's own use
    are never counted.
    """
    if customer_class is CustomerClass.INTERNAL:
        return NoBaseline.OWN_USE
    if customer_class not in COUNTED_CLASSES:
        return NoBaseline.NOT_AN_ENTERPRISE
    if now - facts.published_at < PUBLIC_FOR and not facts.used_at_full_price:
        return NoBaseline.LIST_TOO_YOUNG
    return None
