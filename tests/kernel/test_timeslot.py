"""The algebra of slots, checked against plain sets of minutes."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.kernel.timeslot import TimeSlot, UnusableSlot, merged, subtract

START = datetime(2026, 11, 23, tzinfo=UTC)
bounds = st.tuples(st.integers(0, 60), st.integers(1, 20))


def slot(begin, length):
    return TimeSlot(START + timedelta(minutes=begin), START + timedelta(minutes=begin + length))


def minutes(slots):
    """Every minute the slots cover: an independent notion of the same time."""
    covered = set()
    for one in slots:
        begin = int((one.starts_at - START).total_seconds() // 60)
        covered |= set(range(begin, begin + one.minutes))
    return covered


slots = st.lists(bounds.map(lambda pair: slot(*pair)), max_size=8)


@given(slots)
def test_merging_keeps_the_time_and_leaves_gaps_between(given_slots):
    joined = merged(given_slots)

    assert minutes(joined) == minutes(given_slots)
    assert all(a.ends_at < b.starts_at for a, b in pairwise(joined))


@given(slots, slots)
def test_subtracting_leaves_exactly_what_was_not_taken(given_slots, taken):
    left = list(subtract(given_slots, taken))

    assert minutes(left) == minutes(given_slots) - minutes(taken)
    assert left == sorted(left)
    assert sum(part.minutes for part in left) == len(minutes(left))


@given(bounds, bounds)
def test_slots_overlap_exactly_if_they_share_a_minute(one, other):
    shared = minutes([slot(*one)]) & minutes([slot(*other)])

    assert slot(*one).overlaps(slot(*other)) is bool(shared)


@given(bounds, bounds)
def test_clipping_gives_what_two_slots_share(one, other):
    common = slot(*one).clip(slot(*other))

    assert minutes([common] if common else []) == minutes([slot(*one)]) & minutes([slot(*other)])


@given(bounds, bounds)
def test_a_slot_contains_another_exactly_if_nothing_of_it_is_outside(one, other):
    outside = minutes([slot(*other)]) - minutes([slot(*one)])

    assert slot(*one).contains(slot(*other)) is not bool(outside)


@given(bounds, st.integers(0, 600), st.integers(0, 600))
def test_buffers_widen_both_ends(one, before, after):
    wide = slot(*one).widened(before_minutes=before, after_minutes=after)

    assert wide.minutes == slot(*one).minutes + before + after
    assert wide.contains(slot(*one))


def test_neighbours_do_not_overlap():
    assert not slot(0, 60).overlaps(slot(60, 60))


def test_instants_become_utc():
    china = timezone(timedelta(hours=8))

    made = TimeSlot(
        datetime(2026, 11, 25, 10, tzinfo=china), datetime(2026, 11, 25, 12, tzinfo=china)
    )

    assert made.starts_at == datetime(2026, 11, 25, 2, tzinfo=UTC)
    assert made.starts_at.tzinfo is UTC
    assert made.duration == timedelta(hours=2)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "field"),
    [
        pytest.param(START.replace(tzinfo=None), START, "starts_at", id="naive-start"),
        pytest.param(START, START.replace(tzinfo=None), "ends_at", id="naive-end"),
        pytest.param(START, START, "ends_at", id="empty"),
        pytest.param(START, START - timedelta(minutes=1), "ends_at", id="reversed"),
        pytest.param(datetime(1990, 1, 1, tzinfo=UTC), START, "starts_at", id="long-ago"),
        pytest.param(START, datetime.max.replace(tzinfo=UTC), "ends_at", id="far-future"),
        pytest.param(
            START,
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-23, minutes=-59))),
            "ends_at",
            id="past-the-end-of-the-calendar",
        ),
        pytest.param(
            datetime.min.replace(tzinfo=timezone(timedelta(hours=23, minutes=59))),
            START,
            "starts_at",
            id="before-its-beginning",
        ),
    ],
)
def test_what_is_no_slot_is_refused_with_the_field_at_fault(starts_at, ends_at, field):
    with pytest.raises(UnusableSlot) as refused:
        TimeSlot(starts_at, ends_at)

    assert refused.value.field == field
