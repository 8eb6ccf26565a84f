"""The list of an institution's instruments: what narrows it, what it says, and at what cost."""

from datetime import timedelta
from decimal import Decimal

import pytest

from booking.accounts.rules import CustomerClass, Role
from booking.console import queries
from booking.console.queries import Wanted
from booking.registry.models import Publication, RunningState, SharingMode
from booking.registry.service import reindex
from booking.reservations import service as reservations
from tests.factories import (
    WEDNESDAY_10,
    make_caller,
    make_institution,
    make_instrument,
    make_price,
    slot,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def keeper(institution):
    return make_caller(institution, Role.MANAGER)


@pytest.fixture
def listed(institution, keeper):
    def found(**wanted):
        rows, total = queries.list_instruments(
            institution.id, Wanted(**wanted), caller=keeper, limit=50
        )
        assert total == len(rows)
        return rows

    return found


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param({"publication": "draft"}, {"publication": Publication.DRAFT}, id="draft"),
        pytest.param(
            {"running_state": "awaiting_repair"}, {"state": RunningState.REPAIR}, id="state"
        ),
        pytest.param({"sharing_mode": "internal"}, {"sharing": SharingMode.INTERNAL}, id="sharing"),
        pytest.param({"schedule": None}, {"lacking": "hours"}, id="no hours"),
        pytest.param({"price": None}, {"lacking": "price"}, id="no price"),
        pytest.param({"customs_supervised": True}, {"mark": "customs"}, id="customs"),
        pytest.param({"worth_wan": Decimal(50)}, {"mark": "national"}, id="national"),
        pytest.param({"inner_id": "HNQ-%7"}, {"q": "nq-%7"}, id="number"),
        pytest.param({"name": "激光粒度仪"}, {"q": "jglidu"}, id="nothing by half a sound"),
        pytest.param({"name": "激光粒度仪"}, {"q": "粒度"}, id="word"),
    ],
)
def test_what_was_asked_for_is_found_alone(institution, listed, given, wanted, request):
    make_instrument(institution=institution)
    sought = make_instrument(institution=institution, **given)
    reindex()

    expected = [] if "half" in request.node.name else [sought.id]
    assert [row.instrument.id for row in listed(**wanted)] == expected


def test_a_row_says_price_next_free_and_marks(institution, listed):
    instrument = make_instrument(institution=institution, worth_wan=Decimal("50.00"))
    # Monday from eleven, the first hour that lead time leaves, until five.
    monday = WEDNESDAY_10 - timedelta(days=2) + timedelta(hours=1)
    reservations.reserve(instrument.id, slot(monday, hours=6), caller=make_caller())
    make_instrument(institution=institution, name="ZZZ", price=None, schedule=None)

    first, last = sorted(listed(), key=lambda row: row.instrument.id)

    assert first.price.customer_class is CustomerClass.SME
    assert str(first.next_free) == "2026-11-23 09:00:00+00:00"  # five in the afternoon
    assert first.is_national
    assert (last.price, last.next_free, last.has_hours, last.is_national) == (
        None,
        None,
        False,
        False,
    )


def test_an_internal_price_alone_is_no_price(institution, listed):
    instrument = make_instrument(institution=institution, price=None)
    make_price(instrument, CustomerClass.INTERNAL)

    assert [row.price for row in listed(lacking="price")] == [None]


def test_the_list_costs_the_same_for_one_and_for_many(institution, keeper):
    def cost():
        with counted() as statements:
            queries.list_instruments(institution.id, Wanted(), caller=keeper, limit=50)
        return len(statements)

    make_instrument(institution=institution)
    one = cost()
    for _ in range(5):
        make_instrument(institution=institution)

    assert cost() == one == 7


def test_other_peoples_instruments_are_neither_listed_nor_named(institution, keeper, listed):
    other = make_instrument()

    assert listed() == []
    assert list(queries.named(institution.id, [other.id], caller=keeper)) == []
