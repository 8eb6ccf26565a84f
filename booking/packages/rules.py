"""Packages of hours: what can be published, how long it holds, what each entry does. Pure."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from booking.kernel.money import Money
from booking.kernel.text import N_, Text

HOUR = 60
MOST_HOURS, MOST_MONTHS, MOST_INSTRUMENTS = 10_000, 60, 50
MOST_MINOR = 10**12
REMIND_DAYS = (30, 7)
LONGEST_AGO_DAYS = 366  # a purchase recorded later than that is a typing error


class EntryKind(StrEnum):
    """What moved minutes of a balance."""

    BOUGHT = "bought"
    HELD = "held"  # for a reservation
    RELEASED = "released"  # what was held or used for a reservation comes back
    USED = "used"  # by a confirmed use
    EXPIRED = "expired"
    CORRECTED = "corrected"  # by the institution's finance, with a reason


TAKING = frozenset({EntryKind.HELD, EntryKind.USED, EntryKind.EXPIRED})
GIVING = frozenset({EntryKind.BOUGHT, EntryKind.RELEASED})
OF_RESERVATION = frozenset({EntryKind.HELD, EntryKind.RELEASED, EntryKind.USED})


@dataclass(frozen=True)
class Reach:
    """For which instruments of its institution a package is: some, a category, or all."""

    instrument_ids: tuple[int, ...] = ()
    category_code: str = ""

    def covers(self, instrument_id: int, category_code: str) -> bool:
        """Tell whether it is for this instrument."""
        if self.instrument_ids:
            return instrument_id in self.instrument_ids
        return category_code.startswith(self.category_code)


@dataclass(frozen=True)
class Prepaid:
    """A balance as a booking needs it; `left_minutes` is what may be taken."""

    id: int
    number: str
    name: str
    per_hour: Money
    left_minutes: int
    valid_until: date
    reach: Reach


def signed(kind: EntryKind, minutes: int) -> int:
    """Return so many minutes with the sign of what is done with them; corrections bring theirs."""
    return -minutes if kind in TAKING else minutes


def valid_until(paid_on: date, months: int) -> date:
    """Return the last day on which hours bought on that day can be used.

    The same day of a later month, or that month's last day.
    """
    years, month = divmod(paid_on.month - 1 + months, 12)
    year, month = paid_on.year + years, month + 1
    return date(year, month, min(paid_on.day, monthrange(year, month)[1]))


def wrong_with(hours: int, price: Money, valid_months: int) -> Iterator[tuple[str, Text]]:
    """Yield by field what cannot be: hours, a price of whole 分 per hour, months."""
    if not 1 <= hours <= MOST_HOURS:
        yield "hours", N_("机时须为 1 到 %(most)s 小时。", most=MOST_HOURS)
        return
    if not 0 < price.minor <= MOST_MINOR:
        yield "price", N_("请填写总价。")
    elif price.minor % hours:
        lower = Money(price.minor - price.minor % hours, price.currency)
        upper = Money(lower.minor + hours, price.currency)
        yield (
            "price",
            N_(
                "总价除以小时数须为整分，例如 %(lower)s 或 %(upper)s 元。",
                lower=lower.amount,
                upper=upper.amount,
            ),
        )
    if not 1 <= valid_months <= MOST_MONTHS:
        yield "valid_months", N_("有效期须为 1 到 %(most)s 个月。", most=MOST_MONTHS)


def due_reminder(valid_until: date, *, today: date) -> int | None:
    """Return the nearest of 30 and 7 days before its end that has come; None before and after."""
    left = (valid_until - today).days
    return min((days for days in REMIND_DAYS if 0 <= left <= days), default=None)
