"""The list of instruments, where what they are meets what they cost and when they are free."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from booking.accounts.rules import Caller
from booking.availability.models import OpeningHours, Schedule, SpecialDay
from booking.availability.queries.bookable import bookable_by, bookable_by_whom, whom
from booking.availability.queries.patterns import for_customer, patterns, patterns_of
from booking.availability.queries.search import FreeSlot, soonest
from booking.availability.rules import USUAL_WINDOW
from booking.kernel import paging
from booking.kernel.db import db
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot
from booking.reference import queries as reference
from booking.registry import queries as registry
from booking.registry.models import Instrument
from booking.tariffs import queries as tariffs
from booking.tariffs.models import Price
from booking.tariffs.rules import COUNTED_CLASSES, PUBLIC_FOR, Customer, PriceFacts

AT_FIRST, THEN_TIMES = 200, 4
NO_PRICE = 2**62  # sorts after every price


class Sort(StrEnum):
    """In which order."""

    RELEVANCE = "relevance"
    NAME = "name"
    PRICE = "price"
    SAVING = "saving"
    EARLIEST = "earliest"


@dataclass(frozen=True)
class Wanted:
    """What is looked for; everything but the order is optional."""

    sort: Sort = Sort.RELEVANCE
    q: str | None = None
    category: str | None = None
    regions: Sequence[str] = ()
    institution_id: int | None = None
    service: str | None = None
    price_max: Money | None = None
    window: TimeSlot | None = None
    minutes: int | None = None
    at_most: int | None = None  # look for free time on no more than the nearest so many


@dataclass(frozen=True)
class Counted:
    """How many were found; not `is_all` if there may be more."""

    count: int
    is_all: bool


@dataclass(frozen=True)
class Listed:
    """An instrument of the list, with the customer's price and, if asked for, its free slot.

    `price` is the published version, `facts` the same with what the customer's finer class gives.
    """

    described: registry.Described
    price: Price | None
    facts: PriceFacts | None
    bookable: bool
    earliest: FreeSlot | None


@dataclass(frozen=True)
class _Hit:
    id: int
    key: tuple[Any, ...]
    free: FreeSlot | None = None


def list_instruments(
    wanted: Wanted,
    *,
    caller: Caller | None,
    now: datetime,
    limit: int,
    cursor: str | None,
) -> paging.Page[Listed]:
    """Return a page of what the caller may see and looks for.

    With a window, or in the order of the earliest, only those that are free in it for so many
    minutes. The number of statements does not depend on the number of instruments shown.
    """
    customer = tariffs.customer_of(caller)
    conditions = _conditions(wanted, caller, customer)
    if wanted.sort is Sort.EARLIEST:
        hits = _earliest(wanted, conditions, customer, now, cursor)
    elif wanted.window is not None:
        hits = _free_ones(wanted, conditions, customer, now, cursor)
    else:
        query = _ordered(wanted, conditions, customer, now, cursor).limit(limit + 1)
        hits = (_Hit(row[0], tuple(row[1:])) for row in db.session.execute(query))
    page = [hit for hit, _ in zip(hits, range(limit + 1), strict=False)]
    more = len(page) > limit
    return paging.Page(
        items=_filled(page[:limit], caller, customer),
        next_cursor=paging.encode(*page[limit - 1].key, page[limit - 1].id) if more else None,
    )


def free_count(wanted: Wanted, *, caller: Caller | None, now: datetime) -> Counted:
    """Return how many of those looked for are free in the window; looks at each, or `at_most`."""
    customer = tariffs.customer_of(caller)
    window = wanted.window or TimeSlot(now, now + USUAL_WINDOW)
    conditions = _conditions(wanted, caller, customer)
    found = for_customer(patterns(window, *_looked_at(wanted, conditions, customer, now)), customer)
    count = sum(1 for _ in soonest(found, window, now=now, minutes=wanted.minutes))
    looked_at = sum(len(pattern.ids) for pattern in found)
    return Counted(count, is_all=wanted.at_most is None or looked_at < wanted.at_most)


def count(wanted: Wanted, *, caller: Caller | None) -> int:
    """Return how many there are; whether something is free is not asked."""
    conditions = _conditions(wanted, caller, tariffs.customer_of(caller))
    query = select(func.count()).select_from(Instrument).where(*conditions)
    return db.session.scalar(query) or 0


def _looked_at(
    wanted: Wanted, conditions: Sequence[ColumnElement[bool]], customer: Customer, now: datetime
) -> list[ColumnElement[bool]]:
    """Return the conditions for what is looked at one by one: what can be booked, or a part.

    The part has the names nearest to what was typed; among equals others come first every day.
    """
    bookable = [*bookable_by(customer), *conditions]
    if wanted.at_most is None:
        return bookable
    turn = func.hashint8extended(Instrument.id, now.toordinal())
    nearest = (
        select(Instrument.id)
        .where(*bookable, exists().where(Schedule.instrument_id == Instrument.id))
        .order_by(registry.rank(wanted.q), turn)
        .limit(wanted.at_most)
        .correlate(None)
    )
    return [Instrument.id.in_(nearest)]


def _conditions(
    wanted: Wanted, caller: Caller | None, customer: Customer
) -> list[ColumnElement[bool]]:
    found = registry.matching(
        caller=caller,
        q=wanted.q,
        category=wanted.category,
        regions=wanted.regions,
        institution_id=wanted.institution_id,
    ).whereclause
    conditions = [] if found is None else [found]
    if wanted.service is not None:
        conditions.append(
            or_(
                Instrument.service_content.icontains(wanted.service, autoescape=True),
                Instrument.functions.icontains(wanted.service, autoescape=True),
                Instrument.standards.contains([wanted.service]),
            )
        )
    if wanted.price_max is not None:
        conditions.append(_due(customer) <= wanted.price_max.minor * 10_000)
    return conditions


def _due(customer: Customer) -> ColumnElement[int]:
    """Return what an hour costs the customer after the discount, in 1/10,000 分; or NULL."""
    due = Price.per_hour_minor * (100 - tariffs.percent_for(customer)) * 100
    return (
        select(func.min(cast(due, BigInteger)))
        .where(Price.instrument_id == Instrument.id, tariffs.applies_to(customer))
        .scalar_subquery()
    )


def _saved(customer: Customer, now: datetime) -> ColumnElement[int]:
    """Return what an hour saves the customer, in 1/10,000 分, below zero so that most is first.

    0 where nothing can be compared (`why_no_baseline`); of several prices the lowest counts.
    """
    percent = tariffs.percent_for(customer)
    saved = cast(Price.per_hour_minor * percent * 100, BigInteger)
    compared = and_(
        Price.customer_class.in_(COUNTED_CLASSES), Price.published_at <= now - PUBLIC_FOR
    )
    of_lowest = (
        select(case((compared, -saved), else_=0))
        .where(Price.instrument_id == Instrument.id, tariffs.applies_to(customer))
        .order_by(Price.per_hour_minor * (100 - percent), Price.id)
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(of_lowest, 0)


def _ordered(
    wanted: Wanted,
    conditions: Sequence[ColumnElement[bool]],
    customer: Customer,
    now: datetime,
    cursor: str | None,
) -> Select[Any]:
    """Return the query for ids and sort keys, after the cursor, in the order asked for."""
    keys = _keys(wanted, customer, now)
    query = select(Instrument.id, *keys).where(*conditions).order_by(*keys, Instrument.id)
    if cursor is None:
        return query
    types = _KEY_TYPES.get(wanted.sort, (int, str))
    after = paging.decode(cursor, *types, int)
    return query.where(tuple_(*keys, Instrument.id) > tuple_(*map(literal, after)))


_KEY_TYPES: dict[Sort, tuple[type, ...]] = {
    Sort.NAME: (str,),
    Sort.PRICE: (int,),
    Sort.SAVING: (int,),
}


def _keys(wanted: Wanted, customer: Customer, now: datetime) -> list[ColumnElement[Any]]:
    if wanted.sort is Sort.PRICE:
        return [func.coalesce(_due(customer), NO_PRICE)]
    if wanted.sort is Sort.SAVING:
        return [_saved(customer, now)]
    name = Instrument.name_pinyin.expression
    return [name] if wanted.sort is Sort.NAME else [registry.rank(wanted.q), name]


def _free_ones(
    wanted: Wanted,
    conditions: Sequence[ColumnElement[bool]],
    customer: Customer,
    now: datetime,
    cursor: str | None,
) -> Iterator[_Hit]:
    """Yield what is free in the window, in the order asked for, looking as far as needed."""
    assert wanted.window is not None  # noqa: S101 - asked only then
    bookable = [*conditions, *bookable_by(customer)]
    query = _ordered(wanted, bookable, customer, now, cursor).limit(wanted.at_most)
    rows = db.session.execute(query).all()
    start, size = 0, AT_FIRST
    while chunk := rows[start : start + size]:
        chosen = patterns_of([row[0] for row in chunk], wanted.window)
        found = for_customer(chosen, customer)
        free = {
            each.instrument_id: each
            for each in soonest(found, wanted.window, now=now, minutes=wanted.minutes)
        }
        for row in chunk:
            if row[0] in free:
                yield _Hit(row[0], tuple(row[1:]), free[row[0]])
        start, size = start + size, size * THEN_TIMES


def _earliest(
    wanted: Wanted,
    conditions: Sequence[ColumnElement[bool]],
    customer: Customer,
    now: datetime,
    cursor: str | None,
) -> Iterator[_Hit]:
    """Yield what is free in the window (a week from now unless one is given), soonest first."""
    window = wanted.window or TimeSlot(now, now + USUAL_WINDOW)
    after = paging.decode(cursor, int, int) if cursor is not None else [0, 0]
    looked_at = patterns(window, *_looked_at(wanted, conditions, customer, now))
    found = for_customer(looked_at, customer)
    for free in soonest(found, window, now=now, minutes=wanted.minutes):
        minute = int(free.starts_at.timestamp()) // 60
        if [minute, free.instrument_id] > after:
            yield _Hit(free.instrument_id, (minute,), free)


def _filled(hits: Sequence[_Hit], caller: Caller | None, customer: Customer) -> list[Listed]:
    """Return the instruments of one page with everything that is shown of them."""
    ids = [hit.id for hit in hits]
    if not ids:
        return []
    by_id = {each.id: each for each in db.session.scalars(_SHOWN, {"ids": ids})}
    prices = tariffs.current_prices(ids, customer)
    bookable = set(db.session.scalars(_BOOKABLE, whom(customer) | {"ids": ids}))
    described = registry.described([by_id[each] for each in ids], caller=caller)
    return [
        Listed(
            each,
            prices.get(hit.id),
            _facts(each.instrument, prices.get(hit.id), customer),
            hit.id in bookable,
            hit.free,
        )
        for each, hit in zip(described, hits, strict=True)
    ]


def _facts(instrument: Instrument, price: Price | None, customer: Customer) -> PriceFacts | None:
    if price is None:
        return None
    return customer.facts_at(
        price.facts,
        price.customer_class,
        institution_id=instrument.institution.id,  # the column itself is not in lists
        instrument_id=instrument.id,
    )


_OF_PAGE = Instrument.id == func.any(bindparam("ids", type_=ARRAY(BigInteger)))
_SHOWN = select(Instrument).where(_OF_PAGE).options(*registry.LISTED)
_BOOKABLE = select(Instrument.id).where(
    _OF_PAGE,
    *bookable_by_whom(),
    exists().where(Schedule.instrument_id == Instrument.id),
    or_(
        exists().where(OpeningHours.instrument_id == Instrument.id),
        exists().where(SpecialDay.instrument_id == Instrument.id),
    ),
)


@dataclass(frozen=True)
class Facets:
    """How many there are in all, by city and by main class, each without its own filter."""

    total: int
    regions: Sequence[tuple[str, str, int]]  # code of 4 digits, name, count
    categories: Sequence[tuple[str, str, int]]  # code of 2 digits, name, count


def facets(wanted: Wanted, *, caller: Caller | None) -> Facets:
    """Return the counts beside the filters; whether something is free is not asked for them.

    One statement counts all three, by city and main class and by whether the filters fit.
    """
    customer = tariffs.customer_of(caller)
    others = replace(wanted, regions=(), category=None)
    in_regions = or_(*map(registry.in_region, wanted.regions)) if wanted.regions else true()
    in_category = registry.in_category(wanted.category) if wanted.category else true()
    columns = (
        func.left(Instrument.region_code, 4).label("region"),
        func.left(Instrument.category_code, 2).label("category"),
        in_regions.label("in_regions"),
        in_category.label("in_category"),
    )
    rows = db.session.execute(
        select(*columns, func.count())
        .where(*_conditions(others, caller, customer))
        .group_by(*(column.name for column in columns))
    ).all()
    total, regions, categories = 0, Counter[str](), Counter[str]()
    for region, category, fits_regions, fits_category, number in rows:
        total += number if fits_regions and fits_category else 0
        regions[region] += number if fits_category and region else 0
        categories[category] += number if fits_regions else 0
    region_names = reference.region_names([code.ljust(6, "0") for code in regions if code])
    class_names = registry.category_names([code.ljust(6, "0") for code in categories])
    return Facets(
        total=total,
        regions=_named(regions, region_names),
        categories=_named(categories, class_names),
    )


def _named(counts: Mapping[str, int], names: dict[str, str]) -> list[tuple[str, str, int]]:
    found = [
        (code, names[code.ljust(6, "0")].rpartition(" ")[2], count)
        for code, count in counts.items()
        if count and code.ljust(6, "0") in names
    ]
    return sorted(found, key=lambda each: (-each[2], each[0]))
