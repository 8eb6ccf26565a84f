"""Prepaid hours with finer classes, passed-on charges, the law's tests and another operator."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from booking.accounts.rules import CustomerClass, Role
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField
from booking.kernel.money import Money
from booking.packages import queries as packages
from booking.pricegroups import service as groups
from booking.pricegroups.service import Said
from booking.reservations import queries, service
from booking.reservations.errors import NotBookable
from booking.reservations.models import Settlement
from booking.reservations.rules import PassedOn, PassThrough
from booking.savings import queries as savings
from booking.tariffs.models import Price
from tests.factories import (
    make_balance,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_package,
    make_price,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session", "_sound")]
RUSH = PassedOn(PassThrough.RUSH, 5000)
TODAY = date(2026, 11, 25)


@pytest.fixture
def _sound(session):
    yield
    assert [*queries.breaches(), *savings.breaches(), *packages.breaches()] == []


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def manager(owner):
    return make_caller(owner, Role.MANAGER)


@pytest.fixture
def organisation(session):
    return make_organisation()


@pytest.fixture
def firm(organisation):
    return make_caller(organisation)


@pytest.fixture
def instrument(owner):
    """180.00 an hour, 20 % less, 50.00 to start it and 100.00 an hour for the operator."""
    found = make_instrument(institution=owner, price=None)
    terms = {"startup_minor": 5000, "operator_minor": 10000}
    make_price(found, CustomerClass.SME, kept_terms=terms)
    return found


@pytest.fixture
def balance(owner, organisation):
    return make_balance(make_package(owner), organisation)


@pytest.fixture
def used(instrument, firm, balance, now):
    def use(**given):
        made = service.reserve(instrument.id, slot(), caller=firm, prepaid=balance.id, **given)
        now.set(made.starts_at)
        service.check_in(made.id, caller=firm)
        now.set(made.ends_at)
        service.check_out(made.id, caller=firm)
        return made

    return use


def test_a_finer_class_pays_less_for_what_no_hours_pay(owner, manager, organisation, used):
    said = Said("园区企业", Decimal(40), "园区合作协议〔2026〕3 号")
    group = groups.create_group(owner.id, CustomerClass.SME, said, caller=manager)
    groups.add_member(group.id, organisation, caller=manager)

    made = used()

    assert (made.price, made.to_pay) == (Money(24000 + 3000), Money(3000))
    assert [line["name"] for line in made.lines if line["item"] == "discount"] == ["园区企业"]
    service.confirm_usage(made.id, caller=make_caller(owner, Role.OPERATOR))
    assert made.to_pay == Money(3000)


def test_what_is_passed_on_is_due_beside_the_hours(owner, organisation, firm, now):
    plain = make_instrument(institution=owner)
    balance = make_balance(make_package(owner), organisation)
    made = service.reserve(plain.id, slot(), caller=firm, prepaid=balance.id)
    now.set(made.starts_at)
    service.check_in(made.id, caller=firm)
    now.set(made.ends_at)
    service.check_out(made.id, caller=firm)
    lab, bookkeeper = make_caller(owner, Role.OPERATOR), make_caller(owner, Role.FINANCE)

    service.confirm_usage(made.id, caller=lab, passed_on=[RUSH], note="加急单")
    service.agree(made.id, caller=firm)

    assert (made.due, made.to_pay) == (Money(29000), Money(5000))
    assert service.settlements(made) == (Settlement.PAID, Settlement.ON_ACCOUNT)
    with pytest.raises(InvalidField):
        service.settle(made.id, caller=bookkeeper, settlement=Settlement.PREPAID, settled_on=TODAY)
    service.settle(
        made.id,
        caller=bookkeeper,
        settlement=Settlement.PAID,
        settled_on=TODAY,
        reference="HD20261125001",
    )
    line = savings.find_line(("reservation", made.id))
    assert (line.price, line.evidence["prepaid"]["minutes"]) == (Money(24000), 120)


def test_what_the_law_demands_is_paid_with_hours_and_saves_nothing(used, owner):
    made = used(is_statutory=True)

    assert (made.is_statutory, made.prepaid.minutes, made.baseline) == (True, 120, None)
    service.confirm_usage(made.id, caller=make_caller(owner, Role.OPERATOR))
    assert (made.saving, made.prepaid_now.minutes) == (None, 120)


def test_another_operator_is_priced_anew_and_the_hours_stay_held(instrument, firm, balance):
    made = service.reserve(instrument.id, slot(), caller=firm, prepaid=balance.id)

    service.change(made.id, caller=firm, is_assisted=True)

    assert (made.prepaid_id, made.price) == (balance.id, Money(24000 + 4000 + 16000))
    assert packages.taken_for(balance.id, made.id) == 120


def test_a_list_fallen_below_the_hours_refuses_the_change_but_not_the_use(
    instrument, firm, balance, now
):
    made = service.reserve(instrument.id, slot(), caller=firm, prepaid=balance.id)
    current = db.session.scalars(select(Price)).one()
    current.superseded_at = clock.now()
    db.session.flush()
    make_price(instrument, CustomerClass.SME, per_hour_minor=9000)

    with pytest.raises(NotBookable) as refused:
        service.change(made.id, caller=firm, is_assisted=True)

    assert [each.rule for each in refused.value.violations] == ["prepaid"]
    assert packages.taken_for(balance.id, made.id) == 120
    now.set(made.starts_at)
    assert service.check_in(made.id, caller=firm).prepaid.minutes == 120
