"""Recurring dates: the part of RFC 5545 that is read, its bounds, and clocks that change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from booking.kernel.errors import InvalidField
from booking.reservations.rules import recurrence
from booking.reservations.rules.recurrence import LONGEST_DAYS, MOST_OCCURRENCES

MONDAY = date(2026, 11, 23)


def days(rule, first=MONDAY):
    return [f"{day:%m-%d}" for day in recurrence.dates(recurrence.parse(rule), first)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;COUNT=3", ["11-23", "11-30", "12-07"]),
        ("RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2", ["11-23", "12-07"]),
        ("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3", ["11-24", "11-26", "12-01"]),
        ("FREQ=DAILY;UNTIL=20261125", ["11-23", "11-24", "11-25"]),
        ("FREQ=DAILY;BYDAY=SA;COUNT=2", ["11-28", "12-05"]),
        ("FREQ=MONTHLY;COUNT=3", ["11-23", "12-23", "01-23"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3", ["12-31", "01-31", "03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=4", ["11-30", "12-31", "01-31", "02-28"]),
        ("FREQ=MONTHLY;BYDAY=1MO,-1FR;COUNT=3", ["11-27", "12-07", "12-25"]),
    ],
)
def test_the_dates_of_a_rule(rule, expected):
    assert days(rule) == expected


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("", "“”不能使用"),
        ("FREQ=SECONDLY;COUNT=3", "DAILY"),
        ("FREQ=YEARLY;COUNT=3", "DAILY"),
        ("FREQ=WEEKLY", "COUNT"),
        ("FREQ=WEEKLY;COUNT=2;UNTIL=20261231", "择一"),
        ("FREQ=WEEKLY;COUNT=10000", "最多 60 次"),
        ("FREQ=WEEKLY;COUNT=" + "9" * 60, "最多 60 次"),
        ("FREQ=WEEKLY;COUNT=0", "1 到 60"),
        ("FREQ=WEEKLY;INTERVAL=0;COUNT=2", "1 到 99"),
        ("FREQ=DAILY;UNTIL=20270901", "最多 60 次"),
        ("FREQ=DAILY;UNTIL=99991231", "732 天"),
        ("FREQ=DAILY;UNTIL=20269999", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20200101", "没有一天"),
        ("FREQ=MONTHLY;INTERVAL=99;COUNT=2", "732 天"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU;COUNT=2", "没有一天"),
        ("FREQ=WEEKLY;BYDAY=1MO;COUNT=2", "BYDAY"),
        ("FREQ=WEEKLY;BYDAY=XX;COUNT=2", "BYDAY"),
        ("FREQ=WEEKLY;BYMONTHDAY=1;COUNT=2", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=32;COUNT=2", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=MO;COUNT=2", "同时"),
        ("FREQ=WEEKLY;COUNT=2;COUNT=3", "“COUNT=3”"),
        ("FREQ=WEEKLY;BYSECOND=1;COUNT=2", "“BYSECOND=1”"),
        ("FREQ=WEEKLY;COUNT=2\nEXRULE:FREQ=MINUTELY", "不能使用"),
        ("FREQ=WEEKLY;" * 50, "DAILY"),
    ],
)
def test_what_cannot_be_used_is_said(rule, words):
    with pytest.raises(InvalidField) as refused:
        days(rule)

    assert words in str(refused.value.details["errors"]["rule"][0])


def test_a_day_that_never_comes_ends_at_once():
    with pytest.raises(InvalidField, match="修改"):
        days("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31;COUNT=2", date(2027, 2, 1))


RULES = (
    st.builds(
        recurrence.Recurrence,
        freq=st.just("DAILY"),
        interval=st.integers(1, 30),
        count=st.integers(1, MOST_OCCURRENCES),
        by_day=st.lists(st.tuples(st.none(), st.integers(0, 6)), max_size=3, unique=True).map(
            tuple
        ),
    )
    | st.builds(
        recurrence.Recurrence,
        freq=st.just("WEEKLY"),
        interval=st.integers(1, 20),
        count=st.integers(1, MOST_OCCURRENCES),
        by_day=st.lists(st.tuples(st.none(), st.integers(0, 6)), max_size=7, unique=True).map(
            tuple
        ),
    )
    | st.builds(
        recurrence.Recurrence,
        freq=st.just("MONTHLY"),
        interval=st.integers(1, 12),
        count=st.integers(1, MOST_OCCURRENCES),
        # Not "1MO,TU": there the library asks for both at once, where the standard says either.
        by_day=st.lists(
            st.tuples(st.sampled_from([1, 2, 3, 4, 5, -1, -2]), st.integers(0, 6)),
            max_size=3,
            unique=True,
        ).map(tuple)
        | st.lists(st.tuples(st.none(), st.integers(0, 6)), max_size=3, unique=True).map(tuple),
    )
    | st.builds(
        recurrence.Recurrence,
        freq=st.just("MONTHLY"),
        interval=st.integers(1, 12),
        count=st.integers(1, MOST_OCCURRENCES),
        by_month_day=st.lists(
            st.sampled_from([*range(1, 32), -1]), min_size=1, max_size=3, unique=True
        ).map(tuple),
    )
)


@given(RULES, st.dates(date(2024, 1, 1), date(2030, 12, 31)))
def test_the_dates_are_those_of_the_standard(rule, first):
    try:
        recurrence.dates(replace(rule, count=1), first)
    except InvalidField:
        return  # no date at all: looking for one, the library would go on to the year 9999
    midnight = datetime.combine(first, datetime.min.time())
    last = midnight + timedelta(days=LONGEST_DAYS)
    written = rule.text.replace(f"COUNT={rule.count}", f"UNTIL={last:%Y%m%d}")
    theirs = [each.date() for each in islice(rrulestr(written, dtstart=midnight), rule.count)]

    try:
        ours = recurrence.dates(rule, first)
    except InvalidField:
        assert len(theirs) < rule.count
    else:
        assert ours == theirs
        assert recurrence.parse(rule.text) == rule


@given(st.text(max_size=60) | st.text("FREQ=DAILYWKMONTHCU;0123456789,-:", max_size=80))
def test_any_text_is_a_rule_or_refused(text):
    try:
        found = recurrence.dates(recurrence.parse(text), MONDAY)
    except InvalidField:
        return
    assert 1 <= len(found) <= MOST_OCCURRENCES


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "time", "instant", "is_once"),
    [
        (date(2027, 3, 27), "02:30", "01:30", True),
        (date(2027, 3, 28), "02:30", "01:30", False),  # skipped
        (date(2027, 3, 28), "09:00", "07:00", True),
        (date(2027, 10, 31), "02:30", "00:30", False),  # comes twice
        (date(2027, 10, 31), "09:00", "08:00", True),
        (date(2027, 1, 1), "09:00", "08:00", True),
    ],
)
def test_the_clock_on_the_wall_decides(day, time, instant, is_once):
    wall = datetime.fromisoformat(f"2026-11-23T{time}")

    found, once = recurrence.at_wall_once(day, wall, BERLIN)

    assert (f"{found.astimezone(UTC):%H:%M}", once) == (instant, is_once)
