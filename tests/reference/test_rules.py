"""Reading the region list and counting working days, without a database."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.reference.rules import (
    RegionFacts,
    RegionLevel,
    ancestors,
    count_working_days,
    is_weekday,
    read_regions,
)

FRIDAY = date(2026, 11, 27)


def regions(*lines: str) -> dict[str, RegionFacts]:
    return {unit.code: unit for unit in read_regions(['43 province="湖南省"', *lines])}


def test_a_name_without_a_period_is_valid_for_ever():
    assert regions('  0100 county="长沙市"')["430100"] == RegionFacts(
        "430100", "长沙市", RegionLevel.CITY, None, None, None
    )


def test_one_code_may_have_had_several_names():
    units = read_regions(['43 province="湖南省"', '  0104 county="[1983-1995]西区,[1996-]岳麓区"'])

    assert [(unit.name, unit.valid_from, unit.valid_to) for unit in units] == [
        ("西区", 1983, 1995),
        ("岳麓区", 1996, None),
    ]


@pytest.mark.parametrize(
    ("code", "level", "parent"),
    [
        pytest.param("430000", RegionLevel.PROVINCE, None, id="province"),
        pytest.param("430100", RegionLevel.CITY, "430000", id="city"),
        pytest.param("430104", RegionLevel.COUNTY, "430100", id="county-of-a-city"),
        pytest.param("439001", RegionLevel.COUNTY, "430000", id="county-of-the-province"),
    ],
)
def test_a_unit_stands_under_the_nearest_one_that_exists(code, level, parent):
    found = regions(
        '  0000 county="湖南省"',
        '  0100 county="长沙市"',
        '  0104 county="岳麓区"',
        '  9000 county="[1986-]省直辖县级行政单位"',
        '  9001 county="直辖市"',
    )

    assert (found[code].level, found[code].parent_code) == (level, parent)


@pytest.mark.parametrize("heading", ["市辖区", "县", "市区", "省直辖县级行政单位"])
def test_headings_of_the_table_are_no_places(heading):
    assert regions(f'  0101 county="[1983-]{heading}"') == {}


@pytest.mark.parametrize("line", ["0100 county=市", '  01 county="市"', "x", '  0100 county=""'])
def test_an_unknown_format_is_refused(line):
    with pytest.raises(ValueError, match="not a"):
        regions(line)


def test_a_unit_before_any_province_is_refused():
    with pytest.raises(ValueError, match="region list"):
        read_regions(['  0100 county="长沙市"'])


@pytest.mark.parametrize(
    ("code", "above"),
    [("430000", []), ("430100", ["430000"]), ("430104", ["430000", "430100"])],
)
def test_ancestors_of_a_code(code, above):
    assert ancestors(code) == above


def test_the_day_itself_does_not_count():
    calendar = {FRIDAY + timedelta(days=n): n != 1 for n in range(1, 5)}

    assert count_working_days(FRIDAY, 0, calendar) == FRIDAY
    assert count_working_days(FRIDAY, 1, calendar) == FRIDAY + timedelta(days=2)


def test_counting_stops_where_the_calendar_ends():
    assert count_working_days(FRIDAY, 2, {FRIDAY + timedelta(days=1): True}) is None


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 40))
def test_the_nth_working_day_has_n_working_days_up_to_it(day, n):
    days = [day + timedelta(days=offset) for offset in range(1, 80)]
    calendar = {each: is_weekday(each) for each in days}

    found = count_working_days(day, n, calendar)

    assert found is not None
    assert calendar[found]
    assert sum(calendar[each] for each in days if each <= found) == n
