"""Publishing prices: a new version takes the place of the current one, none is ever edited."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product

from sqlalchemy import update

from booking.accounts.rules import Caller, CustomerClass, Permission, require
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotFound
from booking.kernel.money import Money
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.registry import queries as registry
from booking.registry.models import Instrument
from booking.tariffs import queries, rules
from booking.tariffs.errors import AlreadyInForce, Overlaps, UnusableTerms
from booking.tariffs.models import Price
from booking.tariffs.rules import USUAL, ChargeUnit, PriceFacts, Quote, Terms, Usage

LONGEST_AHEAD = timedelta(days=366)
LONGEST_PREVIEW = timedelta(days=31)


def publish_price(
    instrument_id: int,
    customer_class: CustomerClass,
    per_hour: Money | None = None,
    *,
    caller: Caller,
    terms: Terms = USUAL,
    discount_percent: Decimal = Decimal(0),
    discount_reason: str = "",
    effective_from: datetime | None = None,
) -> Price:
    """Publish what a class pays from now on, or from a day to come; what was agreed stays.

    `per_hour` is for terms that charge by the hour; other units have their price in the terms.
    The same price again changes nothing: its days of being public go on counting (domain §4.3).
    Raises NotFound, NotAllowed unless the caller manages the instrument, UnusableTerms,
    InvalidField, or Overlaps.
    """
    # Locked, so that two versions published at once follow each other.
    instrument = registry.get_instrument(instrument_id, caller=caller, for_update=True)
    require(caller, Permission.MANAGE_INSTRUMENTS, instrument.institution_id)
    now = clock.now()
    wanted = Price(
        instrument_id=instrument_id,
        customer_class=customer_class,
        per_hour=check(per_hour, terms),
        kept_terms=terms.plain(),
        discount_percent=discount_percent,
        discount_reason=discount_reason,
        published_at=now,
        effective_from=_start(effective_from, now),
        published_by=caller.user_id,
    )
    return _take_place(wanted, instrument, caller)


def _take_place(wanted: Price, instrument: Instrument, caller: Caller) -> Price:
    """Keep a version between those that stand; the one that says the same is kept instead."""
    of_whom = (wanted.instrument_id, wanted.customer_class)
    current, announced = queries.find_current(*of_whom), queries.find_announced(*of_whom)
    if current and _said(current) == _said(wanted):
        return current
    if announced and wanted.effective_from > wanted.published_at:
        is_same = announced.effective_from == wanted.effective_from
        if is_same and _said(announced) == _said(wanted):
            return announced
        raise Overlaps(announced, _day(announced.effective_from, instrument))
    if current:
        current.superseded_at = wanted.effective_from
        db.session.flush()
    wanted.superseded_at = announced.effective_from if announced else None
    db.session.add(wanted)
    db.session.flush()
    _record("price.published", wanted, instrument, caller, old=current)
    return wanted


def publish_each(
    instruments: Sequence[Instrument],
    classes: Sequence[CustomerClass],
    per_hour: Money,
    *,
    caller: Caller,
    discount_percent: Decimal = Decimal(0),
    discount_reason: str = "",
) -> frozenset[int]:
    """Publish one price per hour for classes of many locked instruments, from now on.

    As `publish_price` for each of them, in a handful of statements for any number. Returns of
    which instruments it is a new price. Raises NotAllowed unless the caller manages all of them.
    """
    for each in instruments:
        require(caller, Permission.MANAGE_INSTRUMENTS, each.institution_id)
    now, owner = clock.now(), {each.id: each.institution_id for each in instruments}
    standing = queries.standing_prices(list(owner), classes)
    made: list[tuple[Price, Price | None]] = []
    for place in product(sorted(owner), dict.fromkeys(classes)):
        current, announced = standing.get(place, (None, None))
        wanted = Price(
            instrument_id=place[0],
            customer_class=place[1],
            per_hour=check(per_hour, USUAL),
            kept_terms={},
            discount_percent=discount_percent,
            discount_reason=discount_reason,
            published_at=now,
            effective_from=now,
            superseded_at=announced.effective_from if announced else None,
            published_by=caller.user_id,
        )
        if current is None or _said(current) != _said(wanted):
            made.append((wanted, current))
    replaced = [old.id for _, old in made if old]
    db.session.execute(update(Price).where(Price.id.in_(replaced)).values(superseded_at=now))
    db.session.add_all([new for new, _ in made])
    db.session.flush()
    for institution_id in sorted(set(owner.values())):
        of_it = [pair for pair in made if owner[pair[0].instrument_id] == institution_id]
        entries = [
            (new.id, {"old": _facts(old) if old else None, "new": _facts(new)})
            for new, old in of_it
        ]
        journal.record_each(
            "price.published", "price", entries, by=caller.user_id, organisation_id=institution_id
        )
    return frozenset(new.instrument_id for new, _ in made)


def withdraw_price(price_id: int, *, caller: Caller) -> Price:
    """Take back a version that does not hold yet; the one before it goes on holding.

    Raises NotFound, NotAllowed, or AlreadyInForce.
    """
    price = queries.find_price(price_id)
    if price is None:
        raise NotFound
    instrument = registry.get_instrument(price.instrument_id, caller=caller, for_update=True)
    require(caller, Permission.MANAGE_INSTRUMENTS, instrument.institution_id)
    db.session.refresh(price)
    if price.was_withdrawn or price.effective_from <= clock.now():
        raise AlreadyInForce
    before = queries.find_before(price)
    price.superseded_at = price.effective_from
    db.session.flush()
    if before:
        before.superseded_at = None
        db.session.flush()
    _record("price.withdrawn", price, instrument, caller, old=before)
    return price


def preview(
    instrument_id: int,
    customer_class: CustomerClass,
    per_hour: Money | None = None,
    *,
    slot: TimeSlot,
    caller: Caller,
    terms: Terms = USUAL,
    discount_percent: Decimal = Decimal(0),
    discount_reason: str = "",
    effective_from: datetime | None = None,
    samples: int = 1,
    assisted: bool = False,
) -> Quote:
    """Return what the slot would cost by this price; nothing is published.

    Raises NotFound, NotAllowed, UnusableTerms, or InvalidField for a slot too long.
    """
    instrument = registry.get_instrument(instrument_id, caller=caller)
    require(caller, Permission.MANAGE_INSTRUMENTS, instrument.institution_id)
    if slot.duration > LONGEST_PREVIEW:
        raise InvalidField("ends_at", N_("预览的时段最长 31 天。"))
    since = effective_from or clock.now()
    facts = PriceFacts(
        0, check(per_hour, terms), discount_percent, since, False, discount_reason, terms
    )
    return price_slot(facts, instrument, customer_class, slot, samples=samples, assisted=assisted)


def price_slot(
    facts: PriceFacts,
    instrument: Instrument,
    customer_class: CustomerClass,
    slot: TimeSlot,
    *,
    samples: int = 1,
    assisted: bool = False,
) -> Quote:
    """Return what the slot costs on the instrument by a price."""
    found = rules.quote(
        facts,
        Usage(slot.starts_at, slot.minutes, samples, assisted),
        customer_class=customer_class,
        now=clock.now(),
        wall=queries.wall_of(instrument, slot),
    )
    assert found is not None  # noqa: S101 - only without facts
    return found


def check(per_hour: Money | None, terms: Terms) -> Money:
    """Return what an hour costs, or comes to; raises UnusableTerms with all that cannot be."""
    wrong = list(rules.wrong_with(terms))
    if terms.unit is ChargeUnit.HOUR and per_hour is None:
        wrong.append(("per_hour", N_("请填写每小时的价格。")))
    if terms.unit is not ChargeUnit.HOUR and per_hour is not None:
        wrong.append(("per_hour", N_("只有按小时计费才填写每小时的价格。")))
    if wrong:
        raise UnusableTerms(wrong)
    if per_hour is not None:
        return per_hour
    hours = Fraction(terms.per_minutes or rules.HOUR, rules.HOUR)
    return Money(terms.unit_minor).times(1 / hours)


def _start(wanted: datetime | None, now: datetime) -> datetime:
    if wanted is None or wanted == now:
        return now
    if wanted < now:
        raise InvalidField("effective_from", N_("生效时间不能早于现在；留空为立即生效。"))
    if wanted > now + LONGEST_AHEAD:
        raise InvalidField("effective_from", N_("最多提前一年公布。"))
    return wanted


def _day(moment: datetime, instrument: Instrument) -> str:
    return f"{moment.astimezone(instrument.zone):%Y-%m-%d %H:%M}"


def _said(price: Price) -> tuple[object, ...]:
    return (price.per_hour, price.kept_terms, price.discount_percent, price.discount_reason)


def _record(
    action: str, price: Price, instrument: Instrument, caller: Caller, *, old: Price | None
) -> None:
    journal.record(
        action,
        "price",
        price.id,
        by=caller.user_id,
        organisation_id=instrument.institution_id,
        old=_facts(old) if old else None,
        new=_facts(price),
    )


def _facts(price: Price) -> dict[str, object]:
    return {
        "id": price.id,
        "instrument_id": price.instrument_id,
        "customer_class": price.customer_class,
        "per_hour_minor": price.per_hour_minor,
        "currency": price.per_hour_currency,
        "terms": price.kept_terms,
        "discount_percent": str(price.discount_percent),
        "discount_reason": price.discount_reason,
        "effective_from": price.effective_from.isoformat(),
        "superseded_at": price.superseded_at.isoformat() if price.superseded_at else None,
    }
