"""What a reservation and its use cost where the price says more than yuan per hour."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from booking.accounts.rules import CustomerClass, Role
from booking.kernel.errors import InvalidField
from booking.kernel.money import Money
from booking.reference.models import CalendarDay
from booking.reservations import service
from booking.reservations.models import Settlement
from booking.reservations.queries.breaches import breaches
from booking.savings import queries as savings
from booking.tariffs import service as tariffs
from booking.tariffs.rules import ChargeUnit, Terms, Window
from tests.factories import make_caller, make_institution, make_instrument, slot

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

DAY = timedelta(days=1)


@pytest.fixture
def firm(session):
    return make_caller()


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def manager(owner):
    return make_caller(owner, Role.MANAGER)


@pytest.fixture
def instrument(owner):
    return make_instrument(
        institution=owner,
        price=None,
        hours={day: [(0, 1440)] for day in range(7)},
        schedule={"observes_holidays": False},
    )


@pytest.fixture
def publish(instrument, manager, now):
    def make(terms, per_hour="180.00", percent="20"):
        now.advance(days=-60)
        amount = Money.of(per_hour) if terms.unit is ChargeUnit.HOUR else None
        tariffs.publish_price(
            instrument.id,
            CustomerClass.SME,
            amount,
            caller=manager,
            terms=terms,
            discount_percent=Decimal(percent),
        )
        now.advance(days=60)

    return make


def items(of):
    return [(line.item.value, line.amount.amount) for line in of.price_lines]


def use(reservation, manager, now, minutes, **confirmed):
    """Use it for so long, confirm it, agree to nothing."""
    now.at = reservation.starts_at
    service.check_in(reservation.id, caller=manager)
    now.at = reservation.starts_at + timedelta(minutes=minutes)
    service.check_out(reservation.id, caller=manager)
    return service.confirm_usage(reservation.id, caller=manager, **confirmed)


def test_the_lines_of_the_quote_are_kept_with_the_reservation(instrument, firm, publish):
    publish(Terms(startup_minor=5000, minimum_minutes=180))

    offer = service.quote(instrument.id, slot(), caller=firm)
    made = service.reserve(instrument.id, slot(), caller=firm)

    assert items(made) == [("time", "540.00"), ("startup", "50.00"), ("discount", "-118.00")]
    assert offer.quote.lines == made.price_lines
    assert (made.list_price, made.price, made.baseline) == (
        Money.of("590.00"),
        Money.of("472.00"),
        Money.of("590.00"),
    )


def test_hours_of_the_holiday_go_by_the_working_calendar(instrument, firm, publish, session):
    publish(Terms(windows=(Window((7,), 0, 1440, 200, "节假日"),)), percent="0")
    thursday = slot(slot().starts_at + DAY)
    session.merge(
        CalendarDay(day=thursday.starts_at.date(), is_workday=False, name="假日", source="测试")
    )
    session.flush()

    assert service.reserve(instrument.id, slot(), caller=firm).price == Money.of("360.00")
    assert service.reserve(instrument.id, thursday, caller=firm).price == Money.of("720.00")


def test_a_use_is_priced_by_the_hours_it_really_took(instrument, firm, manager, publish, now):
    publish(Terms(windows=(Window(tuple(range(8)), 1080, 1440, 150, "晚间"),)), percent="0")
    evening = slot(datetime.fromisoformat("2026-11-25T17:00:00+08:00"), hours=2)
    made = service.reserve(instrument.id, evening, caller=firm)

    done = use(made, manager, now, 60)

    assert made.price == Money.of("450.00")
    assert (done.use.price, items(done.use)) == (Money.of("180.00"), [("time", "180.00")])
    assert list(breaches()) == []


def test_samples_that_were_not_done_are_not_paid(instrument, firm, manager, publish, now):
    # domain §4.7 #6: ten samples at 100 less 20 %, two of them not done.
    publish(Terms(unit=ChargeUnit.SAMPLE, unit_minor=10000))
    made = service.reserve(instrument.id, slot(), caller=firm, samples=10)

    with pytest.raises(InvalidField):
        use(made, manager, now, 120, samples=8)
    done = service.confirm_usage(made.id, caller=manager, samples=8, note="两件未做")
    service.agree(made.id, caller=firm)
    service.settle(
        made.id,
        caller=manager,
        settlement=Settlement.PAID,
        settled_on=now.at.date(),
        reference="回单 1",
    )

    assert (made.price, done.use.price) == (Money.of("800.00"), Money.of("640.00"))
    line = savings.find_line(("reservation", made.id))
    assert (line.baseline_minor, line.price_minor, line.saved.minor) == (80000, 64000, 16000)
    assert list(breaches()) == []


def test_a_use_costs_what_was_agreed_though_the_list_changed_since(
    instrument, firm, manager, publish, now
):
    publish(Terms(startup_minor=5000), percent="0")
    made = service.reserve(instrument.id, slot(), caller=firm)
    tariffs.publish_price(instrument.id, CustomerClass.SME, Money.of("999.00"), caller=manager)

    done = use(made, manager, now, 60)

    assert done.use.price == Money.of("230.00")


def test_verify_finds_lines_that_do_not_add_up(instrument, firm, publish, session):
    publish(Terms(startup_minor=5000))
    made = service.reserve(instrument.id, slot(), caller=firm)
    assert list(breaches()) == []

    made.lines = made.lines[1:]
    session.flush()

    assert [sentence for sentence in breaches() if "金额" in sentence]


def test_verify_finds_an_amount_that_the_terms_do_not_make(instrument, firm, publish, session):
    publish(Terms(startup_minor=5000), percent="0")
    made = service.reserve(instrument.id, slot(), caller=firm)

    made.list_minor = made.price_minor = made.baseline_minor = made.price_minor + 100
    made.lines = [
        made.lines[0] | {"amount_minor": made.lines[0]["amount_minor"] + 100},
        made.lines[1],
    ]
    session.flush()

    assert [sentence for sentence in breaches() if "约定的价格" in sentence]
