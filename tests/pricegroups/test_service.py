"""Finer classes on a real database: versions, members, and what is agreed by them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from booking.accounts.models import EnterpriseDeclaration
from booking.accounts.rules import CustomerClass, Role, SizeClass
from booking.journal.models import JournalEntry
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, Stale
from booking.kernel.money import Money
from booking.pricegroups import queries, service
from booking.pricegroups.errors import (
    AlreadyAnnounced,
    AlreadyMember,
    Ended,
    NameTaken,
    NothingAnnounced,
)
from booking.pricegroups.service import Said
from booking.reservations import queries as reservations
from booking.reservations import service as reserving
from booking.reservations.models import Settlement
from booking.savings.models import SavingsLine
from tests.factories import (
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_price,
    slot,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def manager(owner):
    return make_caller(owner, Role.MANAGER)


@pytest.fixture
def firm(session):
    return make_organisation()


@pytest.fixture
def buyer(firm):
    return make_caller(firm)


@pytest.fixture
def instrument(owner):
    found = make_instrument(institution=owner, price=None)
    make_price(
        found,
        per_hour_minor=18000,
        discount_percent=Decimal(10),
        published_at=clock.now() - timedelta(days=90),
    )
    return found


def said(name="园区企业", percent="25", **given):
    return Said(name, Decimal(percent), "园区合作协议〔2026〕3 号", **given)


def make_group(owner, manager, *firms, base=CustomerClass.SME, **given):
    group = service.create_group(owner.id, base, said(**given), caller=manager)
    for firm in firms:
        service.add_member(group.id, firm, caller=manager)
    return group


def quoted(instrument, buyer):
    return reserving.quote(instrument.id, slot(), caller=buyer).quote


def test_a_member_pays_by_its_group_and_is_compared_with_the_list(
    owner, manager, firm, buyer, instrument
):
    make_group(owner, manager, firm)

    found = quoted(instrument, buyer)

    assert (found.list_price, found.price) == (Money.of("360.00"), Money.of("270.00"))
    assert found.baseline == Money.of("360.00")
    assert found.group.name == "园区企业"
    assert found.lines[-1].name == "园区企业"


def test_who_does_not_belong_to_it_pays_as_published(owner, manager, firm, instrument):
    make_group(owner, manager, firm)

    found = quoted(instrument, make_caller())

    assert found.price == Money.of("324.00")
    assert found.group is None


def test_a_group_of_one_institution_gives_nothing_at_another(manager, owner, firm, buyer):
    make_group(owner, manager, firm)

    assert quoted(make_instrument(), buyer).group is None


def test_a_member_that_outgrew_the_class_pays_as_its_new_class(
    owner, manager, firm, buyer, instrument
):
    make_group(owner, manager, firm)
    make_price(instrument, CustomerClass.LARGE, per_hour_minor=30000)
    db.session.add(
        EnterpriseDeclaration(
            organisation_id=firm.id,
            industry_code="34",
            size_class=SizeClass.LARGE,
            declared_on=clock.today(),
        )
    )

    found = quoted(instrument, buyer)

    assert (found.price, found.group) == (Money.of("600.00"), None)


def test_one_instrument_has_another_percentage(owner, manager, firm, buyer, instrument):
    make_group(owner, manager, firm, instruments={instrument.id: Decimal("40")})

    assert quoted(instrument, buyer).price == Money.of("216.00")


def test_the_best_of_several_groups_is_due(owner, manager, firm, buyer, instrument):
    make_group(owner, manager, firm)
    make_group(owner, manager, firm, name="高校联盟", percent="30")

    assert quoted(instrument, buyer).group.name == "高校联盟"


def test_the_reserve_path_asks_no_statement_more(owner, manager, firm, buyer, instrument):
    reserving.reserve(instrument.id, slot(), caller=buyer)
    with counted() as without:
        reserving.reserve(instrument.id, slot(slot().ends_at), caller=buyer)
    make_group(owner, manager, firm)
    make_group(owner, manager, firm, name="高校联盟", percent="30")

    with counted() as with_groups:
        made = reserving.reserve(
            instrument.id, slot(slot().ends_at + timedelta(hours=2)), caller=buyer
        )

    assert made.price == Money.of("252.00")
    assert len(with_groups) == len(without)


def test_what_was_agreed_by_a_group_stays_when_the_group_changes(
    owner, manager, firm, buyer, instrument, now
):
    group = make_group(owner, manager, firm)
    made = reserving.reserve(instrument.id, slot(), caller=buyer)
    service.publish_terms(group.id, said(percent="50"), caller=manager)
    service.end_group(group.id, caller=manager)

    found = reservations.get_reservation(made.id, caller=manager)
    due = reserving.due_for(found, 60)

    assert made.price == Money.of("270.00")
    assert due.price == Money.of("135.00")
    assert made.lines[-1]["name"] == "园区企业"
    assert list(reservations.breaches()) == []


def test_the_savings_line_rests_on_the_group(owner, manager, firm, buyer, instrument, now):
    make_group(owner, manager, firm)
    made = reserving.reserve(instrument.id, slot(), caller=buyer)
    now.at = slot().starts_at
    reserving.check_in(made.id, caller=buyer)
    now.at = slot().ends_at
    reserving.check_out(made.id, caller=buyer)
    reserving.confirm_usage(made.id, caller=manager)
    reserving.agree(made.id, caller=buyer)
    reserving.settle(
        made.id,
        caller=manager,
        settlement=Settlement.PAID,
        settled_on=clock.today(),
        reference="回单 1",
    )

    line = db.session.query(SavingsLine).filter_by(subject_id=made.id).one()

    assert (line.baseline_minor, line.price_minor, line.relief_minor) == (36000, 27000, 9000)
    kept = line.evidence["group"]
    assert (kept["name"], kept["percent"]) == ("园区企业", "25.00")
    assert kept["reason"] == "园区合作协议〔2026〕3 号"
    assert list(reservations.breaches()) == []


def test_a_forged_group_is_found(owner, manager, firm, buyer, instrument):
    make_group(owner, manager, firm)
    made = reserving.reserve(instrument.id, slot(), caller=buyer)
    elsewhere = make_institution()
    other = make_group(elsewhere, make_caller(elsewhere, Role.MANAGER), firm)
    made.price_group_terms_id = queries.versions_of(other.id)[0].id
    db.session.flush()

    assert any("客户类别优惠" in each for each in reservations.breaches())


def test_a_new_version_takes_the_place_of_the_one_that_holds(owner, manager, now):
    group = make_group(owner, manager)
    now.advance(days=1)

    service.publish_terms(group.id, said(percent="30"), caller=manager, version=1)

    new, old = queries.versions_of(group.id)
    assert (new.percent, old.percent) == (30, 25)
    assert old.superseded_at == new.effective_from == now.at
    assert group.version == 2


def test_an_announced_version_holds_from_its_day_and_can_be_taken_back(
    owner, manager, firm, buyer, instrument, now
):
    group = make_group(owner, manager, firm)
    ahead = now.at + timedelta(days=1)
    service.publish_terms(group.id, said(percent="50", effective_from=ahead), caller=manager)
    assert quoted(instrument, buyer).price == Money.of("270.00")
    with pytest.raises(AlreadyAnnounced):
        service.publish_terms(group.id, said(percent="60"), caller=manager)

    service.withdraw_terms(group.id, caller=manager)

    now.at = ahead
    assert quoted(instrument, buyer).price == Money.of("270.00")
    with pytest.raises(NothingAnnounced):
        service.withdraw_terms(group.id, caller=manager)


def test_a_version_ends_on_its_day(owner, manager, firm, buyer, instrument, now):
    make_group(owner, manager, firm, ends_at=now.at + timedelta(hours=1))
    assert quoted(instrument, buyer).group is not None

    now.advance(hours=1)

    assert quoted(instrument, buyer).group is None


def test_an_ended_group_gives_nothing_and_ends_once(owner, manager, firm, buyer, instrument, now):
    group = make_group(owner, manager, firm)
    now.advance(hours=1)

    service.end_group(group.id, caller=manager)

    assert quoted(instrument, buyer).group is None
    assert queries.describe([group])[0].is_in_force is False
    with pytest.raises(Ended):
        service.end_group(group.id, caller=manager)


def test_the_database_refuses_to_change_a_version_or_a_membership(owner, manager, firm):
    make_group(owner, manager, firm)

    for statement in (
        "UPDATE price_group_terms SET percent = 99",
        "DELETE FROM price_group_terms",
        "UPDATE price_group_members SET since = since - interval '1 day'",
        "DELETE FROM price_group_members",
    ):
        with pytest.raises(DBAPIError, match="never changes"), db.session.begin_nested():
            db.session.execute(text(statement))


def test_two_groups_of_an_institution_have_different_names(owner, manager, now):
    group = make_group(owner, manager)
    with pytest.raises(NameTaken):
        make_group(owner, manager)
    now.advance(hours=1)
    service.end_group(group.id, caller=manager)

    assert make_group(owner, manager).id != group.id


def test_members_come_and_go(owner, manager, firm, buyer, instrument, now):
    group = make_group(owner, manager, firm)
    with pytest.raises(AlreadyMember):
        service.add_member(group.id, firm, caller=manager)
    (member,) = queries.list_members(group.id, limit=9, cursor=None).items
    now.advance(hours=1)

    service.remove_member(group.id, member.id, caller=manager)

    assert quoted(instrument, buyer).group is None
    with pytest.raises(NotFound):
        service.remove_member(group.id, member.id, caller=manager)
    assert service.add_member(group.id, firm, caller=manager).until is None


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("large", "大型企业"), ("own", "本机构")],
)
def test_who_has_other_list_prices_cannot_belong(owner, manager, kind, reason):
    group = make_group(owner, manager)
    other = owner if kind == "own" else make_organisation(size_class=SizeClass.LARGE)

    with pytest.raises(InvalidField) as refused:
        service.add_member(group.id, other, caller=manager)

    assert reason in str(refused.value.details["errors"]["organisation"][0])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"percent": "0"}, "percent"),
        ({"effective_from": timedelta(days=-1)}, "effective_from"),
        ({"effective_from": timedelta(days=400)}, "effective_from"),
        ({"ends_at": timedelta(days=-1)}, "ends_at"),
        ({"instruments": {10**9: Decimal(10)}}, "instruments"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(owner, manager, given, field):
    moments = {
        name: clock.now() + value if isinstance(value, timedelta) else value
        for name, value in given.items()
    }

    with pytest.raises(InvalidField) as refused:
        make_group(owner, manager, **moments)

    assert field in refused.value.details["errors"]


def test_only_who_manages_the_instruments_defines_groups(owner, manager, firm, buyer):
    group = make_group(owner, manager)
    operator = make_caller(owner, Role.OPERATOR)

    with pytest.raises(NotAllowed):
        service.create_group(owner.id, CustomerClass.SME, said("另一类"), caller=operator)
    with pytest.raises(NotAllowed):
        service.add_member(group.id, firm, caller=operator)
    with pytest.raises(NotFound):
        queries.get_group(group.id, caller=buyer)
    with pytest.raises(Stale):
        service.end_group(group.id, caller=manager, version=9)


def test_every_change_is_in_the_journal(owner, manager, firm, now):
    group = make_group(owner, manager, firm)
    now.advance(hours=1)
    service.end_group(group.id, caller=manager)

    entries = db.session.query(JournalEntry).filter_by(
        subject_type="price_group", subject_id=group.id
    )

    assert [each.action for each in entries.order_by(JournalEntry.id)] == [
        "price_group.published",
        "price_group.member_added",
        "price_group.ended",
    ]


def test_a_name_that_another_has_since_is_not_taken_back(owner, manager, now):
    group, ahead = make_group(owner, manager), now.at + timedelta(days=1)
    service.publish_terms(group.id, said(name="老客户", effective_from=ahead), caller=manager)
    make_group(owner, manager, effective_from=ahead)

    with pytest.raises(NameTaken):
        service.withdraw_terms(group.id, caller=manager)


def test_a_group_with_something_announced_ends_once(owner, manager, now):
    group, ahead = make_group(owner, manager), now.at + timedelta(days=9)
    service.publish_terms(group.id, said(percent="30", effective_from=ahead), caller=manager)
    now.advance(hours=1)
    service.end_group(group.id, caller=manager)

    with pytest.raises(Ended):
        service.end_group(group.id, caller=manager)
