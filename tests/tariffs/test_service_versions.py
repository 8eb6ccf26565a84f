"""Versions of a price in time: announced, withdrawn, never two at once, never changed."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from booking.accounts.rules import CustomerClass, Role
from booking.kernel.errors import InvalidField, NotAllowed, NotFound
from booking.kernel.money import Money
from booking.tariffs import queries, service
from booking.tariffs.errors import AlreadyInForce, Overlaps, UnusableTerms
from booking.tariffs.rules import ChargeUnit, Fee, Terms, Window
from tests.factories import make_caller, make_institution, make_instrument, make_price

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

DAY = timedelta(days=1)


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def manager(owner):
    return make_caller(owner, Role.MANAGER)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, price=None)


@pytest.fixture
def publish(instrument, manager):
    def make(amount="180.00", **given):
        return service.publish_price(
            instrument.id, CustomerClass.SME, Money.of(amount), caller=manager, **given
        )

    return make


def in_force(instrument):
    price = queries.find_current(instrument.id, CustomerClass.SME)
    return price and price.per_hour.amount


def test_an_announced_price_takes_over_at_its_moment(instrument, publish, now):
    publish()
    announced = publish("200.00", effective_from=now.at + 30 * DAY)

    assert in_force(instrument) == "180.00"
    assert announced.published_at == now.at
    now.advance(days=30)
    assert in_force(instrument) == "200.00"


def test_two_announced_prices_are_refused_and_the_first_is_named(publish, now):
    first = publish("200.00", effective_from=now.at + 30 * DAY)

    with pytest.raises(Overlaps) as refused:
        publish("220.00", effective_from=now.at + 60 * DAY)

    assert refused.value.details["price_id"] == first.id
    assert "2026-12-23" in str(refused.value)


def test_a_price_published_now_holds_until_the_announced_one(instrument, publish, now):
    publish("180.00")
    publish("200.00", effective_from=now.at + 30 * DAY)
    now.advance(days=1)

    between = publish("190.00")

    assert (between.effective_from, between.superseded_at) == (now.at, now.at + 29 * DAY)
    assert in_force(instrument) == "190.00"
    now.advance(days=29)
    assert in_force(instrument) == "200.00"


def test_an_announced_price_can_be_taken_back_until_it_holds(instrument, publish, manager, now):
    publish("180.00")
    announced = publish("200.00", effective_from=now.at + DAY)

    service.withdraw_price(announced.id, caller=manager)
    now.advance(days=2)

    assert in_force(instrument) == "180.00"
    assert announced.was_withdrawn
    with pytest.raises(AlreadyInForce):
        service.withdraw_price(announced.id, caller=manager)


def test_what_holds_is_not_taken_back_and_only_by_its_owner(publish, manager):
    price = publish()

    with pytest.raises(AlreadyInForce):
        service.withdraw_price(price.id, caller=manager)
    with pytest.raises(NotAllowed):
        service.withdraw_price(price.id, caller=make_caller())
    with pytest.raises(NotFound):
        service.withdraw_price(price.id + 1, caller=manager)


def test_the_same_announcement_again_changes_nothing(publish, now):
    moment = now.at + DAY
    first = publish("200.00", effective_from=moment)

    assert publish("200.00", effective_from=moment) is first


@pytest.mark.parametrize("days", [-1, 367])
def test_a_moment_that_cannot_be_meant_is_refused(publish, now, days):
    with pytest.raises(InvalidField) as refused:
        publish(effective_from=now.at + days * DAY)

    assert list(refused.value.details["errors"]) == ["effective_from"]


def test_everything_wrong_with_the_terms_is_said_at_once(instrument, manager):
    terms = Terms(step_minutes=7, no_show=Fee(), windows=(Window((), 0, 60, 50),))

    with pytest.raises(UnusableTerms) as refused:
        service.publish_price(instrument.id, CustomerClass.SME, caller=manager, terms=terms)

    assert set(refused.value.details["errors"]) == {
        "per_hour",
        "step_minutes",
        "no_show",
        "windows",
    }


@pytest.mark.parametrize(
    ("terms", "per_hour"),
    [
        (Terms(unit=ChargeUnit.BLOCK, unit_minor=100_000, block_minutes=240), "250.00"),
        (Terms(unit=ChargeUnit.SAMPLE, unit_minor=42_000), "420.00"),
    ],
)
def test_other_units_are_ordered_by_what_an_hour_comes_to(instrument, manager, terms, per_hour):
    price = service.publish_price(instrument.id, CustomerClass.SME, caller=manager, terms=terms)

    assert price.per_hour.amount == per_hour
    assert price.terms == terms


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE prices SET per_hour_minor = per_hour_minor - 1",
        "UPDATE prices SET terms = '{\"startup_minor\": 1}'",
        "UPDATE prices SET published_at = published_at - interval '30 days'",
        "UPDATE prices SET effective_from = effective_from - interval '1 day'",
        "DELETE FROM prices",
        "TRUNCATE prices CASCADE",
    ],
)
def test_the_database_refuses_to_change_a_published_price(publish, session, statement):
    publish()

    with pytest.raises(ProgrammingError, match="never changes"):
        session.execute(text(statement))


def test_the_database_refuses_two_prices_at_once(instrument, now):
    make_price(instrument, superseded_at=now.at + DAY)

    with pytest.raises(IntegrityError, match="ex_prices_no_overlap"):
        make_price(instrument, effective_from=now.at, published_at=now.at)
