"""Dates, times, money and the rest are written as ux §11 says, in both languages."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from booking.kernel import formats
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot

ZH, EN = "zh_Hans_CN", "en"
AT_14 = datetime.fromisoformat("2026-11-23T14:00:00+08:00")


@pytest.fixture(autouse=True)
def _at_9(app, now):
    """Every test stands on Monday 2026-11-23 at 9, inside a request."""
    with app.test_request_context():
        yield


def written(function, value, language):
    with force_locale(language):
        return function(value)


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (date(2026, 11, 23), "11月23日 周一", "Mon 23 Nov"),
        (date(2027, 1, 4), "2027年1月4日 周一", "Mon 4 Jan 2027"),
        # Already Tuesday in Shanghai.
        (datetime.fromisoformat("2026-11-23T17:00:00+00:00"), "11月24日 周二", "Tue 24 Nov"),
    ],
)
def test_days(value, zh, en):
    assert written(formats.day, value, ZH) == zh
    assert written(formats.day, value, EN) == en


@pytest.mark.parametrize(
    ("hours", "zh", "en"),
    [
        (2, "11月23日 周一 14:00–16:00", "Mon 23 Nov, 14:00–16:00"),
        (12, "11月23日 周一 14:00–次日 02:00", "Mon 23 Nov, 14:00–02:00 next day"),
        (
            51,
            "11月23日 周一 14:00 – 11月25日 周三 17:00",
            "Mon 23 Nov, 14:00 – Wed 25 Nov, 17:00",
        ),
        (
            24,
            "11月23日 周一 14:00 – 11月24日 周二 14:00",
            "Mon 23 Nov, 14:00 – Tue 24 Nov, 14:00",
        ),
    ],
)
def test_slots(hours, zh, en):
    span = TimeSlot(AT_14, AT_14 + timedelta(hours=hours))

    assert written(formats.slot, span, ZH) == zh
    assert written(formats.slot, span, EN) == en


@pytest.mark.parametrize(
    ("days", "zh", "en"),
    [
        (0, "今天 14:00", "Today 14:00"),
        (1, "明天 14:00", "Tomorrow 14:00"),
        (2, "周三 14:00", "Wed 14:00"),
        (6, "周日 14:00", "Sun 14:00"),
        (7, "11月30日 周一 14:00", "Mon 30 Nov 14:00"),
        (-1, "11月22日 周日 14:00", "Sun 22 Nov 14:00"),
    ],
)
def test_near_days_are_named_within_a_week(days, zh, en):
    assert written(formats.near, AT_14 + timedelta(days=days), ZH) == zh
    assert written(formats.near, AT_14 + timedelta(days=days), EN) == en


@pytest.mark.parametrize(
    ("minutes", "zh", "en"),
    [
        (0, "刚刚", "Just now"),
        (12, "12 分钟前", "12 min ago"),
        (59, "59 分钟前", "59 min ago"),
        (60, "今天 08:00", "Today 08:00"),
        (600, "11月22日 周日 23:00", "Sun 22 Nov, 23:00"),
        (-30, "今天 09:30", "Today 09:30"),
    ],
)
def test_what_is_past(now, minutes, zh, en):
    assert written(formats.past, now.at - timedelta(minutes=minutes), ZH) == zh
    assert written(formats.past, now.at - timedelta(minutes=minutes), EN) == en


@pytest.mark.parametrize(
    ("minutes", "zh", "en", "tight"),
    [
        (45, "45 分钟", "45 min", "0.75 h"),
        (90, "1 小时 30 分", "1 h 30 min", "1.5 h"),
        (120, "2 小时", "2 h", "2 h"),
    ],
)
def test_lengths(minutes, zh, en, tight):
    assert written(formats.length, minutes, ZH) == zh
    assert written(formats.length, minutes, EN) == en
    assert formats.tight(minutes) == tight


@pytest.mark.parametrize(
    ("fen", "zh", "en"),
    [
        (28800, "288.00 元", "¥288.00"),
        (1248000, "12,480.00 元", "¥12,480.00"),
        (-7200, "−72.00 元", "−¥72.00"),
        (0, "0.00 元", "¥0.00"),
    ],
)
def test_money(fen, zh, en):
    assert written(formats.money, Money(fen), ZH) == zh
    assert written(formats.money, Money(fen), EN) == en


def test_money_of_elsewhere_goes_by_its_code():
    assert formats.money(Money(1250, "EUR")) == "12.50 EUR"
    assert formats.money(Money(1250, "JPY")) == "1,250 JPY"


def test_a_unit_price():
    assert written(formats.per_hour, Money(18000), ZH) == "180.00 元/小时"
    assert written(formats.per_hour, Money(18000), EN) == "¥180.00/h"


@pytest.mark.parametrize(
    ("fen", "zh", "en"),
    [
        (589_500, "0.59 万元", "CNY 5,900"),
        (-589_500, "−0.59 万元", "CNY −5,900"),
        (1_234_567_800, "1,234.57 万元", "CNY 12,345,700"),
    ],
)
def test_statistics(fen, zh, en):
    assert written(formats.wan, Money(fen), ZH) == zh
    assert written(formats.wan, Money(fen), EN) == en


def test_what_is_not_known_is_a_dash():
    assert formats.money(None) == formats.iso_day(None) == formats.ratio(None) == "—"


def test_ratios_sums_and_counts():
    assert formats.ratio(Decimal("0.6667")) == "66.7%"
    assert formats.hours(95_940) == "1,599.0 h"
    assert formats.count(1284) == "1,284"
    assert formats.iso_day(AT_14) == "2026-11-23"


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_no_amount_loses_a_fen(fen):
    said = formats.figure(Money(fen)).replace(",", "").replace("−", "-")

    assert Money.of(said) == Money(fen)


@given(st.integers(min_value=1, max_value=60 * 24 * 40))
def test_no_slot_loses_its_ends(minutes):
    span = TimeSlot(AT_14, AT_14 + timedelta(minutes=minutes))
    said = written(formats.slot, span, ZH)

    assert said.startswith("11月23日 周一 14:00")
    assert said.endswith(formats.time_of_day(span.ends_at))


@pytest.mark.parametrize(
    ("client", "said", "on_a_phone"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36", "Chrome · Windows", False),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/126 Safari/5 Edg/126", "Edge · Windows", False),
        ("Mozilla/5.0 (iPhone; CPU) Safari/604 Mobile MicroMessenger/8", "WeChat · iPhone", True),
        ("Mozilla/5.0 (X11; Linux) Firefox/128.0", "Firefox · Linux", False),
        ("", "其他程序", False),
    ],
)
def test_browsers_are_named(client, said, on_a_phone):
    assert written(formats.browser, client, ZH) == said
    assert formats.is_phone(client) is on_a_phone


def test_a_name_stands_apart_from_what_is_beside_it_and_stays_text():
    assert formats.isolated("מעבדה <b>") == "<bdi>מעבדה &lt;b&gt;</bdi>"
    assert formats.isolated("") == ""
