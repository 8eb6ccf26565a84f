"""What a settled line saved, by one identity, and why some lines save nothing. Pure.

Domain §4.2 to §4.6. Amounts are in 分, tax included, for the same scope on both sides.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from booking.accounts.rules import CustomerClass
from booking.kernel.errors import InvalidField
from booking.kernel.money import round_half_up
from booking.kernel.text import N_

METHOD = "2026-1"  # the version of the method page a line was worked out by
LIST_OR_APPROVED = frozenset({1, 2})  # ranks on which a dearer price is a mistake, not a figure


class Service(StrEnum):
    """Which of our services the line is about."""

    RENTAL = "rental"


class Unit(StrEnum):
    """What the quantity counts."""

    MINUTE = "minute"


class NotCounted(StrEnum):
    """Why a line saves nothing, whatever was paid (domain §4.3, §4.4)."""

    OWN_USE = "own_use"
    NOT_AN_ENTERPRISE = "not_an_enterprise"
    RELATED = "related"  # 关联单位
    STATUTORY = "statutory"  # 强制检定、监督抽查、法定检验
    NO_BASELINE = "no_baseline"  # counted among the services, listed apart


def out_of_scope(
    customer_class: CustomerClass,
    *,
    is_market_entity: bool,
    is_statutory: bool,
    is_related: bool,
) -> NotCounted | None:
    """Return why a service saves nothing whatever its price (domain §4.4), or None."""
    if customer_class is CustomerClass.INTERNAL:
        return NotCounted.OWN_USE
    if customer_class is CustomerClass.RESEARCH or not is_market_entity:
        return NotCounted.NOT_AN_ENTERPRISE
    if is_statutory:
        return NotCounted.STATUTORY
    return NotCounted.RELATED if is_related else None


class Reason(StrEnum):
    """Why a line is corrected: the codes of domain §4.5, and what §4.4 leaves out."""

    FULL_REFUND = "full_refund"
    UNDELIVERED = "undelivered"
    GOODWILL = "goodwill"
    SUBSIDY_GRANTED = "subsidy_granted"
    SUBSIDY_WITHDRAWN = "subsidy_withdrawn"
    RELATED = "related"
    STATUTORY = "statutory"


SUBSIDIES = frozenset({Reason.SUBSIDY_GRANTED, Reason.SUBSIDY_WITHDRAWN})
# What was found out of scope afterwards leaves the sums on both sides.
EXCLUSIONS = frozenset({Reason.RELATED, Reason.STATUTORY})


@dataclass(frozen=True)
class Amounts:
    """Q, B, P and S of a line or, signed, of a change to one; B is None without a baseline."""

    quantity: int
    baseline: int | None
    price: int
    subsidy: int = 0

    @property
    def cash(self) -> int:
        """Return what the enterprise pays itself."""
        return self.price - self.subsidy

    @property
    def relief(self) -> int:
        """Return B − P; negative if it was dearer, 0 without a baseline."""
        return 0 if self.baseline is None else self.baseline - self.price

    @property
    def saved(self) -> int:
        """Return (B − P) + S; 0 without a baseline."""
        return 0 if self.baseline is None else self.relief + self.subsidy

    def plus(self, change: "Amounts") -> "Amounts":
        """Return the line with a change."""
        return Amounts(
            self.quantity + change.quantity,
            None if self.baseline is None else self.baseline + (change.baseline or 0),
            self.price + change.price,
            self.subsidy + change.subsidy,
        )


def check(amounts: Amounts, rank: int | None) -> None:
    """Raise InvalidField for amounts that are a mistake, not a figure (domain §4.4)."""
    if min(amounts.quantity, amounts.price, amounts.subsidy, amounts.baseline or 0) < 0:
        raise InvalidField("amount", N_("超过了这一笔剩余的金额或数量。"))
    if amounts.subsidy > amounts.price:
        raise InvalidField("amount", N_("补贴不能超过应付金额。"))
    if rank in LIST_OR_APPROVED and amounts.relief < 0:
        raise InvalidField("amount", N_("应付高于公示价或批准标准，请先核对收费。"))


def correction(now: Amounts, reason: Reason, *, amount: int = 0, quantity: int = 0) -> Amounts:
    """Return the change a correction makes to what stands now (domain §4.5).

    `amount` is what was refunded, granted or withdrawn, in 分; `quantity` what was not delivered.
    Raises InvalidField if it says nothing, or too much of either.
    """
    match reason:
        case Reason.FULL_REFUND:
            return _nothing_left(now)
        case Reason.RELATED | Reason.STATUTORY:
            if now.baseline is None or not (now.baseline or now.price):
                raise InvalidField("reason", N_("这一笔没有计入节约，不需要剔除。"))
            return _nothing_left(now)
        case Reason.UNDELIVERED:
            return _undelivered(now, _given("quantity", quantity), amount)
        case Reason.GOODWILL:
            return Amounts(0, _unchanged(now), -_given("amount", amount))
        case Reason.SUBSIDY_GRANTED:
            return Amounts(0, _unchanged(now), 0, _given("amount", amount))
        case Reason.SUBSIDY_WITHDRAWN:
            return Amounts(0, _unchanged(now), 0, -_given("amount", amount))


def _nothing_left(now: Amounts) -> Amounts:
    baseline = None if now.baseline is None else -now.baseline
    return Amounts(-now.quantity, baseline, -now.price, -now.subsidy)


def _undelivered(now: Amounts, quantity: int, refunded: int) -> Amounts:
    if quantity > now.quantity:
        raise InvalidField("quantity", N_("未完成的数量不能超过已结算的数量。"))
    baseline = None
    if now.baseline is not None:
        left = Fraction(now.quantity - quantity, now.quantity)
        baseline = round_half_up(now.baseline * left) - now.baseline
    return Amounts(-quantity, baseline, -refunded)


def _unchanged(now: Amounts) -> int | None:
    return None if now.baseline is None else 0


def _given(name: str, value: int) -> int:
    if value <= 0:
        raise InvalidField(name, N_("请填写大于 0 的数。"))
    return value
