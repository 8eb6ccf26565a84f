"""Who may operate what, and when the reminders come. No database."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.authorisations.rules import (
    REMIND_DAYS,
    Operation,
    assisted_unless_told,
    check_period,
    due_reminder,
    refusals,
    usual_end,
)
from booking.kernel.errors import InvalidField

DAY = date(2026, 11, 25)
DAYS = st.dates(date(2020, 1, 1), date(2090, 1, 1))


def broken(operation, *, is_assisted=False, until=None, last_day=DAY):
    found = refusals(operation, is_assisted=is_assisted, authorised_until=until, last_day=last_day)
    return [rule for rule, _ in found]


@pytest.mark.parametrize(
    ("operation", "is_assisted", "until", "rules"),
    [
        (Operation.EITHER, False, None, []),
        (Operation.EITHER, True, None, []),
        (Operation.AUTHORISED, True, None, []),
        (Operation.AUTHORISED, False, None, ["authorisation"]),
        (Operation.AUTHORISED, False, DAY, []),
        (Operation.AUTHORISED, False, DAY - timedelta(days=1), ["authorisation"]),
        (Operation.ASSISTED, True, None, []),
        (Operation.ASSISTED, False, DAY, ["operation"]),
    ],
)
def test_what_stands_in_the_way(operation, is_assisted, until, rules):
    assert broken(operation, is_assisted=is_assisted, until=until) == rules


@given(until=DAYS, last_day=DAYS)
def test_an_authorisation_holds_up_to_its_last_day(until, last_day):
    found = broken(Operation.AUTHORISED, until=until, last_day=last_day)

    assert bool(found) == (last_day > until)


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("told", [None, True, False])
def test_nobody_is_assisted_unless_told_or_where_there_is_no_other_way(operation, told):
    wanted = operation is Operation.ASSISTED if told is None else told

    assert assisted_unless_told(operation, told) is wanted


@given(until=DAYS, left=st.integers(-30, 120))
def test_the_nearest_reminder_that_has_come_is_due(until, left):
    due = due_reminder(until, today=until - timedelta(days=left))

    assert due == min((days for days in REMIND_DAYS if 0 <= left <= days), default=None)


def test_a_year_is_usual():
    assert usual_end(date(2026, 1, 1)) == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (DAY, DAY - timedelta(days=1), "valid_until"),
        (date(1999, 12, 31), DAY, "valid_from"),
        (DAY, date(2100, 1, 1), "valid_until"),
    ],
)
def test_days_that_cannot_be_are_refused_beside_their_field(first, last, field):
    with pytest.raises(InvalidField) as refused:
        check_period(first, last)

    assert list(refused.value.details["errors"]) == [field]
