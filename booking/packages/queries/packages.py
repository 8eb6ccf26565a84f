"""Packages an institution publishes, and how they compare with its price lists."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from booking.accounts.models import EnterpriseDeclaration, Organisation
from booking.accounts.rules import CustomerClass, customer_class
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.kernel.money import Money
from booking.packages.models import HourPackage
from booking.packages.rules import Reach
from booking.registry.models import Instrument, Publication
from booking.tariffs.models import Price
from booking.tariffs.queries import in_force
from booking.tariffs.rules import OF_TIME


def get_package(package_id: int, *, for_update: bool = False) -> HourPackage:
    """Return a package, sold or not; everybody may read it. Raises NotFound."""
    query = select(HourPackage).where(HourPackage.id == package_id)
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def list_packages(institution_id: int, *, is_sold: bool | None = None) -> Sequence[HourPackage]:
    """Return an institution's packages, latest first; those sold, or those withdrawn, if told."""
    query = select(HourPackage).where(HourPackage.institution_id == institution_id)
    if is_sold is not None:
        withdrawn = HourPackage.withdrawn_at
        query = query.where(withdrawn.is_(None) if is_sold else withdrawn.is_not(None))
    return db.session.scalars(query.order_by(HourPackage.id.desc())).all()


def packages_for(
    instrument: Instrument, classes: Collection[CustomerClass]
) -> Sequence[HourPackage]:
    """Return what is sold for an instrument to customers of these classes, cheapest first."""
    found = [
        each
        for each in list_packages(instrument.institution_id, is_sold=True)
        if each.customer_class in classes
        and each.reach.covers(instrument.id, instrument.category_code)
    ]
    return sorted(found, key=lambda each: (each.hours, each.price_minor, each.id))


def successors(packages: Sequence[HourPackage]) -> dict[int, HourPackage]:
    """Return among these, by the id of a version, the one that took its place."""
    return {each.replaces_id: each for each in packages if each.replaces_id is not None}


def timed_instruments(
    institution_id: int, reach: Reach, of: CustomerClass
) -> Sequence[tuple[Instrument, Price]]:
    """Return the instruments within reach that are charged by time, with the list of a class."""
    found = db.session.execute(
        select(Instrument, Price)
        .join(Price, Price.instrument_id == Instrument.id)
        .where(
            Instrument.institution_id == institution_id,
            Instrument.publication != Publication.WITHDRAWN,
            Price.customer_class == of,
            in_force(clock.now()),
        )
        .order_by(Instrument.id)
    )
    return [
        (instrument, price)
        for instrument, price in found
        if price.terms.unit in OF_TIME and reach.covers(instrument.id, instrument.category_code)
    ]


def dearer_than_list(
    per_hour: Money, listed: Sequence[tuple[Instrument, Price]]
) -> list[tuple[Instrument, Money]]:
    """Return the instruments whose list asks less for an hour, with what it asks."""
    return [(each, price.per_hour) for each, price in listed if price.per_hour < per_hour]


def class_of(organisation: Organisation) -> CustomerClass:
    """Return whose price applies to an organisation elsewhere, by its latest declaration."""
    size = db.session.scalar(
        select(EnterpriseDeclaration.size_class)
        .where(EnterpriseDeclaration.organisation_id == organisation.id)
        .order_by(EnterpriseDeclaration.id.desc())
        .limit(1)
    )
    return customer_class(kind=organisation.kind, size_class=size, is_owner=False)
