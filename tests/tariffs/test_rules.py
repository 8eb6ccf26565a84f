"""What a slot costs, to the cent, and what it is compared with."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.accounts.rules import CustomerClass
from booking.kernel.money import Money
from booking.tariffs.rules import NoBaseline, PriceFacts, Usage, quote

NOW = datetime.fromisoformat("2026-11-23T09:00:00+08:00")
LIST = PriceFacts(
    id=1,
    per_hour=Money.of("180.00"),
    discount_percent=Decimal(20),
    published_at=NOW - timedelta(days=90),
)


def quoted(facts=LIST, *, minutes=120, customer_class=CustomerClass.SME):
    return quote(facts, Usage(NOW, minutes), customer_class=customer_class, now=NOW)


def test_golden_example_two_of_the_method():
    # domain §4.7 #2: 6.5 h x 180.00, paid 936.00.
    found = quoted(minutes=390)

    assert found.baseline == Money.of("1170.00")
    assert found.price == Money.of("936.00")
    assert found.saving == Money.of("234.00")


@pytest.mark.parametrize(
    ("age_days", "used", "customer_class", "reason"),
    [
        pytest.param(30, False, CustomerClass.SME, None, id="public-for-30-days"),
        pytest.param(29, False, CustomerClass.SME, NoBaseline.LIST_TOO_YOUNG, id="too-young"),
        pytest.param(29, True, CustomerClass.LARGE, None, id="young-but-paid-in-full-once"),
        pytest.param(90, True, CustomerClass.RESEARCH, NoBaseline.NOT_AN_ENTERPRISE, id="research"),
        pytest.param(90, True, CustomerClass.INTERNAL, NoBaseline.OWN_USE, id="own-use"),
    ],
)
def test_when_the_list_price_may_serve_as_baseline(age_days, used, customer_class, reason):
    facts = replace(LIST, published_at=NOW - timedelta(days=age_days), used_at_full_price=used)

    found = quoted(facts, customer_class=customer_class)

    assert found.no_baseline is reason
    assert (found.baseline is None) is (found.saving is None) is (reason is not None)


def test_without_a_published_price_there_is_no_quote():
    assert quoted(None) is None


def test_the_owners_own_use_is_free_unless_priced():
    found = quoted(None, customer_class=CustomerClass.INTERNAL)

    assert (found.price, found.saving) == (Money(0), None)


@given(
    per_hour=st.integers(0, 10**14),
    minutes=st.integers(1, 20160),
    percent=st.decimals(0, 100, places=2),
)
def test_list_and_price_are_each_rounded_half_up_once(per_hour, minutes, percent):
    facts = replace(LIST, per_hour=Money(per_hour), discount_percent=percent)
    exact = Fraction(per_hour * minutes, 60)

    found = quoted(facts, minutes=minutes)

    assert abs(found.list_price.minor - exact) <= Fraction(1, 2)
    assert abs(found.price.minor - exact * (1 - Fraction(percent) / 100)) <= Fraction(1, 2)
    assert 0 <= found.price.minor <= found.list_price.minor
    assert found.baseline == found.price + found.saving


@pytest.mark.parametrize(
    ("per_hour", "minutes", "percent", "listed", "due"),
    [
        pytest.param(1, 30, "0", 1, 1, id="half-a-cent-goes-up"),
        pytest.param(1, 29, "0", 0, 0, id="less-goes-down"),
        pytest.param(100, 60, "0.5", 100, 100, id="99.5-goes-up"),
        pytest.param(5, 30, "50", 3, 1, id="due-is-not-rounded-from-the-rounded-list"),
        pytest.param(18000, 60, "100", 18000, 0, id="waived"),
    ],
)
def test_rounding_by_hand(per_hour, minutes, percent, listed, due):
    facts = replace(LIST, per_hour=Money(per_hour), discount_percent=Decimal(percent))

    found = quoted(facts, minutes=minutes)

    assert (found.list_price.minor, found.price.minor) == (listed, due)
