"""Seven days of many instruments: the same truth as the reservation itself, in three statements."""

from datetime import date, datetime, timedelta

import pytest

from booking.availability import queries, service
from booking.availability.models import Closure, Occupancy, OccupancyKind
from booking.kernel.db import db
from booking.kernel.timeslot import TimeSlot
from booking.reservations import queries as reservations
from booking.reservations.service.offers import make_offer
from tests.factories import WEDNESDAY_10, make_instrument, make_organisation, slot
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

MONDAY = date(2026, 11, 23)
HOUR = timedelta(hours=1)


def take(instrument, start=WEDNESDAY_10, *, hours=2, unit=1):
    db.session.add(
        Occupancy(
            instrument_id=instrument.id,
            unit=unit,
            slot=slot(start, hours=hours),
            kind=OccupancyKind.RESERVATION,
        )
    )
    db.session.flush()


def week_of(instrument, now, **given):
    return queries.weeks([instrument.id], MONDAY, now=now.at, **given)[instrument.id]


def clock(spans):
    return [f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in spans]


def test_days_show_what_is_open_free_and_closed(now):
    instrument = make_instrument()  # Monday 9:00, two hours' notice, open 8-18 on workdays
    take(instrument)

    week = week_of(instrument, now, minutes=120)

    assert [day.on for day in week.days] == [MONDAY + timedelta(days=n) for n in range(7)]
    assert clock(week.days[0].free) == ["11:00-18:00"]
    assert clock(week.days[2].open) == ["08:00-18:00"]
    assert clock(week.days[2].free) == ["08:00-10:00", "12:00-18:00"]
    assert [day.free_minutes for day in week.days] == [420, 600, 480, 600, 600, 0, 0]


def test_starts_are_all_on_the_grid_that_fit_the_length(now):
    instrument = make_instrument()
    take(instrument)

    wednesday = week_of(instrument, now, minutes=240).days[2]

    assert [f"{start:%H:%M}" for start in wednesday.starts] == [
        "12:00",
        "12:30",
        "13:00",
        "13:30",
        "14:00",
    ]


def test_the_soonest_slots_do_not_overlap(now):
    week = week_of(make_instrument(), now, minutes=120)

    assert [f"{each.starts_at + 8 * HOUR:%a %H:%M}" for each in week.soonest] == [
        "Mon 11:00",
        "Mon 13:00",
        "Mon 15:00",
    ]


def test_upkeep_is_shown_apart_unless_another_unit_goes_on(now):
    single, double = make_instrument(), make_instrument(units=2)
    for instrument in (single, double):
        closed = Closure(
            instrument_id=instrument.id,
            slot=slot(),
            kind=OccupancyKind.CALIBRATION,
            unit=1,
            reason="",
        )
        service.close(closed, units=instrument.units)

    assert clock(week_of(single, now).days[2].upkeep) == ["10:00-12:00"]
    assert clock(week_of(single, now).days[2].free) == ["08:00-10:00", "12:00-18:00"]
    assert week_of(double, now).days[2].upkeep == []
    assert clock(week_of(double, now).days[2].free) == ["08:00-18:00"]


def test_buffers_keep_their_distance(now):
    instrument = make_instrument(schedule={"buffer_before_minutes": 30, "buffer_after_minutes": 60})
    take(instrument)

    assert clock(week_of(instrument, now).days[2].free) == ["08:00-09:00", "12:30-18:00"]


def test_a_length_the_instrument_does_not_take_becomes_the_nearest(now):
    instrument = make_instrument(schedule={"shortest_minutes": 120, "longest_minutes": 240})

    assert week_of(instrument, now, minutes=60).minutes == 120
    assert week_of(instrument, now, minutes=480).minutes == 240


def test_without_a_schedule_there_is_no_week(now):
    instrument = make_instrument(schedule=None)

    assert queries.weeks([instrument.id], MONDAY, now=now.at) == {}


def test_the_zone_is_the_instruments_own(now):
    instrument = make_instrument(time_zone="Asia/Urumqi", hours={0: [(600, 720)]})

    (monday, *_) = week_of(instrument, now).days

    assert clock(monday.open) == ["10:00-12:00"]
    assert monday.starts[0] == datetime.fromisoformat("2026-11-23T10:00:00+06:00")


def test_every_start_shown_could_be_reserved_and_no_other(now):
    instrument = make_instrument(schedule={"buffer_after_minutes": 30})
    for hour in (0, 5):
        take(instrument, WEDNESDAY_10 + hour * HOUR, hours=1.5)
    firm = make_organisation()

    shown = set(week_of(instrument, now, minutes=120).days[2].starts)

    for half_hour in range(48):
        start = WEDNESDAY_10.replace(hour=0) + half_hour * HOUR / 2
        wanted = TimeSlot(start, start + 2 * HOUR)
        sheet = reservations.get_sheet(instrument.id, wanted, organisation_id=firm.id, user_id=0)
        held = wanted.widened(before_minutes=0, after_minutes=30)
        possible = make_offer(sheet, wanted).bookable and queries.is_free(
            instrument.id, held, units=1
        )
        assert (start in shown) is possible, start


def test_any_number_of_instruments_takes_three_statements(now):
    ids = [make_instrument().id for _ in range(5)]

    with counted() as statements:
        found = queries.weeks(ids, MONDAY, now=now.at)

    assert (len(found), len(statements)) == (5, 3)
