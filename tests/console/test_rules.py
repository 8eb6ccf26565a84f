"""How a day is laid out: hours across, lanes below each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.console.rules import Axis, axis_over, lanes

SPANS = st.lists(
    st.tuples(st.integers(0, 1400), st.integers(1, 300)).map(lambda each: (each[0], sum(each))),
    max_size=20,
).map(sorted)


@pytest.mark.parametrize(
    ("spans", "axis"),
    [
        pytest.param([], (480, 1080), id="nothing: office hours"),
        pytest.param([(450, 600)], (420, 1080), id="from the full hour"),
        pytest.param([(600, 1105)], (480, 1140), id="to the full hour"),
        pytest.param([(-90, 1500)], (0, 1440), id="never beyond the day"),
    ],
)
def test_the_axis_shows_all_in_full_hours(spans, axis):
    assert axis_over(spans) == Axis(*axis)


@pytest.mark.parametrize(
    ("span", "place"),
    [
        pytest.param((480, 780), (0, 50), id="first half"),
        pytest.param((300, 1440), (0, 100), id="cut at both ends"),
        pytest.param((300, 480), None, id="before"),
        pytest.param((1080, 1200), None, id="after"),
    ],
)
def test_a_span_stands_in_percent_of_the_axis(span, place):
    assert Axis(480, 1080).place(span) == place


def test_long_days_name_every_other_hour():
    assert [hour for hour, _ in Axis(480, 1080).hours] == list(range(8, 18))
    assert [hour for hour, _ in Axis(0, 1440).hours] == list(range(0, 24, 2))


@given(SPANS)
def test_in_a_lane_nothing_overlaps_and_no_lane_is_wasted(spans):
    found = list(zip(spans, lanes(spans), strict=True))

    for (start, _), lane in found:
        before = [other for other, its in found if its == lane and other[0] < start]
        assert all(end <= start for _, end in before)
    most = max((sum(a <= at < b for a, b in spans) for at, _ in spans), default=0)
    assert max((lane for _, lane in found), default=-1) + 1 == most
