"""Whether a list price was raised to be discounted (the guard of domain §4.3). Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from booking.accounts.rules import CustomerClass
from booking.tariffs.rules.baseline import PriceFacts
from booking.tariffs.rules.pricing import Usage, price

SHOWN_FOR, WATCHED = timedelta(days=365), timedelta(days=90)
MOST_PERCENT = 20
# Common uses, by which prices of any terms are compared: a Wednesday, its evening, a Saturday.
_DAYS = ("2026-11-25T10:00", "2026-11-25T20:00", "2026-11-28T10:00")
_USES = tuple(
    Usage(datetime.fromisoformat(f"{day}+08:00"), 120, assisted=helped)
    for day in _DAYS
    for helped in (False, True)
)


@dataclass(frozen=True)
class Version:
    """A price version in time, and when somebody first agreed on it."""

    facts: PriceFacts
    customer_class: CustomerClass
    effective_from: datetime
    superseded_at: datetime | None
    first_used_at: datetime | None = None


def rises(versions: Sequence[Version], *, now: datetime) -> dict[int, int]:
    """Return by version how many percent its list rose, where that needs a look.

    It does above 20 % against any list that held within the 90 days before its first use; until
    somebody uses it, before today.
    """
    found = {each.facts.id: max(_rises_of(each, versions, now), default=0) for each in versions}
    return {version: percent for version, percent in found.items() if percent}


def _rises_of(version: Version, versions: Sequence[Version], now: datetime) -> Iterator[int]:
    used_at = version.first_used_at or max(now, version.effective_from)
    for before in versions:
        is_before = (
            before.customer_class == version.customer_class
            and before.effective_from < version.effective_from
            and before.superseded_at is not None
            and before.superseded_at > used_at - WATCHED
        )
        if is_before and (percent := rise_percent(before.facts, version.facts)) > MOST_PERCENT:
            yield percent


def rise_percent(before: PriceFacts, after: PriceFacts) -> int:
    """Return by how many percent the list rose, of the common uses the one that rose most.

    Begun percents count: a rise of 20.1 % is 21. What was free before rose by 100.
    """
    return max(_percent(price(before, use)[0].minor, price(after, use)[0].minor) for use in _USES)


def _percent(before: int, after: int) -> int:
    if before == 0:
        return 100 if after else 0
    return -((before - after) * 100 // before)
