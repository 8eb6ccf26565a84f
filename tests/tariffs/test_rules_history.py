"""A list raised to be discounted is told from one that just changed."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from booking.accounts.rules import CustomerClass
from booking.kernel.money import Money
from booking.tariffs.rules import PriceFacts, Terms, Version, Window, rise_percent, rises

NOW = datetime.fromisoformat("2026-11-23T09:00:00+08:00")


def ago(days):
    return NOW - timedelta(days=days)


def facts(number, yuan, **terms):
    return PriceFacts(number, Money.of(yuan), Decimal(0), ago(300), terms=Terms(**terms))


def version(number, yuan, *, since, until=None, used=None, customer_class=CustomerClass.SME):
    return Version(
        facts(number, yuan),
        customer_class,
        ago(since),
        None if until is None else ago(until),
        None if used is None else ago(used),
    )


@pytest.mark.parametrize(
    ("yuan", "since", "used", "flagged"),
    [
        pytest.param("121.00", 80, None, {2: 21}, id="not-used-yet"),
        pytest.param("120.00", 80, None, {}, id="by-exactly-a-fifth"),
        pytest.param("120.01", 80, None, {2: 21}, id="by-a-cent-more"),
        pytest.param("150.00", 91, None, {}, id="long-ago"),
        pytest.param("150.00", 200, 190, {2: 50}, id="used-soon-after"),
        pytest.param("150.00", 200, 100, {}, id="used-long-after"),
        pytest.param("90.00", 80, None, {}, id="lowered"),
    ],
)
def test_a_rise_above_a_fifth_within_90_days_before_first_use(yuan, since, used, flagged):
    versions = [
        version(1, "100.00", since=300, until=since),
        version(2, yuan, since=since, used=used),
    ]

    assert rises(versions, now=NOW) == flagged


def test_several_small_rises_count_together():
    versions = [
        version(1, "100.00", since=300, until=60),
        version(2, "115.00", since=60, until=30),
        version(3, "130.00", since=30),
    ]

    assert rises(versions, now=NOW) == {3: 30}


def test_classes_are_looked_at_one_by_one():
    versions = [
        version(1, "100.00", since=300, until=60, customer_class=CustomerClass.LARGE),
        version(2, "200.00", since=60),
    ]

    assert rises(versions, now=NOW) == {}


@pytest.mark.parametrize(
    ("after", "percent"),
    [
        pytest.param({"startup_minor": 5000}, 25, id="a-new-fee"),
        pytest.param({"minimum_minor": 30000}, 50, id="a-new-minimum"),
        pytest.param({"operator_minor": 5000}, 50, id="the-operator"),
        pytest.param({"windows": (Window((5,), 0, 1440, 140),)}, 40, id="saturdays-only"),
    ],
)
def test_what_rose_most_of_common_uses_counts(after, percent):
    assert rise_percent(facts(1, "100.00"), facts(2, "100.00", **after)) == percent


def test_what_was_free_rose_by_a_hundred():
    assert rise_percent(facts(1, "0.00"), facts(2, "1.00")) == 100
    assert rise_percent(facts(1, "0.00"), facts(2, "0.00")) == 0
