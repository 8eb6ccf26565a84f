"""What can be published, how long it holds, and which instruments it is for."""

from datetime import date

import pytest

from booking.kernel.money import Money
from booking.packages import rules
from booking.packages.rules import EntryKind, Reach


@pytest.mark.parametrize(
    ("paid_on", "months", "last"),
    [
        (date(2026, 11, 25), 12, date(2027, 11, 25)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 12, 1), 60, date(2031, 12, 1)),
    ],
)
def test_hours_hold_until_the_same_day_months_later(paid_on, months, last):
    assert rules.valid_until(paid_on, months) == last


@pytest.mark.parametrize(
    ("hours", "price", "months", "wrong"),
    [
        (20, 300000, 12, []),
        (0, 300000, 12, ["hours"]),
        (10_001, 300000, 12, ["hours"]),
        (20, 0, 12, ["price"]),
        (20, 10**12 + 20, 12, ["price"]),
        (7, 100000, 12, ["price"]),
        (20, 300000, 0, ["valid_months"]),
        (7, 100000, 61, ["price", "valid_months"]),
    ],
)
def test_what_cannot_be_published_is_named_all_at_once(hours, price, months, wrong):
    assert [field for field, _ in rules.wrong_with(hours, Money(price), months)] == wrong


def test_a_price_that_is_no_whole_fen_per_hour_names_the_nearest_that_are():
    [(_, reason)] = rules.wrong_with(7, Money(100000), 12)

    assert "999.95" in str(reason)
    assert "1000.02" in str(reason)


@pytest.mark.parametrize(
    ("reach", "covers"),
    [
        (Reach(), True),
        (Reach((7, 9)), True),
        (Reach((9,)), False),
        (Reach(category_code="02"), True),
        (Reach(category_code="0201"), True),
        (Reach(category_code="01"), False),
    ],
)
def test_a_package_is_for_some_instruments_a_category_or_all(reach, covers):
    assert reach.covers(7, "020101") is covers


@pytest.mark.parametrize(
    ("kind", "minutes"),
    [
        (EntryKind.BOUGHT, 60),
        (EntryKind.RELEASED, 60),
        (EntryKind.HELD, -60),
        (EntryKind.USED, -60),
        (EntryKind.EXPIRED, -60),
    ],
)
def test_what_takes_is_negative(kind, minutes):
    assert rules.signed(kind, 60) == minutes


@pytest.mark.parametrize(
    ("days", "reminder"), [(31, None), (30, 30), (8, 30), (7, 7), (0, 7), (-1, None)]
)
def test_of_an_end_people_are_reminded_twice(days, reminder):
    today = date(2026, 11, 1)
    ends = date.fromordinal(today.toordinal() + days)

    assert rules.due_reminder(ends, today=today) == reminder
