"""Opening hours, fits and free time as arithmetic."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.availability.rules import (
    Fit,
    Span,
    Terms,
    WeekPlan,
    busy_windows,
    check_hours,
    first_fit,
    free_windows,
    joined,
    next_fits,
    open_spans,
    open_windows,
    slot_of,
)
from booking.kernel.errors import InvalidField
from booking.kernel.timeslot import TimeSlot

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
OFFICE = {day: [(480, 720), (780, 1080)] for day in range(5)}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def window(start: str, end: str) -> TimeSlot:
    return TimeSlot(at(start), at(end))


def walls(slots: list[TimeSlot], zone: ZoneInfo = SHANGHAI) -> list[str]:
    return [
        f"{s.starts_at.astimezone(zone):%d %H:%M}-{s.ends_at.astimezone(zone):%d %H:%M}"
        for s in slots
    ]


def test_a_working_day_has_its_hours_and_a_weekend_none():
    plan = WeekPlan(SHANGHAI, week=OFFICE)

    opened = open_windows(plan, window("2026-11-27T00:00+08:00", "2026-11-30T00:00+08:00"))

    assert walls(opened) == ["27 08:00-27 12:00", "27 13:00-27 18:00"]


def test_hours_that_meet_at_midnight_are_one_window():
    plan = WeekPlan(SHANGHAI, week={0: [(1200, 1440)], 1: [(0, 120)]})

    opened = open_windows(plan, window("2026-11-23T00:00+08:00", "2026-11-25T00:00+08:00"))

    assert walls(opened) == ["23 20:00-24 02:00"]


@pytest.mark.parametrize(
    ("day", "workdays", "observes", "expected"),
    [
        pytest.param("2026-10-01", {"2026-10-01": False}, True, [], id="public-holiday"),
        pytest.param("2026-10-01", {"2026-10-01": False}, False, [(480, 720)], id="not-observed"),
        pytest.param("2026-10-10", {"2026-10-10": True}, True, [(480, 720)], id="worked-saturday"),
        pytest.param("2026-10-10", {}, True, [], id="saturday-of-an-unknown-year"),
        pytest.param("2026-10-17", {"2026-10-17": False}, True, [], id="usual-saturday"),
    ],
)
def test_holidays_close_and_worked_weekends_open(day, workdays, observes, expected):
    plan = WeekPlan(
        SHANGHAI,
        week={weekday: [(480, 720)] for weekday in range(5)},
        workdays={date.fromisoformat(known): works for known, works in workdays.items()},
        observes_holidays=observes,
    )

    assert list(plan.intervals(date.fromisoformat(day))) == expected


def test_a_worked_weekend_keeps_its_own_hours_if_it_has_any():
    plan = WeekPlan(
        SHANGHAI, week={0: [(480, 720)], 5: [(600, 660)]}, workdays={date(2026, 10, 10): True}
    )

    assert list(plan.intervals(date(2026, 10, 10))) == [(600, 660)]


def test_a_special_day_wins_over_week_and_holiday():
    plan = WeekPlan(
        SHANGHAI,
        week=OFFICE,
        special={date(2026, 10, 1): [(540, 600)], date(2026, 11, 23): []},
        workdays={date(2026, 10, 1): False},
    )

    assert plan.intervals(date(2026, 10, 1)) == [(540, 600)]
    assert plan.intervals(date(2026, 11, 23)) == []


@pytest.mark.parametrize(
    ("day", "hours", "expected"),
    [
        # 2027-03-28: 02:00 becomes 03:00 in Berlin. 2027-10-31: 03:00 becomes 02:00.
        pytest.param("2027-03-28", (0, 1440), 23 * 60, id="short-day"),
        pytest.param("2027-10-31", (0, 1440), 25 * 60, id="long-day"),
        pytest.param("2027-03-28", (60, 240), 120, id="over-the-gap"),
        pytest.param("2027-10-31", (60, 240), 240, id="over-the-repeat"),
        pytest.param("2027-03-28", (135, 165), 30, id="inside-the-gap-moves-forward"),
        pytest.param("2027-10-31", (135, 165), 90, id="inside-the-repeat-first-to-last"),
        pytest.param("2027-03-28", (480, 1080), 600, id="after-the-change"),
    ],
)
def test_wall_clock_hours_on_days_when_the_clock_changes(day, hours, expected):
    plan = WeekPlan(BERLIN, week={6: [hours]})
    midnight = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=BERLIN)

    opened = open_windows(plan, TimeSlot(midnight, midnight + timedelta(days=1)))

    assert [slot.minutes for slot in opened] == [expected]


def test_the_grid_is_the_clock_on_the_wall_in_zones_off_the_hour():
    kathmandu = ZoneInfo("Asia/Kathmandu")  # +05:45

    start = Fit(kathmandu, minutes=60, grid_minutes=30).on_grid(at_minute("2026-11-23T02:16Z"))

    assert datetime.fromtimestamp(start * 60, kathmandu).strftime("%H:%M") == "08:30"


def test_the_grid_is_the_clock_on_the_wall_across_half_an_hour_of_dst():
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # 2026-10-04 02:00 +10:30 becomes 02:30 +11

    start = Fit(lord_howe, minutes=60, grid_minutes=60).on_grid(at_minute("2026-10-03T15:31Z"))

    assert datetime.fromtimestamp(start * 60, lord_howe).strftime("%H:%M") == "03:00"


def at_minute(text: str) -> int:
    return int(at(text).timestamp() // 60)


def test_a_slot_fits_only_clear_of_its_buffers():
    fit = Fit(UTC_ZONE, minutes=60, grid_minutes=30, before=30, after=15)

    # Taken 10:00-11:00; 9:00-10:00 would have its 15 minutes after inside, so 11:30 it is.
    assert first_fit([(540, 900)], [(600, 660)], fit) == 690


def test_a_slot_may_be_followed_by_a_buffer_outside_the_hours():
    fit = Fit(UTC_ZONE, minutes=60, grid_minutes=60, after=30)

    assert first_fit([(540, 600)], [], fit) == 540


def test_the_next_fits_do_not_overlap_each_other():
    fit = Fit(UTC_ZONE, minutes=120, grid_minutes=30)

    found = list(next_fits([(480, 1080)], {1: [(600, 660)]}, 1, fit))

    assert found == [(480, 600), (660, 780), (780, 900), (900, 1020)]


def test_several_units_are_free_when_one_is_and_busy_when_all_are():
    day = window("2026-11-23T08:00+08:00", "2026-11-23T18:00+08:00")
    taken = {
        1: [window("2026-11-23T09:00+08:00", "2026-11-23T12:00+08:00")],
        2: [window("2026-11-23T11:00+08:00", "2026-11-23T14:00+08:00")],
    }

    assert walls(busy_windows(taken, 2)) == ["23 11:00-23 12:00"]
    assert walls(free_windows([day], taken, 2)) == ["23 08:00-23 11:00", "23 12:00-23 18:00"]


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        pytest.param([(600, 480)], "拆成两段", id="crosses-midnight"),
        pytest.param([(480, 480)], "拆成两段", id="empty"),
        pytest.param([(480, 720), (700, 800)], "重叠", id="overlapping"),
        pytest.param([(0, 1441)], "24:00", id="past-midnight"),
    ],
)
def test_hours_that_cannot_be_are_refused_with_what_to_do(hours, words):
    with pytest.raises(InvalidField) as refused:
        check_hours("week", hours)

    assert words in str(refused.value.details["errors"]["week"][0])


def test_hours_that_touch_are_fine():
    check_hours("week", [(720, 1440), (0, 720)])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"grid_minutes": 7}, "grid_minutes"),
        ({"shortest_minutes": 45}, "shortest_minutes"),
        ({"shortest_minutes": 600}, "longest_minutes"),
        ({"longest_minutes": 30000}, "longest_minutes"),
        ({"horizon_days": 0}, "horizon_days"),
        ({"buffer_after_minutes": -5}, "buffer_after_minutes"),
    ],
)
def test_terms_that_cannot_be_name_the_field(given, field):
    with pytest.raises(InvalidField) as refused:
        Terms(**given).check()

    assert field in refused.value.details["errors"]


UTC_ZONE = ZoneInfo("UTC")
zones = st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin", "Asia/Kathmandu"]).map(ZoneInfo)
spans = st.lists(
    st.tuples(st.integers(0, 7 * 1440), st.integers(1, 600)).map(lambda s: (s[0], s[0] + s[1])),
    max_size=12,
).map(joined)
days_hours = st.lists(
    st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda i: i[0] < i[1]), max_size=3
)
instants = st.integers(0, 2 * 366 * 86400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(opened=spans, taken=spans, zone=zones, data=st.data())
def test_the_first_fit_is_the_first_of_all_minutes_that_would_do(opened, taken, zone, data):
    grid = data.draw(st.sampled_from([5, 15, 30, 60]))
    before, after = data.draw(st.integers(0, 90)), data.draw(st.integers(0, 90))
    length = data.draw(st.integers(1, 8)) * grid
    fit = Fit(zone, minutes=length, grid_minutes=grid, before=before, after=after)

    def does(start: int) -> bool:
        wall = datetime.fromtimestamp(start * 60, zone)
        return (
            (wall.hour * 60 + wall.minute) % grid == 0
            and any(a <= start and start + length <= b for a, b in opened)
            and all(start + length + after <= a or b <= start - before for a, b in taken)
        )

    expected = next((start for start in range(8 * 1440) if does(start)), None)

    assert first_fit(opened, taken, fit) == expected


@given(week=st.dictionaries(st.integers(0, 6), days_hours), zone=zones, start=instants)
def test_windows_are_sorted_apart_and_inside_what_was_asked(week, zone, start):
    asked = TimeSlot(start, start + timedelta(days=9))

    windows = open_windows(WeekPlan(zone, week=week), asked)

    assert all(asked.contains(slot) for slot in windows)
    assert all(a.ends_at < b.starts_at for a, b in pairwise(windows))


@given(week=st.dictionaries(st.integers(0, 6), days_hours), zone=zones, start=instants)
def test_spans_are_the_windows_in_whole_minutes(week, zone, start):
    plan, minute = WeekPlan(zone, week=week), start.replace(second=0)
    asked = TimeSlot(minute, minute + timedelta(days=9))

    assert [slot_of(span) for span in open_spans(plan, asked)] == open_windows(plan, asked)


def this_week(found: list[Span]) -> list[TimeSlot]:
    monday = at_minute("2026-11-23T00:00Z")
    return [slot_of((monday + start, monday + end)) for start, end in found]


@given(opened=spans, first=spans, second=spans)
def test_without_buffers_free_is_open_less_busy(opened, first, second):
    slots = {1: this_week(first), 2: this_week(second)}
    hours = this_week(opened)

    free, busy = free_windows(hours, slots, 2), busy_windows(slots, 2)

    def minutes(found: list[TimeSlot]) -> set[int]:
        return {
            minute
            for slot in found
            for minute in range(
                int(slot.starts_at.timestamp()) // 60, int(slot.ends_at.timestamp()) // 60
            )
        }

    assert minutes(free) == minutes(hours) - minutes(busy)
