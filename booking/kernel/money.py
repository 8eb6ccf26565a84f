"""Money in whole minor units; no float anywhere, one rounding rule (half up)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

ZERO_DECIMAL = frozenset({"JPY", "KRW", "VND"})


class CurrencyMismatch(ValueError):
    """Two currencies met in one sum."""


@dataclass(frozen=True, order=False)
class Money:
    """An amount in minor units (分 for CNY) with its ISO 4217 currency."""

    minor: int
    currency: str = "CNY"

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str = "CNY") -> "Money":
        """Return money from a decimal amount; ValueError if it has more decimals than allowed."""
        exact = Decimal(amount).scaleb(cls.exponent(currency))
        if exact != exact.to_integral_value():
            msg = f"{amount} has more decimals than {currency} knows"
            raise ValueError(msg)
        return cls(int(exact), currency)

    @staticmethod
    def exponent(currency: str) -> int:
        """Return the number of decimals of the currency."""
        return 0 if currency in ZERO_DECIMAL else 2

    @property
    def amount(self) -> str:
        """Return the decimal amount as people and JSON write it, e.g. "12.50"."""
        places = self.exponent(self.currency)
        return str(Decimal(self.minor).scaleb(-places).quantize(Decimal(1).scaleb(-places)))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other).minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other).minor

    def times(self, factor: Fraction) -> "Money":
        """Return the amount times an exact factor, rounded half up to the minor unit once."""
        return Money(round_half_up(Fraction(self.minor) * factor), self.currency)

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other


def round_half_up(value: Fraction) -> int:
    """Round to the nearest integer, a half away from zero, as national forms do (domain §4.6)."""
    exact = abs(value)
    whole = (exact.numerator * 2 + exact.denominator) // (exact.denominator * 2)
    return whole if value >= 0 else -whole


def wan_yuan(minor: int) -> Decimal:
    """Return 分 as 万元 with two decimals, half up (domain §4.6)."""
    return (Decimal(minor) / 1_000_000).quantize(Decimal("0.01"), ROUND_HALF_UP)
