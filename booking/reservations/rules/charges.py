"""What is due beside the price and saves nothing: passed on at what it costs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from booking.kernel.errors import InvalidField
from booking.kernel.money import Money
from booking.kernel.text import N_

MOST_PASSED_ON = 10**9  # 分


class PassThrough(StrEnum):
    """What may be charged beside the price list (domain §4.4: excluded on both sides)."""

    CONSUMABLES = "consumables"  # 耗材
    RUSH = "rush"  # 加急
    POSTAGE = "postage"  # 邮寄
    TRAVEL = "travel"  # 差旅


@dataclass(frozen=True)
class PassedOn:
    """One of them, in 分."""

    kind: PassThrough
    minor: int

    @property
    def amount(self) -> Money:
        """Return it as money."""
        return Money(self.minor)

    def plain(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {"kind": self.kind.value, "amount_minor": self.minor}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "PassedOn":
        """Return what was kept."""
        return cls(PassThrough(plain["kind"]), plain["amount_minor"])


def check_passed_on(charges: Sequence[PassedOn]) -> None:
    """Raise InvalidField unless each kind is there once, with an amount somebody could mean."""
    if len({each.kind for each in charges}) < len(charges):
        raise InvalidField("passed_on", N_("同一类代收费用请合并为一行。"))
    if any(not 0 < each.minor <= MOST_PASSED_ON for each in charges):
        raise InvalidField("passed_on", N_("代收费用须大于 0。"))
