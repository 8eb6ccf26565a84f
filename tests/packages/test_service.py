"""Publishing, selling, correcting, expiring: the ledger and what the database guards."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from booking.accounts.rules import CustomerClass, Role, SizeClass
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotAllowed, NotFound
from booking.kernel.money import Money
from booking.notices.models import Notice
from booking.packages import queries, service
from booking.packages.errors import AlreadyRecorded, NotEnoughLeft, NotSold, UnusablePackage
from booking.packages.models import HourPackage, PrepaidBalance, PrepaidEntry
from booking.packages.rules import EntryKind
from tests.factories import (
    make_balance,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_package,
    make_price,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
TODAY = date(2026, 11, 23)
GIVEN = {
    "name": "20 小时机时包",
    "customer_class": CustomerClass.SME,
    "hours": 20,
    "price": Money(300000),
    "valid_months": 12,
}


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def manager(owner):
    return make_caller(owner, Role.MANAGER)


@pytest.fixture
def finance(owner):
    return make_caller(owner, Role.FINANCE)


@pytest.fixture
def firm(session):
    return make_organisation()


@pytest.fixture
def balance(owner, firm):
    return make_balance(make_package(owner), firm)


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    assert list(queries.breaches()) == []


def test_a_package_costs_so_much_per_hour(owner, manager):
    make_instrument(institution=owner)

    made = service.publish(owner.id, caller=manager, **GIVEN)

    assert made.per_hour == Money(15000)
    assert queries.list_packages(owner.id, is_sold=True) == [made]


def test_it_is_no_dearer_per_hour_than_the_list(owner, manager):
    make_instrument(institution=owner, name="便宜的", price=14999)

    with pytest.raises(UnusablePackage) as refused:
        service.publish(owner.id, caller=manager, **GIVEN)

    [reason] = refused.value.details["errors"]["price"]
    assert "便宜的" in str(reason)
    assert "149.99" in str(reason)


def test_exactly_the_list_price_is_no_dearer(owner, manager):
    make_instrument(institution=owner, price=15000)

    assert service.publish(owner.id, caller=manager, **GIVEN).id


def test_what_is_dear_elsewhere_does_not_matter(owner, manager):
    make_instrument(institution=owner, price=100)
    chosen = make_instrument(institution=owner)

    made = service.publish(owner.id, caller=manager, instrument_ids=[chosen.id], **GIVEN)

    assert queries.packages_for(chosen, [CustomerClass.SME]) == [made]


@pytest.mark.parametrize("reach", [{"category_code": "01"}, {"instrument_ids": [10**9]}])
def test_a_reach_without_hours_to_sell_is_refused(owner, manager, reach):
    make_instrument(institution=owner)

    with pytest.raises(UnusablePackage) as refused:
        service.publish(owner.id, caller=manager, **GIVEN, **reach)

    assert list(refused.value.details["errors"]) == list(reach)


def test_an_instrument_of_others_cannot_be_sold(owner, manager):
    make_instrument(institution=owner)
    theirs = make_instrument()

    with pytest.raises(UnusablePackage):
        service.publish(owner.id, caller=manager, instrument_ids=[theirs.id], **GIVEN)


def test_what_is_charged_by_the_sample_has_no_hours_to_sell(owner, manager):
    instrument = make_instrument(institution=owner, price=None)
    make_price(instrument, kept_terms={"unit": "sample", "unit_minor": 42000})

    with pytest.raises(UnusablePackage):
        service.publish(owner.id, caller=manager, instrument_ids=[instrument.id], **GIVEN)


def test_only_who_manages_the_institution_publishes(owner, finance):
    with pytest.raises(NotAllowed):
        service.publish(owner.id, caller=finance, **GIVEN)
    with pytest.raises(NotFound):
        service.publish(owner.id, caller=make_caller(), **GIVEN)


def test_a_new_version_takes_the_place_of_the_old(owner, manager):
    make_instrument(institution=owner)
    old = service.publish(owner.id, caller=manager, **GIVEN)

    new = service.publish(owner.id, caller=manager, **GIVEN, replaces=old.id)

    assert queries.list_packages(owner.id, is_sold=True) == [new]
    assert queries.list_packages(owner.id, is_sold=False) == [old]
    with pytest.raises(NotSold):
        service.publish(owner.id, caller=manager, **GIVEN, replaces=old.id)


def test_the_database_refuses_to_change_a_published_package(owner):
    package = make_package(owner)

    with pytest.raises(DBAPIError, match="never changes"), db.session.begin_nested():
        db.session.execute(
            update(HourPackage).where(HourPackage.id == package.id).values(price_minor=20)
        )


def test_a_purchase_gives_all_hours_until_its_last_day(owner, firm, finance):
    package = make_package(owner)

    bought = service.record_purchase(
        package.id, caller=finance, uscc=firm.uscc.lower(), paid_on=TODAY, reference="HD1"
    )

    assert bought.left_minutes == bought.minutes == 1200
    assert bought.valid_until == date(2027, 11, 23)
    [entry] = queries.entries_of(bought.id)
    assert (entry.kind, entry.minutes) == (EntryKind.BOUGHT, 1200)


def test_a_transfer_is_recorded_once(owner, firm, finance):
    package = make_package(owner)
    given = {"caller": finance, "uscc": firm.uscc, "paid_on": TODAY, "reference": "HD1"}
    service.record_purchase(package.id, **given)

    with pytest.raises(AlreadyRecorded):
        service.record_purchase(package.id, **given)


def test_what_was_withdrawn_is_sold_no_more(owner, firm, finance, manager, balance):
    service.withdraw(balance.package_id, caller=manager)

    with pytest.raises(NotSold):
        make_balance(balance.package, firm)
    assert queries.lock(balance.id).left_minutes == 1200


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"paid_on": TODAY + timedelta(days=1)}, "paid_on"),
        ({"paid_on": TODAY - timedelta(days=367)}, "paid_on"),
        ({"uscc": "91350100M000100Y43"}, "uscc"),
        ({"uscc": "123"}, "uscc"),
    ],
)
def test_a_purchase_that_cannot_be_is_refused(owner, firm, finance, given, field):
    usual = {"uscc": firm.uscc, "paid_on": TODAY, "reference": "HD1"}

    with pytest.raises(InvalidField) as refused:
        service.record_purchase(make_package(owner).id, caller=finance, **(usual | given))

    assert list(refused.value.details["errors"]) == [field]


def test_a_package_is_sold_to_its_class_only(owner, finance):
    large = make_organisation(size_class=SizeClass.LARGE)

    with pytest.raises(InvalidField):
        make_balance(make_package(owner), large)
    with pytest.raises(InvalidField):
        make_balance(make_package(owner), owner)


def test_only_the_institutions_finance_records_purchases(owner, firm):
    package = make_package(owner)
    given = {"uscc": firm.uscc, "paid_on": TODAY, "reference": "HD1"}

    with pytest.raises(NotAllowed):
        service.record_purchase(package.id, caller=make_caller(owner, Role.OPERATOR), **given)
    with pytest.raises(NotFound):
        service.record_purchase(package.id, caller=make_caller(firm), **given)


def test_a_correction_has_a_reason_and_never_goes_below_nothing(finance, balance):
    service.correct(balance.id, caller=finance, minutes=-90, reason="退款")

    assert balance.left_minutes == 1110
    with pytest.raises(NotEnoughLeft) as refused:
        service.correct(balance.id, caller=finance, minutes=-1111, reason="退款")
    assert refused.value.details["left_minutes"] == 1110
    with pytest.raises(InvalidField):
        service.correct(balance.id, caller=finance, minutes=0, reason="退款")
    with pytest.raises(InvalidField):
        service.correct(balance.id, caller=finance, minutes=10, reason="")


def test_who_may_not_see_a_balance_does_not_find_it(firm, balance):
    member = make_caller(firm)
    assert queries.get_balance(balance.id, caller=member) == balance
    assert queries.own_balances(member) == [balance]

    with pytest.raises(NotFound):
        queries.get_balance(balance.id, caller=make_caller())
    with pytest.raises(NotFound):
        service.correct(balance.id, caller=make_caller(), minutes=10, reason="试")
    with pytest.raises(NotAllowed):
        service.correct(balance.id, caller=member, minutes=10, reason="试")


def test_a_page_of_balances_leads_to_the_next(owner, finance, firm):
    package = make_package(owner)
    made = [make_balance(package, firm) for _ in range(3)]

    first = queries.list_balances(caller=finance, limit=2, cursor=None, institution_id=owner.id)
    rest = queries.list_balances(
        caller=finance, limit=2, cursor=first.next_cursor, organisation_id=firm.id
    )

    assert [each.id for each in (*first.items, *rest.items)] == [each.id for each in made[::-1]]
    assert rest.next_cursor is None


def test_what_is_left_expires_after_the_last_day(balance, now):
    now.set(now.at.replace(year=2027))  # its last day
    assert service.expire() == 0

    now.advance(days=1)

    assert service.expire() == 1
    assert queries.lock(balance.id).left_minutes == 0
    assert queries.entries_of(balance.id)[0].kind is EntryKind.EXPIRED
    assert service.expire() == 0


def test_firms_are_reminded_once_before_it_ends(balance, now, session):
    now.set(now.at.replace(year=2027))
    now.advance(days=-25)

    assert service.remind() == 1
    assert service.remind() == 0
    [notice] = session.scalars(select(Notice).where(Notice.subject_type == "prepaid_balance"))
    assert notice.facts["days"] == 25
    now.advance(days=20)
    assert service.remind() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE prepaid_balances SET left_minutes = left_minutes + 60 WHERE id = :id",
        "UPDATE prepaid_balances SET valid_until = '2099-01-01' WHERE id = :id",
        "UPDATE prepaid_entries SET minutes = 6000 WHERE balance_id = :id",
        "DELETE FROM prepaid_entries WHERE balance_id = :id",
        "DELETE FROM prepaid_balances WHERE id = :id",
    ],
)
def test_the_database_refuses_all_but_entries(balance, statement):
    refused = pytest.raises(DBAPIError, match=r"append-only|by its entries only")
    with refused, db.session.begin_nested():
        db.session.execute(text(statement), {"id": balance.id})


def test_the_database_lets_no_balance_go_below_nothing(balance):
    more = {"kind": EntryKind.HELD, "minutes": -1201, "reservation_id": 1, "reason": ""}
    more |= {"balance_id": balance.id, "at": clock.now()}
    refused = pytest.raises(IntegrityError, match="ck_prepaid_balances_left")
    with refused, db.session.begin_nested():
        db.session.execute(insert(PrepaidEntry).values(**more))


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), st.integers(1, 3), st.integers(0, 700)),
        st.tuples(st.just("use"), st.integers(1, 3), st.integers(0, 700)),
        st.tuples(st.just("release"), st.integers(1, 3), st.just(0)),
        st.tuples(st.just("correct"), st.just(0), st.integers(-700, 700).filter(bool)),
    ),
    max_size=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_whatever_happens_the_sum_is_what_is_left_and_never_negative(session, moves):
    """Against a model in plain numbers: every refusal is exactly where that would go below 0."""
    owner = make_institution()
    finance = make_caller(owner, Role.FINANCE)
    balance = make_balance(make_package(owner, hours=15), make_organisation())
    left, taken = 900, {1: 0, 2: 0, 3: 0}

    for what, reservation, minutes in moves:
        back = taken.get(reservation, 0) if what in {"use", "release"} else 0
        change = minutes if what == "correct" else back - minutes
        try:
            with session.begin_nested():
                match what:
                    case "hold":
                        service.hold(balance, reservation, minutes, by=1)
                    case "use":
                        service.use(balance, reservation, minutes, by=1)
                    case "release":
                        service.release(balance, reservation, by=1)
                    case _:
                        service.correct(balance.id, caller=finance, minutes=minutes, reason="更正")
        except NotEnoughLeft:
            assert left + change < 0
            session.refresh(balance)
            continue
        assert left + change >= 0
        left += change
        if reservation:
            taken[reservation] += minutes - back

    entries = select(func.sum(PrepaidEntry.minutes)).where(PrepaidEntry.balance_id == balance.id)
    assert session.scalar(entries) == queries.lock(balance.id).left_minutes == left
    assert {n: queries.taken_for(balance.id, n) for n in taken} == taken
    assert list(queries.breaches()) == []


def test_verify_names_what_does_not_add_up(session, balance):
    session.execute(text("ALTER TABLE prepaid_entries DISABLE TRIGGER ALL"))
    with session.begin_nested() as undone:
        session.add(
            PrepaidEntry(
                balance_id=balance.id, kind=EntryKind.HELD, minutes=-9000, reservation_id=10**9
            )
        )
        session.flush()

        found = list(queries.breaches())

        undone.rollback()
    session.execute(text("ALTER TABLE prepaid_entries ENABLE TRIGGER ALL"))
    assert found[:2] == [
        f"预付机时 {balance.id} 的余额与明细之和不符。",
        f"预付机时 {balance.id} 的余额曾为负数，或没有从购买开始。",
    ]
    assert found[2].startswith("预付机时明细")


def test_nothing_is_deleted_even_by_the_mapper(session, balance):
    with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
        session.execute(delete(PrepaidEntry).where(PrepaidEntry.balance_id == balance.id))
    assert session.scalar(select(func.count(PrepaidBalance.id))) == 1


def test_what_has_ended_already_is_neither_sold_nor_filled(owner, firm, finance, balance, now):
    short = make_package(owner, valid_months=1)
    long_ago = {"uscc": firm.uscc, "paid_on": TODAY - timedelta(days=40), "reference": "HD7"}
    with pytest.raises(InvalidField) as refused:
        service.record_purchase(short.id, caller=finance, **long_ago)
    assert list(refused.value.details["errors"]) == ["paid_on"]
    now.advance(days=400)

    with pytest.raises(InvalidField):
        service.correct(balance.id, caller=finance, minutes=60, reason="补机时")
