"""Publishing packages of hours and withdrawing them; a version never changes."""

from collections.abc import Collection, Iterator

from booking.accounts.rules import Caller, CustomerClass, Permission, require
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotFound
from booking.kernel.money import Money
from booking.kernel.text import N_, Text
from booking.packages import queries, rules
from booking.packages.errors import NotSold, UnusablePackage
from booking.packages.models import HourPackage
from booking.packages.rules import Reach


def publish(
    institution_id: int,
    *,
    caller: Caller,
    name: str,
    customer_class: CustomerClass,
    hours: int,
    price: Money,
    valid_months: int,
    instrument_ids: Collection[int] = (),
    category_code: str = "",
    conditions: str = "",
    replaces: int | None = None,
) -> HourPackage:
    """Publish a package for a class of customers; it may take another's place.

    Raises NotFound, NotAllowed, NotSold if the one to replace was withdrawn, or UnusablePackage:
    also where an hour of it would cost more than the price list asks (domain §4.4: P > B is an
    error).
    """
    _manages(institution_id, caller)
    if customer_class is CustomerClass.INTERNAL:
        raise InvalidField("customer_class", N_("机时包只售给外单位。"))
    reach = Reach(tuple(sorted(set(instrument_ids))), category_code)
    if wrong := list(rules.wrong_with(hours, price, valid_months)):
        raise UnusablePackage(wrong)
    per_hour = Money(price.minor // hours, price.currency)
    if wrong := list(_wrong_reach(institution_id, reach, customer_class, per_hour)):
        raise UnusablePackage(wrong)
    old = _end(replaces, institution_id, caller) if replaces is not None else None
    package = HourPackage(
        institution_id=institution_id,
        name=name,
        customer_class=customer_class,
        instrument_ids=list(reach.instrument_ids),
        category_code=category_code,
        hours=hours,
        price_minor=price.minor,
        currency=price.currency,
        valid_months=valid_months,
        conditions=conditions,
        replaces_id=old.id if old else None,
        published_by=caller.user_id,
    )
    db.session.add(package)
    db.session.flush()
    _record("package.published", package, caller)
    return package


def withdraw(package_id: int, *, caller: Caller) -> HourPackage:
    """Sell it no more; what was bought of it stays as it is.

    Raises NotFound, NotAllowed, NotSold.
    """
    package = queries.get_package(package_id, for_update=True)
    _manages(package.institution_id, caller)
    return _withdrawn(package, caller)


def _manages(institution_id: int, caller: Caller) -> None:
    if institution_id not in caller.organisations:
        raise NotFound
    require(caller, Permission.MANAGE_INSTRUMENTS, institution_id)


def _end(package_id: int, institution_id: int, caller: Caller) -> HourPackage:
    """Withdraw the version that another one takes the place of."""
    package = queries.get_package(package_id, for_update=True)
    if package.institution_id != institution_id:
        raise NotFound
    return _withdrawn(package, caller)


def _withdrawn(package: HourPackage, caller: Caller) -> HourPackage:
    if package.withdrawn_at is not None:
        raise NotSold
    package.withdrawn_at, package.withdrawn_by = clock.now(), caller.user_id
    db.session.flush()
    _record("package.withdrawn", package, caller)
    return package


def _wrong_reach(
    institution_id: int, reach: Reach, of: CustomerClass, per_hour: Money
) -> Iterator[tuple[str, Text]]:
    """Yield what is wrong with the instruments it is for, and where their list is cheaper."""
    listed = queries.timed_instruments(institution_id, reach, of)
    if len(listed) < len(reach.instrument_ids):
        yield (
            "instrument_ids",
            N_("只能选择本机构的、对这类客户公布了机时价格的仪器。"),
        )
    elif not listed:
        yield (
            "category_code" if reach.category_code else "instrument_ids",
            N_("这个范围内没有对这类客户公布机时价格的仪器，请先公布价格。"),
        )
    for instrument, price in queries.dearer_than_list(per_hour, listed)[:1]:
        yield (
            "price",
            N_(
                "每小时 %(per_hour)s 元高于“%(instrument)s”的公示价 %(listed)s 元/小时。"
                "请降低总价，或不包含这台仪器。",
                per_hour=per_hour.amount,
                instrument=instrument.name,
                listed=price.amount,
            ),
        )


def _record(action: str, package: HourPackage, caller: Caller) -> None:
    journal.record(
        action,
        "hour_package",
        package.id,
        by=caller.user_id,
        organisation_id=package.institution_id,
        new={
            "name": package.name,
            "customer_class": package.customer_class,
            "instrument_ids": list(package.instrument_ids),
            "category_code": package.category_code,
            "hours": package.hours,
            "price_minor": package.price_minor,
            "currency": package.currency,
            "valid_months": package.valid_months,
            "replaces_id": package.replaces_id,
            "withdrawn_at": package.withdrawn_at.isoformat() if package.withdrawn_at else None,
        },
    )
