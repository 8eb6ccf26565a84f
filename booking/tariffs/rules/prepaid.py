"""Hours paid beforehand: how many may be taken, at what price, and how many a quote takes. Pure."""

from dataclasses import dataclass
from fractions import Fraction

from booking.kernel.money import Money
from booking.tariffs.rules.terms import HOUR


@dataclass(frozen=True)
class Hours:
    """Minutes of a balance that may be taken, and what an hour of them was bought for."""

    id: int
    per_hour: Money
    minutes: int


@dataclass(frozen=True)
class Covered:
    """Charged minutes that a balance pays for; rounded half up once (domain §4.6)."""

    id: int
    per_hour: Money
    minutes: int

    @property
    def amount(self) -> Money:
        """Return what these minutes were bought for: their part of the price."""
        return self.per_hour.times(Fraction(self.minutes, HOUR))
