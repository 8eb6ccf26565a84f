"""Fees for cancelling late and for not coming: what was agreed, never a saving."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.accounts.rules import CustomerClass, Role
from booking.kernel.money import Money
from booking.notices.models import Notice
from booking.reservations import queries, service
from booking.reservations.errors import TooLateToChange
from booking.reservations.models import ReservationStatus
from booking.reservations.queries.breaches import breaches
from booking.savings import queries as savings
from booking.tariffs import service as tariffs
from booking.tariffs.rules import Fee, Terms
from tests.factories import make_caller, make_institution, make_instrument, slot

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

START = slot().starts_at
HOUR = timedelta(hours=1)


@pytest.fixture
def firm(session):
    return make_caller()


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def operator(owner):
    return make_caller(owner, Role.OPERATOR)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, price=None)


@pytest.fixture
def reserve(instrument, owner, firm):
    def make(**terms):
        tariffs.publish_price(
            instrument.id,
            CustomerClass.SME,
            Money.of("180.00"),
            caller=make_caller(owner, Role.MANAGER),
            terms=Terms(**terms),
        )
        return service.reserve(instrument.id, slot(), caller=firm)

    return make


def test_cancelling_in_time_is_free(reserve, firm):
    made = reserve(late_cancel=Fee(percent=50))

    cancelled = service.cancel(made.id, caller=firm)

    assert (cancelled.fee, cancelled.due) == (None, None)


def test_cancelling_late_costs_what_was_agreed_and_saves_nothing(reserve, firm, now):
    # domain §4.7 #4.
    made = reserve(late_cancel=Fee(minor=10000))
    now.set(START - 3 * HOUR)

    assert service.of_cancelling_now(made, caller=firm) == Money.of("100.00")
    cancelled = service.cancel(made.id, caller=firm)

    assert cancelled.status is ReservationStatus.CANCELLED
    assert (cancelled.fee, cancelled.due, cancelled.saving) == (
        Money.of("100.00"),
        Money.of("100.00"),
        None,
    )
    assert savings.find_line(("reservation", made.id)) is None
    assert list(breaches()) == []


@pytest.mark.parametrize(
    ("terms", "moment"),
    [
        pytest.param({}, START - 3 * HOUR, id="no-fee-agreed"),
        pytest.param({"late_cancel": Fee(percent=50)}, START, id="the-slot-has-begun"),
    ],
)
def test_some_can_no_longer_cancel_themselves(reserve, firm, now, terms, moment):
    made = reserve(**terms)
    now.set(moment)

    with pytest.raises(TooLateToChange):
        service.cancel(made.id, caller=firm)


def test_the_institution_cancels_without_a_fee(reserve, operator, now):
    made = reserve(late_cancel=Fee(percent=50))
    now.set(START - 3 * HOUR)

    assert service.cancel(made.id, caller=operator).fee is None


def test_who_does_not_come_pays_the_fee_that_was_agreed(reserve, operator, firm, now, session):
    made = reserve(no_show=Fee(percent=30))
    now.set(START + HOUR)

    missed = service.no_show(made.id, caller=operator)

    assert (missed.fee, missed.due, missed.saving) == (
        Money.of("108.00"),
        Money.of("108.00"),
        None,
    )
    told = session.scalars(select(Notice).where(Notice.kind == "no_show")).one()
    assert told.facts["fee_minor"] == 10800
    assert list(breaches()) == []


def test_a_later_list_changes_no_fee_that_was_agreed(reserve, instrument, owner, firm, now):
    made = reserve(late_cancel=Fee(percent=50))
    tariffs.publish_price(
        instrument.id,
        CustomerClass.SME,
        Money.of("180.00"),
        caller=make_caller(owner, Role.MANAGER),
        terms=Terms(late_cancel=Fee(percent=100)),
    )
    now.set(START - 3 * HOUR)

    assert service.cancel(made.id, caller=firm).fee == Money.of("180.00")


def test_verify_finds_a_fee_nobody_agreed_on(reserve, firm, now, session):
    made = reserve(late_cancel=Fee(minor=10000))
    now.set(START - 3 * HOUR)
    service.cancel(made.id, caller=firm)

    made.fee_minor = 10001
    session.flush()

    assert [sentence for sentence in breaches() if "约定的价格" in sentence]


def test_the_confirmation_says_what_cancelling_late_costs(reserve, session):
    reserve(late_cancel=Fee(percent=50))

    told = session.scalars(select(Notice).where(Notice.kind == "confirmation")).one()

    assert told.facts["late_fee_minor"] == 18000
    assert [line["amount_minor"] for line in told.facts["lines"]] == [36000]


def test_history_marks_the_version_that_rose_before_it_was_used(
    reserve, instrument, owner, firm, now
):
    now.set(now.at - timedelta(days=200))
    manager = make_caller(owner, Role.MANAGER)
    for yuan in ("100.00", "150.00"):
        tariffs.publish_price(instrument.id, CustomerClass.SME, Money.of(yuan), caller=manager)
        now.advance(days=20)
    now.set(START - timedelta(days=2))

    assert [each.rise_percent for each in queries.price_history(instrument.id)] == [None, None]
    tariffs.publish_price(instrument.id, CustomerClass.SME, Money.of("190.00"), caller=manager)
    service.reserve(instrument.id, slot(), caller=firm)

    now.advance(days=100)
    found = queries.price_history(instrument.id)
    assert [(each.price.per_hour.amount, each.rise_percent) for each in found] == [
        ("190.00", 27),
        ("150.00", None),
        ("100.00", None),
    ]
