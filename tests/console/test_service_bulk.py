"""The same change of many instruments, in statements that do not grow with their number."""

from datetime import timedelta
from decimal import Decimal

import pytest

from booking.accounts.rules import CustomerClass, Role
from booking.console import service
from booking.console.errors import NotAllChanged
from booking.journal.models import JournalEntry
from booking.kernel.db import db
from booking.kernel.money import Money
from booking.tariffs import queries
from booking.tariffs import service as tariffs
from booking.tariffs.models import Price
from tests.factories import make_caller, make_institution, make_instrument
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

CLASSES = list(CustomerClass)


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def manager(owner):
    return make_caller(owner, Role.MANAGER)


def make(owner, count):
    return [make_instrument(institution=owner).id for _ in range(count)]


def price(ids, manager, amount="200.00", **given):
    return service.set_price_of_each(ids, CLASSES, Money.of(amount), caller=manager, **given)


def test_the_price_of_many_takes_as_many_statements_as_that_of_few(owner, manager, now):
    few_ids, many_ids = make(owner, 2), make(owner, 60)
    now.advance(days=1)

    with counted() as few:
        price(few_ids, manager)
    with counted() as many:
        assert price(many_ids, manager) == 60

    assert len(many) == len(few) <= 6


def test_each_is_a_version_like_one_published_alone(owner, manager, now):
    (one, alone) = make(owner, 2)
    now.advance(days=1)

    price([one], manager, discount_percent=Decimal(5), discount_reason="惠企")
    for customer_class in CLASSES:
        tariffs.publish_price(
            alone,
            customer_class,
            Money.of("200.00"),
            caller=manager,
            discount_percent=Decimal(5),
            discount_reason="惠企",
        )

    for customer_class in CLASSES:
        in_bulk, single = (queries.find_current(each, customer_class) for each in (one, alone))
        assert _said(in_bulk) == _said(single)
        entries = {
            entry.subject_id: entry
            for entry in db.session.query(JournalEntry).filter_by(action="price.published")
        }
        a, b = entries[in_bulk.id], entries[single.id]
        assert (a.actor_id, a.organisation_id) == (b.actor_id, b.organisation_id)
        assert set(a.data["new"]) == set(b.data["new"])
        assert a.data["old"]["superseded_at"] == b.data["old"]["superseded_at"]


def _said(version):
    return {
        column.key: getattr(version, attribute)
        for attribute, column in Price.__mapper__.columns.items()
        if column.key not in {"id", "instrument_id"}
    }


def test_what_says_the_same_stays_and_is_not_counted(owner, manager, now):
    ids = make(owner, 3)
    now.advance(days=1)
    price(ids[:2], manager)

    assert price(ids, manager) == 1
    assert price(ids, manager) == 0


def test_an_announced_price_still_comes(owner, manager, now):
    (one,) = make(owner, 1)
    ahead = now.at + timedelta(days=10)
    tariffs.publish_price(
        one, CustomerClass.SME, Money.of("300.00"), caller=manager, effective_from=ahead
    )
    now.advance(days=1)

    price([one], manager)

    current = queries.find_current(one, CustomerClass.SME)
    assert (current.per_hour, current.superseded_at) == (Money.of("200.00"), ahead)
    assert queries.find_announced(one, CustomerClass.SME).per_hour == Money.of("300.00")


def test_one_that_is_not_ours_leaves_all_as_they_were_and_is_named(owner, manager):
    ids = [*make(owner, 2), make_instrument().id]

    with pytest.raises(NotAllChanged) as refused:
        price([*ids, 10**9], manager)

    assert [each.instrument_id for each in refused.value.refused] == [10**9, ids[2]]
    assert queries.find_current(ids[0], CustomerClass.SME).per_hour == Money.of("180.00")
