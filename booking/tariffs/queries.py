"""Reads for tariffs: versions of prices, and whose price a caller pays."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Numeric,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from booking.accounts.rules import (
    BUYERS,
    Caller,
    CustomerClass,
    OrganisationKind,
    SizeClass,
    customer_class,
)
from booking.kernel import clock, driver, paging
from booking.kernel.db import UtcDateTime, db
from booking.kernel.timeslot import TimeSlot
from booking.pricegroups.queries import GROUPS_OF, groups_from
from booking.pricegroups.rules import Group
from booking.reference import queries as reference
from booking.registry.models import Instrument
from booking.tariffs.models import Price
from booking.tariffs.rules import EXTERNAL_CLASSES, Customer, Wall

_BUYING = f"""
SELECT o.id, (SELECT d.size_class FROM enterprise_declarations d
               WHERE d.organisation_id = o.id ORDER BY d.id DESC LIMIT 1),
       {GROUPS_OF.format(organisation="o.id")}
  FROM organisations o
 WHERE o.id = ANY(%(organisations)s)
 ORDER BY o.id
"""  # noqa: S608 - our own words


def find_current(instrument_id: int, customer_class: CustomerClass) -> Price | None:
    """Return the version of today, or None if the class has no published price."""
    return db.session.scalar(
        select(Price).where(
            Price.instrument_id == instrument_id,
            Price.customer_class == customer_class,
            in_force(clock.now()),
        )
    )


def classes_with_price(instrument_id: int) -> frozenset[CustomerClass]:
    """Return the classes that have a version of today."""
    query = select(Price.customer_class).where(
        Price.instrument_id == instrument_id, in_force(clock.now())
    )
    return frozenset(db.session.scalars(query))


def find_announced(instrument_id: int, customer_class: CustomerClass) -> Price | None:
    """Return the version that is published but does not hold yet, or None."""
    return db.session.scalar(
        select(Price).where(
            Price.instrument_id == instrument_id,
            Price.customer_class == customer_class,
            Price.effective_from > clock.now(),
            Price.superseded_at.is_(None),
        )
    )


def standing_prices(
    ids: Sequence[int], classes: Sequence[CustomerClass]
) -> dict[tuple[int, CustomerClass], tuple[Price | None, Price | None]]:
    """Return by instrument and class the version of today and the one announced, if any."""
    now = clock.now()
    rows = db.session.scalars(
        select(Price).where(
            Price.instrument_id.in_(ids),
            Price.customer_class.in_(classes),
            or_(Price.superseded_at.is_(None), Price.superseded_at > now),
            Price.superseded_at.is_distinct_from(Price.effective_from),
        )
    )
    found: dict[tuple[int, CustomerClass], tuple[Price | None, Price | None]] = {}
    for price in rows:
        place = (price.instrument_id, price.customer_class)
        current, announced = found.get(place, (None, None))
        is_current = price.effective_from <= now
        found[place] = (price, announced) if is_current else (current, price)
    return found


def find_before(price: Price) -> Price | None:
    """Return the version that holds until this one does, or None."""
    return db.session.scalar(
        select(Price).where(
            Price.instrument_id == price.instrument_id,
            Price.customer_class == price.customer_class,
            Price.superseded_at == price.effective_from,
            Price.effective_from < price.effective_from,
        )
    )


def in_force(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition for the versions that hold at the moment."""
    return and_(
        Price.effective_from <= now, or_(Price.superseded_at.is_(None), Price.superseded_at > now)
    )


# For statements that are kept; `clock.now()` is given with the other values.
NOW: ColumnElement[datetime] = bindparam("now", type_=UtcDateTime())


def get_price(price_id: int) -> Price:
    """Return a version, current or not."""
    return db.session.get_one(Price, price_id)


def wall_of(instrument: Instrument, slot: TimeSlot) -> Wall:
    """Return the clock where the instrument stands, with the working days around the slot."""
    first, last = slot.starts_at.date() - _DAY, slot.ends_at.date() + _DAY
    return Wall(instrument.zone, reference.workdays(first, last))


_DAY = timedelta(days=1)


def find_price(price_id: int) -> Price | None:
    """Return a version, or None if there is none."""
    return db.session.get(Price, price_id)


