"""When a reservation needs its owner's approval, and how long it is held for that. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from booking.kernel.errors import InvalidField
from booking.kernel.money import Money
from booking.kernel.text import N_
from booking.reference.rules import after_working_hours

MOST_HOLD_HOURS = 80


class ApprovalMode(StrEnum):
    """Whose reservations the owner approves, whatever they are."""

    NONE = "none"
    FIRST_TIME = "first_time"  # of each firm
    ALWAYS = "always"


class Reason(StrEnum):
    """Why a reservation needs approval."""

    ALWAYS = "always"
    FIRST_TIME = "first_time"
    LENGTH = "length"
    PRICE = "price"


@dataclass(frozen=True)
class ApprovalRule:
    """What an owner decides about approval; longer and dearer than, over and above the mode."""

    mode: ApprovalMode = ApprovalMode.NONE
    over_minutes: int | None = None
    over_price: Money | None = None
    hold_working_hours: int = 8

    @property
    def ever_needed(self) -> bool:
        """Tell whether there are reservations that need approval."""
        is_limited = self.over_minutes is not None or self.over_price is not None
        return self.mode is not ApprovalMode.NONE or is_limited

    def reasons(self, *, minutes: int, price: Money, is_first: bool) -> Iterator[Reason]:
        """Yield why such a reservation needs approval."""
        if self.mode is ApprovalMode.ALWAYS:
            yield Reason.ALWAYS
        if self.mode is ApprovalMode.FIRST_TIME and is_first:
            yield Reason.FIRST_TIME
        if self.over_minutes is not None and minutes > self.over_minutes:
            yield Reason.LENGTH
        if self.over_price is not None and price.minor > self.over_price.minor:
            yield Reason.PRICE

    def held_until(
        self, asked_at: datetime, starts_at: datetime, workdays: Mapping[date, bool]
    ) -> datetime:
        """Return when an unanswered hold ends: in working time, but never after it begins."""
        return min(after_working_hours(asked_at, self.hold_working_hours, workdays), starts_at)

    def check(self) -> None:
        """Raise InvalidField for the first value that cannot be."""
        if self.over_minutes is not None and not 5 <= self.over_minutes <= 20160:
            raise InvalidField(
                "over_minutes", N_("须在 %(least)s 到 %(most)s 之间。", least=5, most=20160)
            )
        if not 1 <= self.hold_working_hours <= MOST_HOLD_HOURS:
            raise InvalidField(
                "hold_working_hours",
                N_("须在 %(least)s 到 %(most)s 之间。", least=1, most=MOST_HOLD_HOURS),
            )
