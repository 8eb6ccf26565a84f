"""What a slot would cost, every rule that would refuse it, and what is free instead."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from booking.packages.rules import Prepaid
from booking.registry import queries as registry
from booking.reservations import rules
from booking.reservations.errors import NotBookable
from booking.reservations.queries import Sheet, price_history, rise_of
from booking.reservations.rules import Violation
from booking.tariffs import queries as tariff_queries
from booking.tariffs import rules as tariffs
from booking.tariffs.models import Price
from booking.tariffs.rules import Hours, PriceFacts, Usage

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
    is_statutory: bool = False  # a test that the law demands, of which nothing is saved
    set_aside: Sequence[Violation] = ()  # broken, and by a manager's reason no obstacle
    approval: Approval = field(default_factory=Approval)
    prepaid: Prepaid | None = None  # what the firm chose to pay its hours with
    rise_percent: int | None = None  # of the list it is compared with, where that needs a look

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
            "rise_percent": self.rise_percent,
        }

    def check(self) -> tuple[BookingPolicy, tariffs.Quote]:
        """Return the policy and quote that hold, or raise NotBookable with all broken rules."""
        if self.violations or self.sheet.policy is None or self.quote is None:
            raise NotBookable(self.violations, alternatives=_nearest(self))
        return self.sheet.policy, self.quote


def make_offer(
    sheet: Sheet,
    slot: TimeSlot,
    *,
    samples: int = 1,
    is_assisted: bool | None = None,
    is_statutory: bool = False,
    prepaid: Prepaid | None = None,
) -> Offer:
    """Return what the sheet says about the slot now, with its hours paid by `prepaid` if given.

    Unless told, it is used by oneself where that may be.
    """
    assisted = assisted_unless_told(sheet.operation, is_assisted)
    usage = Usage(slot.starts_at, slot.minutes, samples, assisted)
    quoted = _quoted(sheet.price, usage, sheet, is_statutory=is_statutory)
    if prepaid and quoted:
        hours = Hours(prepaid.id, prepaid.per_hour, prepaid.left_minutes)
        quoted = tariffs.with_hours(quoted, hours, sheet.plan.wall)
    return Offer(
        sheet,
        slot,
        quoted,
        [
            *_violations(sheet, slot, quoted),
            *_operation(sheet, slot, is_assisted=assisted),
            *rules.broken_by_prepaid(
                prepaid, slot, quoted, sheet.instrument_id, sheet.category_code
            ),
        ],
        is_assisted=assisted,
        is_statutory=is_statutory,
        approval=_approval(sheet, slot, quoted),
        prepaid=prepaid,
    )


def with_buffers(slot: TimeSlot, policy: BookingPolicy) -> TimeSlot:
    """Return the time that is taken for the slot."""
    return slot.widened(
        before_minutes=policy.buffer_before_minutes, after_minutes=policy.buffer_after_minutes
    )


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


def with_rise(offer: Offer) -> Offer:
    """Return it with what is to be said of the list it is compared with (domain §4.3)."""
    if offer.quote is None or offer.quote.baseline is None:
        return offer
    dated = price_history(offer.sheet.instrument_id)
    return replace(offer, rise_percent=rise_of(dated, offer.quote.price_id))


def _violations(sheet: Sheet, slot: TimeSlot, quoted: tariffs.Quote | None) -> Iterator[Violation]:
    for obstacle in availability.obstacles(
        sheet, is_own=sheet.is_own, has_hours=sheet.has_hours, has_price=quoted is not None
    ):
        yield Violation(obstacle.rule, obstacle.detail)
    if sheet.policy is not None:
        now, policy, plan = clock.now(), sheet.policy, sheet.plan
        yield from rules.broken_rules(slot, policy, plan, now=now)
        yield from rules.broken_conditions(slot, policy, plan, sheet.standing, now=now)


def taken(sheet: Sheet, slot: TimeSlot) -> SlotTaken:
    """Return the refusal that names what is free instead, here and on equal instruments."""
    here, elsewhere = instead(sheet, slot)
    return SlotTaken(slot, alternatives=here, elsewhere=elsewhere)


def instead(
    sheet: Sheet, slot: TimeSlot
) -> tuple[Sequence[dict[str, Any]], Sequence[dict[str, Any]]]:
    """Return the nearest free slots here, and on equal instruments, with their prices."""
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
    owners = registry.institutions_of(list(prices)) if sheet.groups else {}
    return (
        _priced_here(found.here, sheet),
        [
            _priced(free, _facts_of(prices.get(free.instrument_id), owners, sheet), sheet)
            for free in found.elsewhere
        ],
    )


def _facts_of(price: Price | None, owners: Mapping[int, int], sheet: Sheet) -> PriceFacts | None:
    """Return a price elsewhere, with what the customer's finer classes give there."""
    if price is None or price.instrument_id not in owners:
        return price.facts if price else None
    return sheet.customer.facts_at(
        price.facts,
        price.customer_class,
        institution_id=owners[price.instrument_id],
        instrument_id=price.instrument_id,
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
    return _priced_here(found.here, sheet)


def _priced_here(found: Sequence[FreeSlot], sheet: Sheet) -> list[dict[str, Any]]:
    return [_priced(free, sheet.price, sheet) for free in found if _keeps_policy(free.slot, sheet)]


def _keeps_policy(slot: TimeSlot, sheet: Sheet) -> bool:
    """Tell whether another slot keeps the policy, too; other instruments are not looked at."""
    if sheet.policy is None:
        return True
    standing = replace(sheet.standing, pairs=(), left=())
    broken = rules.broken_conditions(slot, sheet.policy, sheet.plan, standing, now=clock.now())
    return not any(broken)


def _quoted(
    facts: PriceFacts | None, usage: Usage, sheet: Sheet, *, is_statutory: bool = False
) -> tariffs.Quote | None:
    return tariffs.quote(
        facts,
        usage,
        customer_class=sheet.customer_class,
        now=clock.now(),
        wall=sheet.plan.wall,
        outside=tariffs.outside_of(
            is_market_entity=sheet.is_market_entity,
            is_statutory=is_statutory,
            is_related=sheet.is_related,
        ),
    )


def _priced(free: FreeSlot, facts: PriceFacts | None, sheet: Sheet) -> dict[str, Any]:
    quoted = _quoted(facts, Usage(free.starts_at, free.slot.minutes), sheet)
    return {
        "instrument_id": free.instrument_id,
        "starts_at": free.starts_at,
        "ends_at": free.ends_at,
        # Without a price it is the customer's own instrument: others were not looked at.
        "price": quoted.price if quoted else Money(0),
    }
