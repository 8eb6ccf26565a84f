"""Paying hours from what the firm bought beforehand: holding, moving, giving back, using."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from booking.accounts.rules import CustomerClass, Role
from booking.kernel import clock
from booking.kernel.errors import InvalidField, NotFound
from booking.kernel.money import Money
from booking.notices.models import Notice
from booking.notices.rules import Kind
from booking.packages import queries as packages
from booking.packages import service as ledger
from booking.packages.rules import EntryKind
from booking.reservations import queries, service
from booking.reservations.errors import NotBookable
from booking.reservations.models import ReservationStatus, Settlement
from booking.savings import queries as savings
from booking.tariffs.rules import (
    Fee,
    Hours,
    Item,
    PriceFacts,
    Terms,
    Usage,
    covered_by,
    quote,
    with_hours,
)
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
from tests.queries_counted import counted

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BEGINS, ENDS = slot().starts_at, slot().ends_at  # Wednesday
TODAY = date(2026, 11, 25)
LIST = 18000  # per hour; 20 % less for small firms, 120.00 of the package


def _facts(terms=Terms(), discount=Decimal(20)):  # noqa: B008 - frozen
    return PriceFacts(1, Money(LIST), discount, clock.now() - 90 * DAY, terms=terms)


def _quoted(terms=Terms(), minutes=120, discount=Decimal(20), **usage):  # noqa: B008 - frozen
    return quote(
        _facts(terms, discount),
        Usage(BEGINS, minutes, **usage),
        customer_class=CustomerClass.SME,
        now=clock.now(),
    )


@pytest.mark.parametrize(
    ("terms", "minutes", "left", "price", "to_pay"),
    [
        (Terms(), 120, 1200, 24000, 0),
        (Terms(), 120, 60, 12000 + 14400, 14400),  # the second hour at 80 % of the list
        (Terms(startup_minor=5000), 120, 1200, 24000 + 4000, 4000),
        (Terms(step_minutes=60), 90, 1200, 24000, 0),  # charged hours, not the clock's
        (Terms(minimum_minor=50000), 120, 1200, 24000 + 11200, 11200),
        (Terms(operator_minor=6000), 120, 1200, 24000, 0),
    ],
)
def test_hours_are_paid_at_their_price_and_the_rest_as_usual(terms, minutes, left, price, to_pay):
    usual = _quoted(terms, minutes)

    found = with_hours(usual, Hours(7, Money(12000), left))

    assert (found.price, found.to_pay) == (Money(price), Money(to_pay))
    assert found.list_price == found.baseline == usual.list_price
    assert found.saving == found.list_price - found.price
    assert sum(line.amount.minor for line in found.lines) == price


def test_hours_bought_for_more_than_the_list_are_not_taken():
    usual = _quoted()

    assert with_hours(usual, Hours(7, Money(LIST + 1), 1200)) == usual
    assert with_hours(usual, Hours(7, Money(12000), 0)) == usual
    assert with_hours(usual, Hours(7, Money(LIST), 1200)).price == usual.list_price


def test_what_is_charged_by_the_sample_takes_no_hours():
    usual = _quoted(Terms(unit="sample", unit_minor=42000), samples=3)

    assert with_hours(usual, Hours(7, Money(1), 1200)) == usual


@given(
    minutes=st.integers(1, 3000),
    left=st.integers(1, 3000),
    rate=st.integers(0, LIST),
    discount=st.integers(0, 10_000),
    startup=st.integers(0, 10_000),
    minimum=st.integers(0, 100_000),
    step=st.sampled_from([1, 15, 60]),
)
def test_the_lines_always_add_up_and_nothing_is_dearer_than_the_list(
    minutes, left, rate, discount, startup, minimum, step
):
    terms = Terms(step_minutes=step, startup_minor=startup, minimum_minor=minimum)
    usual = _quoted(terms, minutes, Decimal(discount) / 100)

    found = with_hours(usual, Hours(7, Money(rate), left))

    assert found.list_price == usual.list_price
    assert sum(line.amount.minor for line in found.lines) == found.price.minor
    besides = [line for line in found.lines if line.item not in {Item.DISCOUNT, Item.PREPAID}]
    assert sum(line.amount.minor for line in besides) == found.list_price.minor
    assert Money(-1) < found.to_pay
    assert not found.list_price < found.price
    assert covered_by(found.lines, 7) == found.prepaid
    if found.prepaid:
        assert found.prepaid.minutes == min(left, usual.billed_minutes)
        assert found.price == found.to_pay + found.prepaid.amount


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


@pytest.fixture
def balance(owner, firm):
    [seat] = firm.seats
    return make_balance(make_package(owner), seat.organisation_id)


@pytest.fixture
def reserved(instrument, firm, balance):
    return service.reserve(instrument.id, slot(), caller=firm, prepaid=balance.id)


@pytest.fixture
def _sound(session):
    yield
    assert [*queries.breaches(), *savings.breaches(), *packages.breaches()] == []


pytestmark = pytest.mark.service
sound = pytest.mark.usefixtures("session", "_sound")


def left(balance):
    return packages.lock(balance.id).left_minutes


@sound
def test_a_quote_says_what_is_paid_by_the_balance(instrument, firm, balance):
    offer = service.quote(instrument.id, slot(), caller=firm, prepaid=balance.id)

    assert offer.bookable
    assert offer.quote.price == Money(24000)
    assert offer.quote.to_pay == Money(0)
    assert offer.baseline["amount"] == Money(36000)
    assert offer.quote.saving == Money(12000)
    assert left(balance) == 1200


@sound
def test_a_reservation_holds_its_minutes(reserved, balance, firm):
    assert left(balance) == 1080
    assert (reserved.price, reserved.baseline) == (Money(24000), Money(36000))
    assert reserved.prepaid.minutes == 120
    assert queries.get_reservation(reserved.id, caller=firm).to_pay == Money(0)
    assert packages.entries_of(balance.id)[0].kind is EntryKind.HELD


@sound
def test_without_a_balance_it_stays_at_two_statements(instrument, firm, balance):
    with counted() as statements:
        made = service.reserve(instrument.id, slot(), caller=firm)

    assert len(statements) == 2
    assert made.prepaid is None
    assert left(balance) == 1200


@sound
def test_what_is_not_enough_says_what_is_left(instrument, firm, balance, bookkeeper):
    ledger.correct(balance.id, caller=bookkeeper, minutes=-1110, reason="退款")

    with pytest.raises(NotBookable) as refused:
        service.reserve(instrument.id, slot(), caller=firm, prepaid=balance.id)

    [broken] = refused.value.violations
    assert broken.rule == "prepaid"
    assert "1 小时 30 分" in str(broken.detail)
    assert "2 小时" in str(broken.detail)
    assert left(balance) == 90


@sound
def test_a_balance_of_others_is_not_found(instrument, balance):
    with pytest.raises(NotFound):
        service.quote(instrument.id, slot(), caller=make_caller(), prepaid=balance.id)


@sound
def test_a_balance_is_for_its_institution(firm, balance):
    with pytest.raises(NotFound):
        service.quote(make_instrument().id, slot(), caller=firm, prepaid=balance.id)
    with pytest.raises(NotFound):
        service.quote(make_instrument().id, slot(), caller=firm, prepaid=10**12)


@sound
def test_and_for_the_instruments_of_its_package(owner, instrument, firm):
    [seat] = firm.seats
    other = make_package(owner, category_code="01")
    held = make_balance(other, seat.organisation_id)

    offer = service.quote(instrument.id, slot(), caller=firm, prepaid=held.id)

    assert [each.rule for each in offer.violations] == ["prepaid"]


@sound
def test_it_pays_only_what_is_used_until_its_last_day(owner, instrument, firm):
    [seat] = firm.seats
    ends = make_package(owner, valid_months=1)
    held = make_balance(ends, seat.organisation_id, paid_on=date(2026, 10, 24))

    assert held.valid_until == date(2026, 11, 24)
    offer = service.quote(instrument.id, slot(), caller=firm, prepaid=held.id)
    day_before = service.quote(instrument.id, slot(BEGINS - DAY), caller=firm, prepaid=held.id)

    assert [each.rule for each in offer.violations] == ["prepaid"]
    assert day_before.bookable


@sound
def test_hours_dearer_than_the_list_are_refused(owner, firm, balance):
    cheap = make_instrument(institution=owner, price=9000)

    offer = service.quote(cheap.id, slot(), caller=firm, prepaid=balance.id)

    assert [each.rule for each in offer.violations] == ["prepaid"]
    assert offer.quote.price == Money(14400)


@sound
def test_so_is_what_is_not_charged_by_time(owner, firm, balance):
    by_sample = make_instrument(institution=owner, price=None)
    make_price(by_sample, kept_terms={"unit": "sample", "unit_minor": 42000})

    offer = service.quote(by_sample.id, slot(), caller=firm, prepaid=balance.id)

    assert [each.rule for each in offer.violations] == ["prepaid"]


@sound
def test_a_manager_cannot_set_aside_that_nothing_is_left(
    owner, instrument, firm, balance, bookkeeper
):
    ledger.correct(balance.id, caller=bookkeeper, minutes=-1200, reason="退款")
    [seat] = firm.seats
    service.reserve(instrument.id, slot(BEGINS + DAY), caller=firm)  # now they know each other

    with pytest.raises(NotBookable):
        service.reserve(
            instrument.id,
            slot(),
            caller=make_caller(owner, Role.MANAGER),
            organisation_id=seat.organisation_id,
            override_reason="老客户",
            prepaid=balance.id,
        )


@sound
def test_cancelling_gives_the_minutes_back(reserved, balance, firm):
    service.cancel(reserved.id, caller=firm)

    assert left(balance) == 1200
    assert packages.entries_of(balance.id)[0].kind is EntryKind.RELEASED


@sound
def test_cancelling_late_is_a_fee_in_money_and_the_minutes_come_back(owner, firm, balance, now):
    instrument = make_instrument(institution=owner, price=None)
    fee = Terms(late_cancel=Fee(percent=50)).plain()
    make_price(instrument, kept_terms=fee, published_at=now.at - 90 * DAY)
    made = service.reserve(instrument.id, slot(), caller=firm, prepaid=balance.id)
    now.set(BEGINS - MINUTE)

    cancelled = service.cancel(made.id, caller=firm)

    assert cancelled.fee == Money(12000)  # half of what the hours were bought for
    assert left(balance) == 1200


@sound
def test_nobody_coming_gives_them_back_too(reserved, balance, operator, now):
    now.set(BEGINS + HOUR)

    service.no_show(reserved.id, caller=operator)

    assert left(balance) == 1200
    assert reserved.to_pay is None


@sound
def test_moving_holds_what_the_new_slot_needs(reserved, balance, firm):
    service.move(reserved.id, slot(hours=3), caller=firm)

    assert left(balance) == 1020
    assert reserved.price == Money(36000)

    service.move(reserved.id, slot(BEGINS + DAY, hours=3), caller=firm)

    assert left(balance) == 1020


@sound
def test_moving_counts_what_the_reservation_itself_holds(reserved, balance, firm, bookkeeper):
    ledger.correct(balance.id, caller=bookkeeper, minutes=-1080, reason="退款")

    service.move(reserved.id, slot(BEGINS + DAY), caller=firm)
    with pytest.raises(NotBookable):
        service.move(reserved.id, slot(BEGINS + DAY, hours=3), caller=firm)

    assert reserved.prepaid.minutes == 120
    assert left(balance) == 0


@pytest.mark.parametrize("how", ["decline", "expire"])
@sound
def test_a_hold_that_comes_to_nothing_gives_them_back(owner, firm, balance, operator, now, how):
    instrument = make_instrument(institution=owner, schedule={"approval_mode": "always"})
    asked = service.reserve(instrument.id, slot(), caller=firm, prepaid=balance.id)
    assert asked.status is ReservationStatus.TENTATIVE
    assert left(balance) == 1080

    if how == "decline":
        service.decline(asked.id, caller=operator, reason="当天检修")
    else:
        now.set(asked.expires_at)
        service.expire_holds()

    assert left(balance) == 1200


@sound
def test_approving_keeps_them(owner, firm, balance, operator):
    instrument = make_instrument(institution=owner, schedule={"approval_mode": "always"})
    asked = service.reserve(instrument.id, slot(), caller=firm, prepaid=balance.id)

    service.approve(asked.id, caller=operator)

    assert left(balance) == 1080


@sound
def test_a_closure_gives_them_back(reserved, balance, operator, instrument):
    service.close(
        instrument.id, slot(), "maintenance", caller=operator, cancel=[reserved.id], reason="检修"
    )

    assert left(balance) == 1200


@pytest.fixture
def used(reserved, firm, now):
    now.set(BEGINS)
    service.check_in(reserved.id, caller=firm)
    now.set(ENDS)
    service.check_out(reserved.id, caller=firm)
    now.set(ENDS + HOUR)
    return reserved


def _settle(reservation, firm, bookkeeper, **more):
    service.agree(reservation.id, caller=firm)
    given = {"settlement": Settlement.PREPAID, "settled_on": TODAY} | more
    return service.settle(reservation.id, caller=bookkeeper, **given)


@sound
def test_a_confirmed_use_takes_what_it_came_to(used, balance, operator, firm, bookkeeper, session):
    service.confirm_usage(used.id, caller=operator, minutes=90, note="提前结束")

    assert left(balance) == 1110
    kinds = [each.kind for each in packages.entries_of(balance.id)]
    assert kinds == [EntryKind.USED, EntryKind.RELEASED, EntryKind.HELD, EntryKind.BOUGHT]
    settled = _settle(used, firm, bookkeeper)

    line = savings.find_line(("reservation", settled.id))
    assert settled.use.reference == balance.number
    assert (line.baseline, line.price) == (Money(27000), Money(18000))
    assert line.saved == Money(9000)
    kept = line.evidence["prepaid"]
    assert (kept["reference"], kept["minutes"]) == (balance.reference, 90)
    notice = session.scalars(select(Notice).where(Notice.kind == Kind.SETTLED)).one()
    assert (notice.facts["due_minor"], notice.facts["prepaid_minor"]) == (18000, 18000)


@sound
def test_longer_than_the_balance_reaches_the_rest_is_due(used, balance, operator, firm, bookkeeper):
    ledger.correct(balance.id, caller=bookkeeper, minutes=-1050, reason="退款")  # 30 left

    service.confirm_usage(used.id, caller=operator, minutes=180, note="超时")

    assert left(balance) == 0
    assert used.prepaid_now.minutes == 150
    assert used.due == Money(30000 + 7200)
    assert used.to_pay == Money(7200)
    with pytest.raises(InvalidField):
        _settle(used, firm, bookkeeper)
    settled = service.settle(
        used.id,
        caller=bookkeeper,
        settlement=Settlement.PAID,
        settled_on=TODAY,
        reference="HD2",
    )
    assert settled.use.price == Money(37200)


@sound
def test_an_objection_answered_corrects_what_was_taken(used, balance, operator, firm):
    service.confirm_usage(used.id, caller=operator)
    assert left(balance) == 1080
    service.object_to(used.id, caller=firm, reason="少用了")

    service.confirm_usage(used.id, caller=operator, minutes=60, note="核对日志")

    assert left(balance) == 1140


@sound
def test_a_use_of_nothing_takes_nothing(used, balance, operator, firm, bookkeeper):
    service.confirm_usage(used.id, caller=operator, minutes=0, note="仪器故障")

    assert left(balance) == 1200
    settled = _settle(used, firm, bookkeeper, settlement=Settlement.NOTHING_DUE)
    assert settled.use.price == Money(0)


@sound
def test_what_is_wholly_prepaid_is_settled_so_and_nothing_else_is(
    used, operator, firm, bookkeeper, instrument, now
):
    service.confirm_usage(used.id, caller=operator)

    with pytest.raises(InvalidField):
        _settle(used, firm, bookkeeper, settlement=Settlement.PAID, reference="HD2")

    settled = service.settle(
        used.id, caller=bookkeeper, settlement=Settlement.PREPAID, settled_on=TODAY
    )
    assert settled.use.settlement is Settlement.PREPAID


@sound
def test_what_was_paid_each_time_is_not_settled_as_prepaid(
    instrument, firm, operator, bookkeeper, now
):
    made = service.reserve(instrument.id, slot(), caller=firm)
    now.set(BEGINS)
    service.check_in(made.id, caller=firm)
    now.set(ENDS)
    service.check_out(made.id, caller=firm)
    service.confirm_usage(made.id, caller=operator)

    with pytest.raises(InvalidField):
        _settle(made, firm, bookkeeper)


@sound
def test_held_hours_outlive_the_end_and_expire_when_they_come_back(
    owner, instrument, firm, now, operator
):
    [seat] = firm.seats
    package = make_package(owner, valid_months=1)
    held = make_balance(package, seat.organisation_id, paid_on=date(2026, 10, 25))
    made = service.reserve(instrument.id, slot(), caller=firm, prepaid=held.id)
    now.set(ENDS + DAY)
    ledger.expire()
    assert left(held) == 0

    service.no_show(made.id, caller=operator)

    assert left(held) == 120
    assert ledger.expire() == 1
    assert left(held) == 0


@pytest.mark.usefixtures("session")
def test_verify_names_a_reservation_that_holds_something_else(reserved, balance):
    ledger.hold(packages.lock(balance.id), reserved.id, 30, by=None)

    assert list(queries.breaches()) == [f"预约 {reserved.id} 与预付机时明细不符。"]


@pytest.mark.usefixtures("session")
def test_verify_names_what_nobody_holds(balance):
    ledger.hold(packages.lock(balance.id), 10**9, 30, by=None)

    assert list(queries.breaches()) == [f"预付机时 {balance.id} 有不属于任何预约的占用。"]


@pytest.mark.usefixtures("session")
def test_verify_names_a_price_that_the_balance_does_not_make(reserved, session):
    session.execute(
        text(
            "UPDATE reservations SET price_minor = price_minor + 1, lines = jsonb_set(lines, "
            "'{1,amount_minor}', '-11999') WHERE id = :id"
        ),
        {"id": reserved.id},
    )
    session.expire_all()

    assert list(queries.breaches()) == [f"预约 {reserved.id} 的金额与它约定的价格和预付机时不符。"]


@sound
def test_another_firm_of_the_same_class_cannot_use_it(instrument, balance):
    other = make_caller(make_organisation())

    with pytest.raises(NotFound):
        service.reserve(instrument.id, slot(), caller=other, prepaid=balance.id)


@sound
def test_what_nobody_claims_gives_them_back(owner, firm, balance, now):
    instrument = make_instrument(institution=owner, schedule={"release_after_minutes": 30})
    service.reserve(instrument.id, slot(), caller=firm, prepaid=balance.id)
    now.set(BEGINS + HOUR)

    assert service.release_unclaimed() == 1

    assert left(balance) == 1200
