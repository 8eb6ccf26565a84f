"""When approval is needed, and how long a hold lasts in working time. No database."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.availability.rules import ApprovalMode, ApprovalRule
from booking.kernel.clock import CHINA
from booking.kernel.errors import InvalidField
from booking.kernel.money import Money
from booking.reference.rules import CLOSES, OPENS, after_working_hours, is_weekday

# Friday 25 September 2026 and the week's end are free, Sunday 20 September is worked (domain §7).
CALENDAR = {date(2026, 9, 25): False, date(2026, 9, 20): True}
MINUTES = st.integers(0, 60 * 24 * 60)
MOMENTS = MINUTES.map(lambda minutes: at("01T00:00") + timedelta(minutes=minutes))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-09-{text}+08:00")


@pytest.mark.parametrize(
    ("asked", "hours", "until"),
    [
        pytest.param("21T09:00", 8, "21T17:00", id="a-whole-day"),
        pytest.param("21T09:00", 9, "22T10:00", id="into-the-next"),
        pytest.param("21T16:30", 1, "22T09:30", id="half-today-half-tomorrow"),
        pytest.param("21T03:00", 1, "21T10:00", id="before-opening"),
        pytest.param("21T22:00", 1, "22T10:00", id="after-closing"),
        pytest.param("24T16:00", 2, "28T10:00", id="over-a-holiday-and-weekend"),
        pytest.param("19T12:00", 8, "20T17:00", id="a-weekend-that-is-worked"),
    ],
)
def test_working_hours_are_counted_from_nine_to_five_on_working_days(asked, hours, until):
    assert after_working_hours(at(asked), hours, CALENDAR) == at(until)


@given(asked=MOMENTS, hours=st.integers(1, 80))
def test_a_deadline_lies_in_working_time_after_what_was_asked(asked, hours):
    found = after_working_hours(asked, hours, CALENDAR)
    local = found.astimezone(CHINA)

    assert found >= asked + timedelta(hours=hours)
    assert CALENDAR.get(local.date(), is_weekday(local.date()))
    assert OPENS < local.time() <= CLOSES


@given(asked=MOMENTS, first=st.integers(1, 40), more=st.integers(1, 40))
def test_hours_add_up(asked, first, more):
    midway = after_working_hours(asked, first, CALENDAR)

    assert after_working_hours(midway, more, CALENDAR) == after_working_hours(
        asked, first + more, CALENDAR
    )


@given(asked=MOMENTS, ahead=st.integers(0, 5000), hours=st.integers(1, 80))
def test_a_hold_never_outlasts_the_beginning_of_its_slot(asked, ahead, hours):
    rule = ApprovalRule(ApprovalMode.ALWAYS, hold_working_hours=hours)
    starts_at = asked + timedelta(minutes=ahead)

    assert rule.held_until(asked, starts_at, CALENDAR) <= starts_at


def test_no_rule_asks_for_nothing():
    rule = ApprovalRule()

    assert not rule.ever_needed
    assert not list(rule.reasons(minutes=99999, price=Money(10**9), is_first=True))


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (ApprovalRule(over_minutes=0), "over_minutes"),
        (ApprovalRule(over_minutes=20161), "over_minutes"),
        (ApprovalRule(hold_working_hours=0), "hold_working_hours"),
        (ApprovalRule(hold_working_hours=81), "hold_working_hours"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(rule, field):
    with pytest.raises(InvalidField) as refused:
        rule.check()

    assert list(refused.value.details["errors"]) == [field]
