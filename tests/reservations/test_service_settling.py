"""What is confirmed, objected to and settled, and the line of savings it leaves."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from booking.accounts.rules import CustomerClass, OrganisationKind, Role
from booking.kernel.errors import InvalidField, NotAllowed, WrongState
from booking.kernel.money import Money
from booking.notices.models import Notice
from booking.notices.rules import Kind
from booking.reservations import queries, service
from booking.reservations.errors import Disputed
from booking.reservations.models import ReservationStatus, Settlement
from booking.savings import queries as savings
from booking.savings import service as ledger
from booking.savings.rules import NotCounted, Reason
from booking.tariffs import service as tariffs
from tests.factories import (
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BEGINS, ENDS = slot().starts_at, slot().ends_at  # Wednesday
TODAY = date(2026, 11, 25)


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def operator(owner):
    return make_caller(owner, Role.OPERATOR)


@pytest.fixture
def bookkeeper(owner):
    return make_caller(owner, Role.FINANCE)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def firm(session):
    return make_caller()


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    assert [*queries.breaches(), *savings.breaches()] == []


@pytest.fixture
def used(now):
    """A function that has somebody use the instrument on Wednesday, for so long."""

    def use(instrument, caller, minutes=120):
        reserved = service.reserve(instrument.id, slot(), caller=caller)
        now.set(BEGINS)
        service.check_in(reserved.id, caller=caller)
        now.set(BEGINS + minutes * MINUTE)
        service.check_out(reserved.id, caller=caller)
        now.set(ENDS + HOUR)
        return reserved.id

    return use


def paid(reservation_id, bookkeeper, **given):
    given.setdefault("settlement", Settlement.PAID)
    given.setdefault("settled_on", TODAY)
    given.setdefault("reference", "回单 20261125-17")
    return service.settle(reservation_id, caller=bookkeeper, **given)


def test_the_time_used_counts_rounded_up_to_the_grid(instrument, firm, operator, used):
    confirmed = service.confirm_usage(used(instrument, firm, 71), caller=operator)

    use = confirmed.use
    assert confirmed.status is ReservationStatus.USAGE_CONFIRMED
    # 1.5 h at 180.00, 20 % off.
    assert (use.minutes, use.list_minor, use.price_minor, use.baseline_minor) == (
        90,
        27000,
        21600,
        27000,
    )


def test_other_minutes_need_a_reason(instrument, firm, operator, used):
    used_id = used(instrument, firm)
    with pytest.raises(InvalidField):
        service.confirm_usage(used_id, caller=operator, minutes=100)

    use = service.confirm_usage(used_id, caller=operator, minutes=100, note="仪器预热不计").use
    assert (use.list_minor, use.price_minor) == (30000, 24000)


def test_the_price_that_was_agreed_holds_whatever_the_list_says_now(
    instrument, owner, firm, operator, used
):
    used_id = used(instrument, firm)
    tariffs.publish_price(
        instrument.id, CustomerClass.SME, Money(99900), caller=make_caller(owner, Role.MANAGER)
    )

    assert service.confirm_usage(used_id, caller=operator).use.price_minor == 28800


def test_the_firm_is_told_and_has_three_working_days(instrument, firm, operator, used, session):
    use = service.confirm_usage(used(instrument, firm), caller=operator).use

    # Wednesday; Thursday, Friday, Monday are left.
    assert use.objection_until == datetime.fromisoformat("2026-12-01T00:00:00+08:00")
    told = session.query(Notice).filter_by(kind=Kind.USAGE).one()
    assert (told.facts["due_minor"], told.facts["used_minutes"]) == (28800, 120)
    assert {to[0] for to in told.audience} == {"customer"}


def test_it_is_settled_once_the_firm_agreed_or_was_silent(
    instrument, firm, operator, bookkeeper, used, now
):
    used_id = used(instrument, firm)
    service.confirm_usage(used_id, caller=operator)
    with pytest.raises(Disputed):
        paid(used_id, bookkeeper)
    service.agree(used_id, caller=firm)

    assert paid(used_id, bookkeeper).status is ReservationStatus.SETTLED


def test_silence_is_consent_after_the_window(instrument, firm, operator, bookkeeper, used, now):
    used_id = used(instrument, firm)
    until = service.confirm_usage(used_id, caller=operator).use.objection_until
    now.set(until)
    with pytest.raises(Disputed):
        paid(used_id, bookkeeper)
    now.set(until + MINUTE)
    with pytest.raises(Disputed):
        service.object_to(used_id, caller=firm, reason="少用半小时")

    assert paid(used_id, bookkeeper).status is ReservationStatus.SETTLED


def test_an_objection_is_answered_before_it_can_be_settled(
    instrument, firm, operator, bookkeeper, used, session
):
    used_id = used(instrument, firm)
    service.confirm_usage(used_id, caller=operator)
    service.object_to(used_id, caller=firm, reason="少用半小时")
    told = session.query(Notice).filter_by(kind=Kind.OBJECTION).one()
    assert ({to[0] for to in told.audience}, told.facts["reason"]) == ({"owner"}, "少用半小时")

    for refused in (
        lambda: service.agree(used_id, caller=firm),
        lambda: service.object_to(used_id, caller=firm, reason="又一次"),
    ):
        with pytest.raises(WrongState):
            refused()
    with pytest.raises(Disputed):
        paid(used_id, bookkeeper)
    with pytest.raises(InvalidField):
        service.confirm_usage(used_id, caller=operator, minutes=90)
    answered = service.confirm_usage(used_id, caller=operator, minutes=90, note="已核对监控")

    assert (answered.use.price_minor, answered.use.is_disputed) == (21600, False)
    with pytest.raises(WrongState):
        service.confirm_usage(used_id, caller=operator)
    service.agree(used_id, caller=firm)
    assert savings.find_line(("reservation", paid(used_id, bookkeeper).id)).price_minor == 21600


def test_each_side_does_its_own(instrument, owner, firm, operator, bookkeeper, used):
    used_id = used(instrument, firm)
    with pytest.raises(NotAllowed):
        service.confirm_usage(used_id, caller=firm)
    with pytest.raises(NotAllowed):
        service.confirm_usage(used_id, caller=bookkeeper)
    service.confirm_usage(used_id, caller=operator)
    for refused in (
        lambda: service.agree(used_id, caller=operator),
        lambda: service.object_to(used_id, caller=operator, reason="x"),
        lambda: paid(used_id, operator),
        lambda: paid(used_id, firm),
    ):
        with pytest.raises(NotAllowed):
            refused()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"settled_on": TODAY + DAY}, "settled_on"),
        ({"settled_on": date(2025, 1, 1)}, "settled_on"),
        ({"reference": ""}, "reference"),
        ({"settlement": Settlement.NOTHING_DUE}, "settlement"),
    ],
)
def test_a_settlement_says_how_when_and_by_what(
    instrument, firm, operator, bookkeeper, used, given, field
):
    used_id = used(instrument, firm)
    service.confirm_usage(used_id, caller=operator)
    service.agree(used_id, caller=firm)

    with pytest.raises(InvalidField) as refused:
        paid(used_id, bookkeeper, **given)
    assert field in refused.value.details["errors"]


def settled_line(reservation_id, operator, customer, bookkeeper, **given):
    service.confirm_usage(reservation_id, caller=operator)
    service.agree(reservation_id, caller=customer)
    paid(reservation_id, bookkeeper, **given)
    return savings.find_line(("reservation", reservation_id))


def test_a_line_says_what_was_saved_and_on_what_it_rests(
    instrument, firm, operator, bookkeeper, used
):
    line = settled_line(used(instrument, firm), operator, firm, bookkeeper)

    assert (line.baseline_minor, line.cash_minor, line.relief_minor, line.subsidy_minor) == (
        36000,
        28800,
        7200,
        0,
    )
    assert (line.saved.amount, line.not_counted, line.baseline_rank) == ("72.00", None, 2)
    assert (line.counted_on, line.settled_on) == (TODAY, TODAY)
    assert line.evidence["price"]["per_hour"] == "180.00"
    assert line.evidence["use"]["minutes"] == 120
    assert line.evidence["settlement"] == {
        "kind": "paid",
        "on": "2026-11-25",
        "reference": "回单 20261125-17",
    }


def test_a_young_list_is_no_baseline(owner, firm, operator, bookkeeper, used, now):
    young = make_instrument(institution=owner, price_published_at=now.at - 10 * DAY)
    line = settled_line(used(young, firm), operator, firm, bookkeeper)

    assert (line.baseline, line.not_counted, line.saved.minor) == (
        None,
        NotCounted.NO_BASELINE,
        0,
    )


def test_research_is_no_enterprise(instrument, operator, bookkeeper, used):
    school = make_caller(make_organisation(kind=OrganisationKind.RESEARCH))
    line = settled_line(used(instrument, school), operator, school, bookkeeper)

    assert line.not_counted is NotCounted.NOT_AN_ENTERPRISE


def test_own_use_costs_and_saves_nothing(owner, operator, bookkeeper, used):
    instrument = make_instrument(institution=owner, price=None)
    manager = make_caller(owner, Role.MANAGER)
    line = settled_line(
        used(instrument, manager),
        operator,
        manager,
        bookkeeper,
        settlement=Settlement.NOTHING_DUE,
        reference="",
    )

    assert (line.price.minor, line.not_counted) == (0, NotCounted.OWN_USE)


class TestCorrections:
    @pytest.fixture
    def line(self, instrument, firm, operator, bookkeeper, used):
        return settled_line(used(instrument, firm), operator, firm, bookkeeper)

    def test_are_added_and_signed(self, line, bookkeeper, firm):
        refund = ledger.correct(
            line.id, Reason.GOODWILL, caller=bookkeeper, amount=800, note="仪器等待"
        )

        assert (refund.corrects_id, refund.price_minor, refund.saved.minor) == (line.id, -800, 800)
        assert savings.stands(line).saved == 8000
        totals = savings.totals(caller=firm)
        assert (totals.services, totals.saved.minor, totals.cash.minor) == (1, 8000, 28000)

    def test_a_correction_is_corrected_at_its_line(self, line, bookkeeper):
        first = ledger.correct(line.id, Reason.GOODWILL, caller=bookkeeper, amount=800, note="一")
        second = ledger.correct(first.id, Reason.GOODWILL, caller=bookkeeper, amount=200, note="二")

        assert second.corrects_id == line.id

    def test_a_full_refund_leaves_nothing(self, line, bookkeeper):
        ledger.correct(line.id, Reason.GOODWILL, caller=bookkeeper, amount=800, note="一")
        ledger.correct(line.id, Reason.FULL_REFUND, caller=bookkeeper, note="全额退款")

        left = savings.stands(line)
        assert (left.quantity, left.baseline, left.price, left.saved) == (0, 0, 0, 0)
        with pytest.raises(InvalidField):
            ledger.correct(line.id, Reason.GOODWILL, caller=bookkeeper, amount=1, note="再退")

    def test_only_the_bookkeeper_corrects(self, line, firm, operator):
        for who in (firm, operator):
            with pytest.raises(NotAllowed):
                ledger.correct(line.id, Reason.GOODWILL, caller=who, amount=1, note="x")

    @pytest.mark.parametrize(
        "statement", ["UPDATE savings_lines SET note = 'x'", "DELETE FROM savings_lines"]
    )
    def test_the_database_refuses_to_alter_a_line(self, line, session, statement):
        from sqlalchemy import text
        from sqlalchemy.exc import ProgrammingError

        with pytest.raises(ProgrammingError), session.begin_nested():
            session.execute(text(statement))


def test_months_and_periods(instrument, firm, operator, bookkeeper, used):
    settled_line(used(instrument, firm), operator, firm, bookkeeper)

    months = savings.by_month(caller=firm, year=2026)
    assert [(m.services, m.saved.minor) for m in months][10:] == [(1, 7200), (0, 0)]
    outside = savings.Period(TODAY + DAY, None)
    assert savings.totals(caller=firm, period=outside).services == 0
    assert savings.list_lines(caller=make_caller(), limit=10, cursor=None).items == []
    assert Decimal(savings.totals(caller=operator).saved.amount) == Decimal("72.00")
