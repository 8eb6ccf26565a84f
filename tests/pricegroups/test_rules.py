"""Which finer class a customer pays by, and what the quote makes of it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from booking.accounts.rules import CustomerClass
from booking.kernel.errors import InvalidField
from booking.kernel.money import Money
from booking.pricegroups.rules import Group, best, check_percents
from booking.tariffs.rules import Customer, Item, PriceFacts, Terms, Usage, quote
from tests.factories import WEDNESDAY_10

HERE, THIS = 7, 70
SME, LARGE = CustomerClass.SME, CustomerClass.LARGE


def group(id_=1, percent="15", **given):
    facts = {
        "institution_id": HERE,
        "base_class": SME,
        "name": f"类别 {id_}",
        "reason": "协议 1 号",
        "instruments": (),
    } | given
    return Group(id=id_, terms_id=10 * id_, percent=Decimal(percent), **facts)


def found(*groups, customer_class=SME):
    return best(groups, institution_id=HERE, instrument_id=THIS, customer_class=customer_class)


def test_the_best_of_several_counts_and_the_oldest_of_equals():
    assert found(group(1, "10"), group(2, "25"), group(3, "25")).group_id == 2


@pytest.mark.parametrize(
    "other", [{"institution_id": 8}, {"base_class": LARGE}], ids=["owner", "class"]
)
def test_a_group_of_another_owner_or_class_gives_nothing(other):
    assert found(group(**other)) is None


def test_an_instrument_has_its_own_percentage_even_a_lower_one():
    assert found(group(instruments=((THIS, Decimal(5)),))).percent == 5
    assert found(group(instruments=((71, Decimal(40)),))).percent == 15
    assert found(group(instruments=((THIS, Decimal(0)),))) is None


def priced(published, *groups, terms=None, now=WEDNESDAY_10, used=120):
    facts = PriceFacts(
        1,
        Money.of("180.00"),
        Decimal(published),
        now - timedelta(days=90),
        terms=terms or Terms(),
    )
    customer = Customer((SME,), groups=groups)
    tailored = customer.facts_at(facts, SME, institution_id=HERE, instrument_id=THIS)
    return quote(tailored, Usage(WEDNESDAY_10, used), customer_class=SME, now=now)


@pytest.mark.parametrize(
    ("published", "given", "due", "applied"),
    [
        ("0", "15", "306.00", True),
        ("20", "15", "288.00", False),  # the published one is better
        ("20", "20", "288.00", False),  # of equals the one that everybody has
        ("20", "20.01", "287.96", True),
        ("0", "100", "0.00", True),
    ],
)
def test_the_better_discount_is_due_and_the_baseline_stays_the_list(published, given, due, applied):
    found = priced(published, group(percent=given))

    assert found.price == Money.of(due)
    assert found.list_price == found.baseline == Money.of("360.00")
    assert (found.group is not None) is applied
    line = found.lines[-1]
    assert (line.item, line.name) == (Item.DISCOUNT, "类别 1" if applied else "")
    assert sum(each.amount.minor for each in found.lines) == found.price.minor


def test_a_group_lowers_fees_and_minima_too_but_never_the_list():
    terms = Terms(startup_minor=5000, minimum_minor=50000)

    found = priced("0", group(percent="10"), terms=terms)

    assert found.list_price == Money.of("500.00")
    assert found.price == Money.of("450.00")


@pytest.mark.parametrize(
    ("percent", "instruments"),
    [("0", {}), ("0", {1: "0"}), ("100.01", {}), ("10", {1: "101"})],
)
def test_percentages_that_give_nothing_or_too_much_are_refused(percent, instruments):
    with pytest.raises(InvalidField):
        check_percents(Decimal(percent), {k: Decimal(v) for k, v in instruments.items()})


def test_more_instruments_than_anybody_reads_are_refused():
    with pytest.raises(InvalidField):
        check_percents(Decimal(1), {each: Decimal(1) for each in range(1, 202)})
