"""Series: each date judged, clashes skipped or shifted, all that is left or nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotFound
from booking.reservations import queries, service
from booking.reservations.errors import SomeNotBookable, SomeTaken
from booking.reservations.models import GroupKind, Reservation
from booking.reservations.service import Pattern
from tests.factories import make_caller, make_instrument, slot

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
WEEK = timedelta(weeks=1)
TEN = slot()


@pytest.fixture
def instrument(session):
    return make_instrument(schedule={"horizon_days": 60})


@pytest.fixture
def firm(session):
    return make_caller()


@pytest.fixture
def weekly(instrument):
    return Pattern(instrument.id, TEN, "FREQ=WEEKLY;COUNT=4")


def count():
    return db.session.scalar(select(func.count()).select_from(Reservation))


def taken_on(instrument, week):
    other = slot(TEN.starts_at + week * WEEK)
    return service.reserve(instrument.id, other, caller=make_caller())


def test_a_series_is_reserved_at_once(weekly, firm):
    made = service.reserve_series(weekly, {}, caller=firm, purpose="周测")

    assert [each.starts_at - TEN.starts_at for each in made.reservations] == [
        n * WEEK for n in range(4)
    ]
    group = made.group
    assert (group.kind, group.size) == (GroupKind.SERIES, 4)
    assert (group.rule, group.time_zone) == ("FREQ=WEEKLY;COUNT=4", "Asia/Shanghai")
    assert list(queries.breaches()) == []


def test_the_preview_says_which_dates_clash_and_where_to_shift_them(instrument, weekly, firm):
    taken_on(instrument, 2)

    found = service.preview_series(weekly, caller=firm).occurrences

    assert [each.judged.bookable for each in found] == [True, True, False, True]
    assert found[2].judged.is_taken
    assert found[2].shift.starts_at.date() == (TEN.starts_at + 2 * WEEK).date()
    assert not found[2].shift.overlaps(found[2].judged.wish.slot)
    assert [each.shift for each in found if each.judged.bookable] == [None] * 3
    assert count() == 1


def test_a_clash_refuses_all_until_it_is_skipped_or_shifted(instrument, weekly, firm):
    taken_on(instrument, 2)
    shift = service.preview_series(weekly, caller=firm).occurrences[2].shift

    with pytest.raises(SomeTaken) as refused:
        service.reserve_series(weekly, {0: None}, caller=firm)
    assert [each["index"] for each in refused.value.details["items"]] == [2]
    assert count() == 1

    made = service.reserve_series(weekly, {0: None, 2: shift.starts_at}, caller=firm)
    assert len(made.reservations) == 3
    assert made.reservations[1].slot == shift


def test_dates_beyond_the_horizon_are_named(instrument, firm):
    pattern = Pattern(instrument.id, TEN, "FREQ=WEEKLY;COUNT=10")

    with pytest.raises(SomeNotBookable) as refused:
        service.reserve_series(pattern, {}, caller=firm)

    broken = {
        each["index"]: [rule["rule"] for rule in each["violations"]]
        for each in refused.value.details["items"]
    }
    assert broken == {9: ["horizon"]}
    assert count() == 0


def test_shifts_do_not_clash_with_each_other(firm):
    instrument = make_instrument(
        schedule={"horizon_days": 60}, hours={day: [(600, 960)] for day in range(5)}
    )
    for hour in (0, 2):
        service.reserve(
            instrument.id, slot(TEN.starts_at + timedelta(days=hour // 2)), caller=make_caller()
        )
    pattern = Pattern(instrument.id, TEN, "FREQ=DAILY;COUNT=2")

    found = service.preview_series(pattern, caller=firm).occurrences

    first, second = (each.shift for each in found)
    assert not first.overlaps(second)


def test_a_series_keeps_its_hour_when_the_clocks_change(firm, now):
    now.set(datetime(2027, 3, 1, 9, tzinfo=UTC))
    berlin = make_instrument(
        time_zone="Europe/Berlin",
        schedule={"horizon_days": 90},
        hours={day: [(0, 1440)] for day in range(7)},
        price_published_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    before = slot(datetime(2027, 3, 21, 8, tzinfo=UTC))

    made = service.reserve_series(
        Pattern(berlin.id, before, "FREQ=WEEKLY;COUNT=2"), {}, caller=firm
    )

    assert [f"{each.starts_at:%d %H:%M}" for each in made.reservations] == ["21 08:00", "28 07:00"]


def test_a_time_that_is_skipped_must_be_chosen_otherwise(firm, now):
    now.set(datetime(2027, 3, 1, 9, tzinfo=UTC))
    berlin = make_instrument(
        time_zone="Europe/Berlin",
        schedule={"horizon_days": 90},
        hours={day: [(0, 1440)] for day in range(7)},
        price_published_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    night = slot(datetime(2027, 3, 27, 1, 30, tzinfo=UTC))
    pattern = Pattern(berlin.id, night, "FREQ=DAILY;COUNT=2")

    found = service.preview_series(pattern, caller=firm).occurrences[1]
    assert [each.rule for each in found.judged.violations] == ["no_such_time"]
    with pytest.raises(SomeNotBookable):
        service.reserve_series(pattern, {}, caller=firm)
    made = service.reserve_series(pattern, {1: found.shift.starts_at}, caller=firm)
    assert len(made.reservations) == 2


def test_a_series_over_the_year_end_goes_on(firm, now):
    now.set(datetime(2026, 12, 20, 1, tzinfo=UTC))
    instrument = make_instrument(schedule={"horizon_days": 60})
    wednesday = slot(datetime(2026, 12, 23, 2, tzinfo=UTC))

    made = service.reserve_series(
        Pattern(instrument.id, wednesday, "FREQ=WEEKLY;COUNT=3"), {}, caller=firm
    )

    assert [f"{each.starts_at:%Y-%m-%d}" for each in made.reservations] == [
        "2026-12-23",
        "2026-12-30",
        "2027-01-06",
    ]


@pytest.mark.parametrize(
    ("choices", "field"), [({9: None}, "choices"), (dict.fromkeys(range(4)), "choices")]
)
def test_choices_must_be_of_the_series_and_leave_something(weekly, firm, choices, field):
    with pytest.raises(InvalidField) as refused:
        service.reserve_series(weekly, choices, caller=firm)

    assert field in refused.value.details["errors"]


def test_an_instrument_one_may_not_see_is_not_found(firm):
    hidden = make_instrument(publication="draft")

    with pytest.raises(NotFound):
        service.preview_series(Pattern(hidden.id, TEN, "FREQ=WEEKLY;COUNT=2"), caller=firm)
