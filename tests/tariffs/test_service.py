"""Publishing prices on a real database."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from booking.accounts.rules import CustomerClass, Role, SizeClass
from booking.journal.models import JournalEntry
from booking.kernel.errors import NotAllowed, NotFound
from booking.kernel.money import Money
from booking.registry.models import Publication
from booking.tariffs import queries, service
from tests.factories import (
    caller_of,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_price,
    make_user,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def manager(owner):
    return make_caller(owner, Role.MANAGER)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, price=None)


def publish(instrument, manager, amount="180.00", **given):
    return service.publish_price(
        instrument.id, CustomerClass.SME, Money.of(amount), caller=manager, **given
    )


def test_a_new_price_takes_the_place_of_the_current_one(instrument, manager, now):
    first = publish(instrument, manager)
    now.advance(days=1)

    second = publish(instrument, manager, "200.00", discount_percent=Decimal(10))

    assert first.per_hour == Money.of("180.00")
    assert first.superseded_at == second.published_at == now.at
    assert queries.find_current(instrument.id, CustomerClass.SME) is second


def test_the_same_price_again_goes_on_being_public(instrument, manager, now):
    first = publish(instrument, manager, discount_percent=Decimal("12.50"), discount_reason="惠企")
    now.advance(days=40)

    again = publish(instrument, manager, discount_percent=Decimal("12.5"), discount_reason="惠企")

    assert again is first


def test_publishing_is_recorded_with_old_and_new(instrument, manager, session):
    publish(instrument, manager)
    price = publish(instrument, manager, "200.00")

    entry = session.scalars(select(JournalEntry).order_by(JournalEntry.id.desc())).first()

    assert (entry.action, entry.subject_id, entry.actor_id) == (
        "price.published",
        price.id,
        manager.user_id,
    )
    assert (entry.data["old"]["per_hour_minor"], entry.data["new"]["per_hour_minor"]) == (
        18000,
        20000,
    )


def test_only_who_manages_the_instrument_publishes(instrument, owner):
    with pytest.raises(NotAllowed):
        publish(instrument, make_caller(owner, Role.OPERATOR))
    with pytest.raises(NotAllowed):
        publish(instrument, make_caller())


def test_a_price_on_what_one_may_not_see_is_not_found(owner):
    draft = make_instrument(institution=owner, publication=Publication.DRAFT, price=None)

    with pytest.raises(NotFound):
        publish(draft, make_caller(make_institution(), Role.MANAGER))


@pytest.mark.parametrize(
    ("size", "classes"),
    [
        (SizeClass.MICRO, (CustomerClass.SME,)),
        (SizeClass.LARGE, (CustomerClass.LARGE,)),
        (None, (CustomerClass.LARGE,)),
    ],
)
def test_a_firm_pays_by_the_size_it_last_declared(size, classes):
    caller = make_caller(make_organisation(size_class=size))

    assert queries.customer_of(caller).classes == classes


def test_who_acts_for_several_is_shown_each_ones_prices():
    firm, institution = make_organisation(), make_institution()
    caller = caller_of(make_user(), (firm, Role.MEMBER), (institution, Role.OPERATOR))

    customer = queries.customer_of(caller)

    assert customer.classes == (CustomerClass.SME, CustomerClass.LARGE)
    assert customer.own_institutions == {institution.id}


def test_the_price_shown_is_the_own_class_or_the_internal_one(owner):
    elsewhere = make_instrument(price=None)
    for customer_class, amount in ((CustomerClass.LARGE, 300), (CustomerClass.INTERNAL, 1)):
        make_price(elsewhere, customer_class, per_hour_minor=amount)
    own = make_instrument(institution=owner, price=None)
    for customer_class, amount in ((CustomerClass.LARGE, 300), (CustomerClass.INTERNAL, 1)):
        make_price(own, customer_class, per_hour_minor=amount)
    customer = queries.customer_of(make_caller(owner, Role.OPERATOR))

    found = queries.current_prices([elsewhere.id, own.id], customer)

    assert (found[elsewhere.id].per_hour_minor, found[own.id].per_hour_minor) == (300, 1)
