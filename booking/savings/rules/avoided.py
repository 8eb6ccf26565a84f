"""What the same hours would cost on an instrument of one's own (domain §4.4, C3). Pure.

A 参考值 only: it answers another question than the savings on the same hours, and stands beside
them. Nothing here is ever added to a sum of savings. Amounts are in 分.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from booking.kernel.money import round_half_up

_HOUR = 60


@dataclass(frozen=True)
class Parameters:
    """By what owning is reckoned; a change is a new version, as with the method of the ledger.

    `years`: 企业所得税法实施条例第六十条, machinery and other production equipment, at least ten.
    `residual`: 第五十九条 leaves it to the enterprise; five percent is what most put.
    `upkeep`: a year's maintenance and calibration as a share of what it cost. No source was
    found; three percent is our assumption, kept low so that the reference stays low.
    The rated hours are the instrument's own, else 1400 or 800 (domain §3.1).
    """

    version: str = "2026-1"
    residual: Fraction = Fraction(5, 100)
    years: int = 10
    upkeep: Fraction = Fraction(3, 100)


PARAMETERS = Parameters()


@dataclass(frozen=True)
class Hours:
    """What an enterprise used of one instrument in a year, and paid for it itself."""

    organisation_id: int
    category: str
    instrument_id: int
    name: str
    worth: int | None  # 原值; None: not stated
    rated_hours: int
    minutes: int
    cash: int

    def per_hour(self, by: Parameters = PARAMETERS) -> Fraction:
        """Return what an hour of owning it would cost, in 分, exactly."""
        return owning_per_hour(self.worth or 0, self.rated_hours, by)


@dataclass(frozen=True)
class Avoided:
    """One enterprise and class of instruments in a year, once."""

    organisation_id: int
    category: str
    minutes: int
    owning: int
    cash: int
    instruments: tuple[Hours, ...]

    @property
    def value(self) -> int:
        """Return what owning would have cost more; negative where using was dearer."""
        return self.owning - self.cash


def owning_per_hour(worth: int, rated_hours: int, by: Parameters = PARAMETERS) -> Fraction:
    """Return [原值 × (1 − 残值率) ÷ 年限 + 年运维] ÷ 额定机时, in 分, exactly."""
    return worth * ((1 - by.residual) / by.years + by.upkeep) / rated_hours


def avoided(
    used: Iterable[Hours], by: Parameters = PARAMETERS
) -> tuple[list[Avoided], list[Hours]]:
    """Return each enterprise's classes, and the instruments left out for want of their 原值."""
    classes: dict[tuple[int, str], list[Hours]] = defaultdict(list)
    left_out: list[Hours] = []
    for each in used:
        if each.worth is None:
            left_out.append(each)
        elif each.minutes > 0:
            classes[each.organisation_id, each.category].append(each)
    return [_of_class(key, classes[key], by) for key in sorted(classes)], left_out


def _of_class(key: tuple[int, str], used: Sequence[Hours], by: Parameters) -> Avoided:
    owning = sum(
        (each.per_hour(by) * each.minutes / _HOUR for each in used),
        Fraction(0),
    )
    return Avoided(
        *key,
        minutes=sum(each.minutes for each in used),
        owning=round_half_up(owning),
        cash=sum(each.cash for each in used),
        instruments=tuple(used),
    )