def current_prices(ids: Sequence[int], customer: Customer) -> dict[int, Price]:
    """Return the version that applies to the customer, by instrument: the lowest of several.

    What a finer class of theirs gives is not in it: ask `customer.facts_at`.

    Missing where none is published for them; at their own institution that means free of charge.
    """
    if not ids:
        return {}
    values = {
        "ids": list(ids),
        "classes": [str(each) for each in customer.classes],
        "own": list(customer.own_institutions),
        "now": clock.now(),
    }
    found: dict[int, Price] = {}
    current = _current(customer) if customer.groups else _CURRENT
    for price in db.session.scalars(current, values):
        found.setdefault(price.instrument_id, price)
    return found


def applies_to(customer: Customer) -> ColumnElement[bool]:
    """Return the condition for current prices of the customer; needs the instrument's row."""
    return _applies(
        in_force(clock.now()),
        Price.customer_class.in_(customer.classes),
        Instrument.institution_id.in_(customer.own_institutions),
    )


def _applies(
    holds: ColumnElement[bool], class_fits: ColumnElement[bool], is_own: ColumnElement[bool]
) -> ColumnElement[bool]:
    return and_(
        holds,
        or_(
            and_(is_own, Price.customer_class == CustomerClass.INTERNAL),
            and_(~is_own, class_fits),
        ),
    )


def percent_for(customer: Customer) -> ColumnElement[Decimal]:
    """Return how much less than the list price is due; needs the instrument's row.

    The better of the published discount and what the customer's finer classes give.
    """
    published = Price.discount_percent.expression
    if not customer.groups:
        return published
    return func.greatest(published, *(_given_by(group) for group in customer.groups))


def _given_by(group: Group) -> ColumnElement[Decimal]:
    fits = and_(
        Instrument.institution_id == group.institution_id, Price.customer_class == group.base_class
    )
    own = [
        (and_(fits, Price.instrument_id == each), literal(percent, Numeric(5, 2)))
        for each, percent in group.instruments
    ]
    usual = literal(group.percent, Numeric(5, 2))
    return case(*own, (fits, usual), else_=literal(Decimal(0), Numeric(5, 2)))


def _current(customer: Customer) -> Select[Price]:
    return (
        select(Price)
        .join(Instrument, Instrument.id == Price.instrument_id)
        .where(
            Price.instrument_id == func.any(bindparam("ids", type_=ARRAY(BigInteger))),
            _applies(
                in_force(NOW),
                Price.customer_class == func.any(bindparam("classes", type_=ARRAY(String))),
                Instrument.institution_id == func.any(bindparam("own", type_=ARRAY(BigInteger))),
            ),
        )
        .order_by(Price.per_hour_minor * (100 - percent_for(customer)), Price.id)
    )


# Built once: it is asked for with every refusal.
_CURRENT = _current(Customer())


def list_prices(
    instrument_id: int, *, limit: int, cursor: str | None, current: bool = False
) -> paging.Page[Price]:
    """Return a page of an instrument's price versions, latest first; or the current ones only."""
    query = select(Price).where(Price.instrument_id == instrument_id)
    if current:
        query = query.where(in_force(clock.now()))
    if cursor is not None:
        query = query.where(Price.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(Price.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )


def customer_of(caller: Caller | None) -> Customer:
    """Return whose prices apply to the caller; all outside classes if nobody buys for anybody."""
    seats = {seat.organisation_id: seat.kind for seat in caller.seats} if caller else {}
    buying = {held: kind for held, kind in seats.items() if kind in BUYERS}
    if not buying:
        return Customer()
    rows = driver.rows(_BUYING, {"organisations": list(buying), "now": clock.now()})
    sizes = {held: SizeClass(size) if size else None for held, size, _ in rows}
    found = {
        customer_class(kind=kind, size_class=sizes.get(held), is_owner=False)
        for held, kind in buying.items()
    }
    return Customer(
        classes=tuple(each for each in EXTERNAL_CLASSES if each in found),
        own_institutions=frozenset(
            held for held, kind in buying.items() if kind is OrganisationKind.INSTITUTION
        ),
        groups=tuple(group for _, _, groups in rows for group in groups_from(groups)),
    )
