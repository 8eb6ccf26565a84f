"""What a slot or a use costs, line by line; each line rounded half up once (domain §4.6). Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from booking.accounts.rules import CustomerClass
from booking.kernel import clock
from booking.kernel.money import Money
from booking.pricegroups.rules import Concession
from booking.tariffs.rules.baseline import LIST_RANK, NoBaseline, PriceFacts, why_no_baseline
from booking.tariffs.rules.clocks import Wall, minutes_by_window
from booking.tariffs.rules.prepaid import Covered, Hours
from booking.tariffs.rules.terms import HOUR, OF_TIME, ChargeUnit, Fee, Terms

WHOLE = 10_000  # a discount counts in hundredths of a percent
CHINA = Wall(clock.CHINA)


@dataclass(frozen=True)
class Usage:
    """What is paid for: from when, how long, how many samples, and whether somebody helps."""

    starts_at: datetime
    minutes: int
    samples: int = 1
    assisted: bool = False


class Item(StrEnum):
    """What a line is for."""

    TIME = "time"
    USE = "use"
    SAMPLES = "samples"
    STARTUP = "startup"  # 开机费
    OPERATOR = "operator"  # 操作员协助
    MINIMUM = "minimum"  # what is missing to the minimum charge
    DISCOUNT = "discount"
    PREPAID = "prepaid"  # what hours bought beforehand cost less, or more, than the list


@dataclass(frozen=True)
class QuoteLine:
    """A line of a price: `quantity` minutes, uses or samples at a unit price for `per_minutes`.

    `percent` is what the hours' window makes of the list price, of a discount its own share; a
    discount with a `name` is that of the finer class so called.
    """

    item: Item
    amount: Money
    quantity: int = 0
    unit_price: Money | None = None
    per_minutes: int = 0
    percent: Decimal = Decimal(100)
    name: str = ""

    def plain(self) -> dict[str, Any]:
        """Return it as it is kept with what was agreed."""
        unit = self.unit_price
        return {
            "item": self.item.value,
            "amount_minor": self.amount.minor,
            "quantity": self.quantity,
            "unit_minor": None if unit is None else unit.minor,
            "per_minutes": self.per_minutes,
            "percent": str(self.percent),
            "name": self.name,
        }

    @classmethod
    def of(cls, plain: Mapping[str, Any], currency: str) -> "QuoteLine":
        """Return what was kept."""
        unit = plain["unit_minor"]
        return cls(
            Item(plain["item"]),
            Money(plain["amount_minor"], currency),
            plain["quantity"],
            None if unit is None else Money(unit, currency),
            plain["per_minutes"],
            Decimal(plain["percent"]),
            plain["name"],
        )


@dataclass(frozen=True)
class Quote:
    """What it costs: list, due, baseline with its source, expected saving, line by line."""

    usage: Usage
    customer_class: CustomerClass
    list_price: Money
    price: Money
    lines: tuple[QuoteLine, ...]
    facts: PriceFacts | None
    no_baseline: NoBaseline | None
    prepaid: Covered | None = None

    @property
    def to_pay(self) -> Money:
        """Return what is still to be paid: the price without what a balance pays."""
        return self.price - self.prepaid.amount if self.prepaid else self.price

    @property
    def billed_minutes(self) -> int:
        """Return the minutes that are charged by time; 0 where it is not charged so."""
        return sum(line.quantity for line in self.lines if line.item is Item.TIME)

    @property
    def minutes(self) -> int:
        """Return how long it is."""
        return self.usage.minutes

    @property
    def terms(self) -> Terms:
        """Return how it is charged."""
        return self.facts.terms if self.facts else Terms()

    @property
    def price_id(self) -> int | None:
        """Return which version it is by; None where use is free."""
        return self.facts.id if self.facts else None

    @property
    def price_published_at(self) -> datetime | None:
        """Return since when that version is public."""
        return self.facts.published_at if self.facts else None

    @property
    def per_hour(self) -> Money:
        """Return the list price of an hour, or what an hour of another unit comes to."""
        return self.facts.per_hour if self.facts else Money(0)

    @property
    def unit_price(self) -> Money:
        """Return the list price of its unit."""
        return self.facts.unit_price if self.facts else Money(0)

    @property
    def discount_percent(self) -> Decimal:
        """Return the discount that applies: the published one, or a better one of its group."""
        return self.facts.due_percent if self.facts else Decimal(0)

    @property
    def group(self) -> Concession | None:
        """Return the finer class it is priced by, if one gives more than the published discount."""
        return self.facts.applied if self.facts else None

    @property
    def due_per_unit(self) -> Money:
        """Return what a unit costs after the discount that applies."""
        return self.facts.discounted_unit_price if self.facts else Money(0)

    @property
    def baseline(self) -> Money | None:
        """Return what it is compared with, or None (domain §4.3)."""
        return self.list_price if self.no_baseline is None else None

    @property
    def baseline_rank(self) -> int | None:
        """Return of which kind that is."""
        return LIST_RANK if self.no_baseline is None else None

    @property
    def saving(self) -> Money | None:
        """Return baseline minus price, expected only; None without a baseline."""
        return None if self.baseline is None else self.baseline - self.price

    @property
    def deposit(self) -> Money:
        """Return what the institution asks to be left with it; no part of price or saving."""
        return Money(self.terms.deposit_minor, self.price.currency)

    @property
    def late_cancel_fee(self) -> Money | None:
        """Return what cancelling late costs; None where nobody may."""
        return fee(self.terms.late_cancel, self.price)

    @property
    def no_show_fee(self) -> Money | None:
        """Return what not coming costs, if anything."""
        return fee(self.terms.no_show, self.price)


def kept_lines(
    kept: Sequence[Mapping[str, Any]] | None, listed: Money, due: Money, minutes: int
) -> tuple[QuoteLine, ...]:
    """Return lines as they were kept; of what was agreed before lines were, the list and relief."""
    if kept is not None:
        return tuple(QuoteLine.of(each, due.currency) for each in kept)
    whole = [QuoteLine(Item.TIME, listed, minutes)]
    relief = [QuoteLine(Item.DISCOUNT, due - listed, percent=Decimal(0))] if due != listed else []
    return (*whole, *relief)


def fee(of: Fee | None, price: Money) -> Money | None:
    """Return a fee as it is due on this price; None where the terms have none."""
    return None if of is None else of.of(price)


def quote(
    facts: PriceFacts | None,
    usage: Usage,
    *,
    customer_class: CustomerClass,
    now: datetime,
    wall: Wall = CHINA,
    outside: NoBaseline | None = None,
) -> Quote | None:
    """Return the quote, or None if the class has no published price.

    The owner's own people pay nothing unless the owner published an internal price.
    """
    if facts is None:
        if customer_class is not CustomerClass.INTERNAL:
            return None
        free = Money(0)
        return Quote(usage, customer_class, free, free, (), None, NoBaseline.OWN_USE)
    listed, due, lines = price(facts, usage, wall)
    reason = why_no_baseline(facts, customer_class, now=now, outside=outside)
    return Quote(usage, customer_class, listed, due, lines, facts, reason)


def price(
    facts: PriceFacts, usage: Usage, wall: Wall = CHINA
) -> tuple[Money, Money, tuple[QuoteLine, ...]]:
    """Return the list price, what is due, and the lines, whose amounts add up to what is due.

    A use of no minutes costs nothing, whatever the terms say.
    """
    currency, left = facts.per_hour.currency, WHOLE - int(facts.due_percent * 100)
    lines: list[QuoteLine] = []
    listed = due = 0
    for item, exact, parts, rest in _charges(facts, usage, wall) if usage.minutes else ():
        amount = (2 * exact + parts) // (2 * parts)
        listed += amount
        due += (2 * exact * left + parts * WHOLE) // (2 * parts * WHOLE)
        lines.append(QuoteLine(item, Money(amount, currency), *rest))
    if lines and (missing := facts.terms.minimum_minor - listed) > 0:
        listed += missing
        due += (2 * missing * left + WHOLE) // (2 * WHOLE)
        lines.append(QuoteLine(Item.MINIMUM, Money(missing, currency)))
    if due != listed:
        relief = Money(due - listed, currency)
        name = facts.applied.name if facts.applied else ""
        lines.append(QuoteLine(Item.DISCOUNT, relief, percent=facts.due_percent, name=name))
    return Money(listed, currency), Money(due, currency), tuple(lines)


def with_hours(quoted: Quote, hours: Hours, wall: Wall = CHINA) -> Quote:
    """Return the quote with its hours paid from a balance, as far as that reaches.

    Whatever is no time stays due as usual; list and baseline stay what they are. The minutes
    beyond the balance are due at their share of the list. Unchanged where the hours were bought
    for more than the list asks.
    """
    facts, billed = quoted.facts, quoted.billed_minutes
    taken = min(billed, hours.minutes)
    if facts is None or taken <= 0:
        return quoted
    covered = Covered(hours.id, hours.per_hour, taken)
    of_time = sum(line.amount.minor for line in quoted.lines if line.item is Item.TIME)
    instead_of = (2 * of_time * taken + billed) // (2 * billed)
    if covered.amount.minor > instead_of:
        return quoted
    listed, currency = quoted.list_price.minor, quoted.list_price.currency
    rest = _due_besides(facts, quoted, of_time - instead_of, wall)
    lines = [line for line in quoted.lines if line.item is not Item.DISCOUNT]
    if relief := rest - (listed - instead_of):
        percent, name = facts.due_percent, facts.applied.name if facts.applied else ""
        relieved = Money(relief, currency)
        lines.append(QuoteLine(Item.DISCOUNT, relieved, percent=percent, name=name))
    difference = Money(covered.amount.minor - instead_of, currency)
    lines.append(QuoteLine(Item.PREPAID, difference, taken, hours.per_hour, HOUR))
    price = Money(rest, currency) + covered.amount
    return replace(quoted, price=price, lines=tuple(lines), prepaid=covered)


def _due_besides(facts: PriceFacts, quoted: Quote, time_left: int, wall: Wall) -> int:
    """Return what is due for all but the covered time, after the discount that applies."""
    left = WHOLE - int(facts.due_percent * 100)
    missing = sum(line.amount.minor for line in quoted.lines if line.item is Item.MINIMUM)
    charged = [(time_left, 1), (missing, 1)]
    charged += [
        (exact, parts)
        for item, exact, parts, _ in _charges(facts, quoted.usage, wall)
        if item is not Item.TIME
    ]
    return sum(
        (2 * exact * left + parts * WHOLE) // (2 * parts * WHOLE) for exact, parts in charged
    )


def covered_by(lines: Sequence[QuoteLine], balance_id: int | None) -> Covered | None:
    """Return what kept lines say a balance pays, if anything."""
    for line in lines:
        if line.item is Item.PREPAID and line.unit_price and balance_id is not None:
            return Covered(balance_id, line.unit_price, line.quantity)
    return None


_Charge = tuple[Item, int, int, tuple[Any, ...]]  # what for, an exact fraction, the line's rest


def _charges(facts: PriceFacts, usage: Usage, wall: Wall) -> Iterator[_Charge]:
    terms, unit, currency = facts.terms, facts.unit_price, facts.per_hour.currency
    if terms.unit in OF_TIME:
        yield from _of_time(facts, usage, wall)
    elif terms.unit is ChargeUnit.USE:
        yield Item.USE, unit.minor, 1, (1, unit)
    elif usage.samples:
        yield Item.SAMPLES, unit.minor * usage.samples, 1, (usage.samples, unit)
    if terms.startup_minor:
        startup = Money(terms.startup_minor, currency)
        yield Item.STARTUP, startup.minor, 1, (1, startup)
    if terms.operator_minor and usage.assisted:
        helper = Money(terms.operator_minor, currency)
        rest = (usage.minutes, helper, HOUR)
        yield Item.OPERATOR, helper.minor * usage.minutes, HOUR, rest


def _of_time(facts: PriceFacts, usage: Usage, wall: Wall) -> Iterator[_Charge]:
    """Charge each window's minutes; what fills the last step or the minimum costs as usual.

    So nobody gains by splitting a use (a filled step never falls into cheaper hours).
    """
    terms, unit = facts.terms, facts.unit_price
    spent = minutes_by_window(terms, usage.starts_at, usage.minutes, wall)
    if filling := terms.billed_minutes(usage.minutes) - usage.minutes:
        spent[None] = spent.get(None, 0) + filling
    per = terms.per_minutes
    for window, minutes in spent.items():
        percent, name = (window.percent, window.name) if window else (100, "")
        exact, parts = unit.minor * minutes * percent, per * 100
        yield Item.TIME, exact, parts, (minutes, unit, per, Decimal(percent), name)
