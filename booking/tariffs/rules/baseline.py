"""Whether the list price may serve as baseline (rank 2 of domain §4.3: 机构公示收费标准). Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from booking.accounts.rules import CustomerClass
from booking.kernel.money import Money
from booking.pricegroups.rules import Concession, Group, best
from booking.tariffs.rules.terms import USUAL, ChargeUnit, Terms

PUBLIC_FOR = timedelta(days=30)
LIST_RANK, LIST_SOURCE = 2, "list_price"
COUNTED_CLASSES = frozenset({CustomerClass.SME, CustomerClass.LARGE})
EXTERNAL_CLASSES = (CustomerClass.SME, CustomerClass.LARGE, CustomerClass.RESEARCH)


class NoBaseline(StrEnum):
    """Why nothing can be said about a saving."""

    NOT_AN_ENTERPRISE = "not_an_enterprise"
    LIST_TOO_YOUNG = "list_too_young"
    OWN_USE = "own_use"
    RELATED = "related"  # 关联单位
    STATUTORY = "statutory"  # 强制检定、监督抽查、法定检验


@dataclass(frozen=True)
class PriceFacts:
    """A published price version as far as rules need it; money per hour."""

    id: int
    per_hour: Money
    discount_percent: Decimal
    published_at: datetime
    used_at_full_price: bool = False
    discount_reason: str = ""
    terms: Terms = USUAL
    group: Concession | None = None  # what the customer's finer class gives here

    @property
    def applied(self) -> Concession | None:
        """Return what the finer class gives where that is better than the published discount."""
        return self.group if self.group and self.group.percent > self.discount_percent else None

    @property
    def due_percent(self) -> Decimal:
        """Return how much less than the list price is due: the better of the two, never both."""
        return self.applied.percent if self.applied else self.discount_percent

    @property
    def unit_price(self) -> Money:
        """Return the list price of a unit."""
        if self.terms.unit is ChargeUnit.HOUR:
            return self.per_hour
        return Money(self.terms.unit_minor, self.per_hour.currency)

    @property
    def discounted_unit_price(self) -> Money:
        """Return what a unit costs after the discount that applies."""
        return self.unit_price.times(share_due(self.due_percent))

    @property
    def due_per_hour(self) -> Money:
        """Return what an hour costs, or comes to, after the discount that applies."""
        return self.per_hour.times(share_due(self.due_percent))


@dataclass(frozen=True)
class Customer:
    """Whose prices apply to somebody who looks around: outside, and at the own institutions."""

    classes: tuple[CustomerClass, ...] = EXTERNAL_CLASSES
    own_institutions: frozenset[int] = frozenset()
    groups: tuple[Group, ...] = ()

    def facts_at(
        self,
        facts: PriceFacts,
        customer_class: CustomerClass,
        *,
        institution_id: int,
        instrument_id: int,
    ) -> PriceFacts:
        """Return a price with what the customer's finer classes give at the instrument."""
        if not self.groups:
            return facts
        found = best(
            self.groups,
            institution_id=institution_id,
            instrument_id=instrument_id,
            customer_class=customer_class,
        )
        return replace(facts, group=found)


def share_due(discount_percent: Decimal) -> Fraction:
    """Return which part of the list price is left to pay."""
    return 1 - Fraction(discount_percent) / 100


def outside_of(
    *, is_market_entity: bool = True, is_statutory: bool = False, is_related: bool = False
) -> NoBaseline | None:
    """Return why a use saves nothing whatever its price (domain §4.4), or None."""
    if not is_market_entity:
        return NoBaseline.NOT_AN_ENTERPRISE
    if is_statutory:
        return NoBaseline.STATUTORY
    return NoBaseline.RELATED if is_related else None


def why_no_baseline(
    facts: PriceFacts,
    customer_class: CustomerClass,
    *,
    now: datetime,
    outside: NoBaseline | None = None,
) -> NoBaseline | None:
    """Return why the list price may not serve as baseline, or None if it may (domain §4.3).

    It may once it has been public for 30 days or somebody's use at the full price was confirmed
    (an order alone could be made up and cancelled); research customers, the owner's own use and
    what is `outside` of the method altogether (domain §4.4) are never counted.
    """
    if customer_class is CustomerClass.INTERNAL:
        return NoBaseline.OWN_USE
    if customer_class not in COUNTED_CLASSES:
        return NoBaseline.NOT_AN_ENTERPRISE
    if outside is not None:
        return outside
    if now - facts.published_at < PUBLIC_FOR and not facts.used_at_full_price:
        return NoBaseline.LIST_TOO_YOUNG
    return None
