"""Which of its finer classes a customer pays by, at an instrument. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from booking.accounts.rules import CustomerClass
from booking.kernel.errors import InvalidField
from booking.kernel.text import N_

# Whose list prices a group can rest on; the owner's own people have none.
BASES = (CustomerClass.SME, CustomerClass.LARGE, CustomerClass.RESEARCH)
MOST_INSTRUMENTS = 200
MOST_PERCENT = 100


@dataclass(frozen=True)
class Concession:
    """What a customer pays less at one instrument, by which version of which group."""

    terms_id: int
    group_id: int
    name: str
    percent: Decimal
    reason: str


@dataclass(frozen=True)
class Group:
    """A group a customer belongs to, by the version that holds: percent off the list price."""

    id: int
    terms_id: int
    institution_id: int
    base_class: CustomerClass
    name: str
    percent: Decimal
    reason: str
    instruments: tuple[tuple[int, Decimal], ...] = ()  # that have a percentage of their own

    def percent_on(self, instrument_id: int) -> Decimal:
        """Return how much less its members pay there."""
        return dict(self.instruments).get(instrument_id, self.percent)

    def at(self, instrument_id: int) -> Concession:
        """Return what it gives there."""
        percent = self.percent_on(instrument_id)
        return Concession(self.terms_id, self.id, self.name, percent, self.reason)


def best(
    groups: Iterable[Group],
    *,
    institution_id: int,
    instrument_id: int,
    customer_class: CustomerClass,
) -> Concession | None:
    """Return what is best of several groups, the oldest of equals; None where none gives anything.

    A group counts only for members whose own class it rests on: the list price, and with it the
    baseline (domain §4.3), never depend on a group.
    """
    found = [
        group.at(instrument_id)
        for group in groups
        if (group.institution_id, group.base_class) == (institution_id, customer_class)
    ]
    top = max(found, key=lambda each: (each.percent, -each.group_id), default=None)
    return top if top and top.percent else None


def check_percents(percent: Decimal, instruments: Mapping[int, Decimal]) -> None:
    """Raise InvalidField for percentages that cannot be, or that give nobody anything."""
    if len(instruments) > MOST_INSTRUMENTS:
        most = N_("最多为 %(most)s 台仪器另定优惠。", most=MOST_INSTRUMENTS)
        raise InvalidField("instruments", most)
    if not 0 <= percent <= MOST_PERCENT:
        raise InvalidField("percent", N_("优惠须在 0 到 100 之间。"))
    if any(not 0 <= each <= MOST_PERCENT for each in instruments.values()):
        raise InvalidField("instruments", N_("优惠须在 0 到 100 之间。"))
    if not percent and not any(instruments.values()):
        raise InvalidField("percent", N_("请填写优惠，否则本类客户与基本类别的价格相同。"))
