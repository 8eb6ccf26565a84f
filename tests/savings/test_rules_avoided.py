"""What the same hours would cost on instruments of one's own: beside the savings, never added."""

from fractions import Fraction

import pytest

from booking.savings.rules import PARAMETERS, Hours, avoided, owning_per_hour

WAN = 1_000_000  # 分


def hours(**given):
    values = {
        "organisation_id": 1,
        "category": "020101",
        "instrument_id": 1,
        "name": "试验机",
        "worth": 28 * WAN,
        "rated_hours": 1400,
        "minutes": 600,
        "cash": 144000,
    }
    return Hours(**(values | given))


def test_an_hour_of_owning_is_write_off_and_upkeep_over_the_rated_hours():
    # (280000 × 0.95 ÷ 10 + 280000 × 0.03) ÷ 1400 = 25.00 元
    assert owning_per_hour(28 * WAN, 1400) == 2500


def test_an_own_version_of_the_parameters_is_the_one_that_is_printed():
    assert (PARAMETERS.residual, PARAMETERS.years) == (Fraction(1, 20), 10)
    assert PARAMETERS.version


def test_the_value_is_the_cost_of_owning_less_what_was_paid_and_may_be_negative():
    [found], left_out = avoided([hours()])

    assert (found.owning, found.cash, found.value) == (25000, 144000, -119000)
    assert left_out == []


def test_a_class_counts_once_for_a_firm_whatever_the_instruments():
    used = [
        hours(),
        hours(instrument_id=2, worth=56 * WAN, minutes=60),
        hours(category="010203", instrument_id=3),
        hours(organisation_id=2, instrument_id=1),
    ]

    found, _ = avoided(used)

    assert [(each.organisation_id, each.category, each.minutes) for each in found] == [
        (1, "010203", 600),
        (1, "020101", 660),
        (2, "020101", 600),
    ]
    assert found[1].owning == 25000 + 5000


def test_without_an_original_value_it_is_left_out_and_named():
    found, left_out = avoided([hours(worth=None)])

    assert (found, [each.name for each in left_out]) == ([], ["试验机"])


@pytest.mark.parametrize("minutes", [0, -60])
def test_what_was_not_used_in_the_end_does_not_count(minutes):
    assert avoided([hours(minutes=minutes)]) == ([], [])


def test_it_is_rounded_once_for_a_class():
    [found], _ = avoided([hours(minutes=1), hours(instrument_id=2, minutes=1)])

    assert found.owning == 83  # 2 × 41.67 分
