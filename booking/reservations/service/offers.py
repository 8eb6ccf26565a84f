"""What a slot would cost, every rule that would refuse it, and what is free instead."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from booking.authorisations.rules import assisted_unless_told, refusals
from booking.availability import queries as availability
from booking.availability.errors import SlotTaken
from booking.availability.queries import FreeSlot, Kin
from booking.availability.rules import BookingPolicy, Reason
from booking.kernel import clock
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot
from booking.reservations import rules
from booking.reservations.errors import NotBookable
from booking.reservations.queries import Sheet
from booking.reservations.rules import Violation
from booking.tariffs import queries as tariff_queries
from booking.tariffs import rules as tariffs

UNSORTED = "99"  # 其他仪器: a category that says nothing about being equal


@dataclass(frozen=True)
class Approval:
    """Why the owner has to approve it, if so, and until when it would be held for that."""

    reasons: Sequence[Reason] = ()
    expires_at: datetime | None = None

    @property
    def needed(self) -> bool:
        """Tell whether it needs approval at all."""
        return bool(self.reasons)


@dataclass(frozen=True)
class Offer:
    """A quote and every rule that would refuse the slot now."""

    sheet: Sheet
    slot: TimeSlot
    quote: tariffs.Quote | None
    violations: Sequence[Violation]
    is_assisted: bool = False
    approval: Approval = field(default_factory=Approval)

    @property
    def bookable(self) -> bool:
        """Tell whether nothing would refuse it."""
        return not self.violations

    @property
    def baseline(self) -> dict[str, Any] | None:
        """Return what the price is compared with and where that comes from (domain §4.3)."""
        if self.quote is None or self.quote.baseline is None:
            return None
        return {
            "amount": self.quote.baseline,
            "rank": self.quote.baseline_rank,
            "source": tariffs.LIST_SOURCE,
            "price_id": self.quote.price_id,
            "published_at": self.quote.price_published_at,
        }

    def check(self) -> tuple[BookingPolicy, tariffs.Quote]:
        """Return the policy and quote that hold, or raise NotBookable with all broken rules."""
        if self.violations or self.sheet.policy is None or self.quote is None:
            raise NotBookable(self.violations, alternatives=_nearest(self))
        return self.sheet.policy, self.quote


def make_offer(sheet: Sheet, slot: TimeSlot, *, is_assisted: bool | None = None) -> Offer:
    """Return what the sheet says about the slot now.

    Unless told, it is used by oneself where that may be.
    """
    now = clock.now()
    quoted = tariffs.quote(
        sheet.price, minutes=slot.minutes, customer_class=sheet.customer_class, now=now
    )
    assisted = assisted_unless_told(sheet.operation, is_assisted)
    broken = [*_violations(sheet, slot, quoted), *_operation(sheet, slot, is_assisted=assisted)]
    return Offer(sheet, slot, quoted, broken, assisted, _approval(sheet, slot, quoted))


def _operation(sheet: Sheet, slot: TimeSlot, *, is_assisted: bool) -> Iterator[Violation]:
    """Yield what forbids whoever reserves to operate it; the owner's own use is its own matter."""
    if sheet.is_own:
        return
    last = (slot.ends_at - timedelta(microseconds=1)).astimezone(clock.CHINA).date()
    found = refusals(
        sheet.operation,
        is_assisted=is_assisted,
        authorised_until=sheet.authorised_until,
        last_day=last,
    )
    for rule, detail in found:
        yield Violation(rule, detail)


def _approval(sheet: Sheet, slot: TimeSlot, quoted: tariffs.Quote | None) -> Approval:
    """Return what approval it needs; the owner's own use needs none."""
    if quoted is None or sheet.is_own:
        return Approval()
    rule = sheet.approval
    found = rule.reasons(minutes=slot.minutes, price=quoted.price, is_first=sheet.is_first)
    reasons = tuple(found)
    if not reasons:
        return Approval()
    return Approval(reasons, rule.held_until(clock.now(), slot.starts_at, sheet.hold_days))


def _violations(sheet: Sheet, slot: TimeSlot, quoted: tariffs.Quote | None) -> Iterator[Violation]:
    for obstacle in availability.obstacles(
        sheet, is_own=sheet.is_own, has_hours=sheet.has_hours, has_price=quoted is not None
    ):
        yield Violation(obstacle.rule, obstacle.detail)
    if sheet.policy is not None:
        yield from rules.broken_rules(slot, sheet.policy, sheet.plan, now=clock.now())


def taken(sheet: Sheet, slot: TimeSlot) -> SlotTaken:
    """Return the refusal that names what is free instead, here and on equal instruments."""
    found = availability.alternatives(
        sheet.instrument_id,
        slot,
        customer=sheet.customer,
        now=clock.now(),
        kin=_kin_of(sheet),
    )
    prices = tariff_queries.current_prices(
        [free.instrument_id for free in found.elsewhere], sheet.customer
    )
    return SlotTaken(
        slot,
        alternatives=[_priced(free, sheet.price, sheet) for free in found.here],
        elsewhere=[
            _priced(free, price.facts if price else None, sheet)
            for free in found.elsewhere
            for price in [prices.get(free.instrument_id)]
        ],
    )


def _kin_of(sheet: Sheet) -> Kin | None:
    if sheet.category_code.startswith(UNSORTED) or sheet.region_code is None:
        return None
    return Kin(sheet.region_code, sheet.category_code)


def _nearest(offer: Offer) -> list[dict[str, Any]]:
    """Return slots that keep all rules, where only the choice of time was at fault."""
    sheet, slot, now = offer.sheet, offer.slot, clock.now()
    broken = {violation.rule for violation in offer.violations}
    if sheet.policy is None or broken - rules.OF_TIME - rules.OF_FITNESS:
        return []
    # Past the end of its calibration only an earlier time may do.
    start = now if broken & rules.OF_FITNESS else max(slot.starts_at, now)
    length = timedelta(minutes=sheet.policy.nearest_minutes(slot.minutes))
    found = availability.alternatives(
        sheet.instrument_id, TimeSlot(start, start + length), customer=sheet.customer, now=now
    )
    return [_priced(free, sheet.price, sheet) for free in found.here]


def _priced(free: FreeSlot, facts: tariffs.PriceFacts | None, sheet: Sheet) -> dict[str, Any]:
    quoted = tariffs.quote(
        facts, minutes=free.slot.minutes, customer_class=sheet.customer_class, now=clock.now()
    )
    return {
        "instrument_id": free.instrument_id,
        "starts_at": free.starts_at,
        "ends_at": free.ends_at,
        # Without a price it is the customer's own instrument: others were not looked at.
        "price": quoted.price if quoted else Money(0),
    }
