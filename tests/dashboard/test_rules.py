"""How the months of a year are drawn."""

import pytest

from booking.dashboard.rules import BASE, TOP, plot


def test_the_highest_month_reaches_towards_the_top_and_nothing_stands_on_the_line():
    drawn = plot([0, 27000, 9000])

    none, most, third = drawn.columns
    assert (none.height, drawn.zero) == (0, BASE)
    assert most.is_most
    assert not third.is_most
    assert most.height == pytest.approx(3 * third.height, abs=0.2)
    assert TOP <= most.y < third.y < BASE


def test_what_was_lost_hangs_under_the_line():
    drawn = plot([10000, -5000])

    gain, loss = drawn.columns
    assert loss.y == drawn.zero == pytest.approx(gain.y + gain.height, abs=0.2)
    assert loss.height > 0
    assert drawn.zero < BASE


@pytest.mark.parametrize(
    ("most", "step"), [(0, 100), (100, 100), (27000, 10000), (50000, 20000), (123456789, 50000000)]
)
def test_the_lines_stand_at_round_amounts(most, step):
    drawn = plot([most])

    amounts = [minor for _, minor in drawn.ticks]
    assert amounts[0] == 0
    assert amounts[1] - amounts[0] == step
    assert len(amounts) <= 6


def test_months_stand_where_they_will_stand_at_the_end_of_the_year():
    assert plot([1, 2]).columns[1].x == plot(list(range(12))).columns[1].x
