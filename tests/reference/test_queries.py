"""Reading the code lists and the calendar as they stand on a day."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, update

from booking.kernel.errors import NotFound
from booking.reference import queries
from booking.reference.models import CalendarDay, Region
from booking.reference.rules import RegionLevel
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


def listed(**given):
    return queries.list_regions(limit=200, cursor=None, **given).items


def test_a_code_means_what_it_meant_on_the_day():
    assert queries.get_region("430102", date(1990, 1, 1)).name == "东区"
    assert queries.get_region("430102").name == "芙蓉区"


def test_in_the_year_of_a_change_the_newer_meaning_wins(session):
    session.add(Region(code="439999", name="旧县", level="county", valid_to=2026))
    session.add(Region(code="439999", name="新区", level="county", valid_from=2026))
    session.flush()

    assert queries.get_region("439999").name == "新区"
    assert queries.get_region("439999", date(2025, 1, 1)).name == "旧县"


@pytest.mark.parametrize("code", ["430122", "431400", "430101", "", "'"])
def test_codes_that_mean_nothing_today_are_not_found(code):
    assert not queries.region_exists(code)
    with pytest.raises(NotFound):
        queries.get_region(code)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        pytest.param("430104", "湖南省 长沙市 岳麓区", id="county"),
        pytest.param("433100", "湖南省 湘西土家族苗族自治州", id="city"),
        pytest.param("430000", "湖南省", id="province"),
        pytest.param("429004", "湖北省 仙桃市", id="under-its-province"),
        pytest.param("110101", "北京市 东城区", id="in-a-municipality"),
        pytest.param("430122", "湖南省 长沙市 望城县", id="no-longer-valid"),
        pytest.param("439876", None, id="never-valid"),
    ],
)
def test_a_place_in_full(code, name):
    assert queries.region_name(code) == name


def test_many_names_cost_one_query():
    with counted() as statements:
        names = queries.region_names(["430104", "430111", "430200"])

    assert names == {
        "430104": "湖南省 长沙市 岳麓区",
        "430111": "湖南省 长沙市 雨花区",
        "430200": "湖南省 株洲市",
    }
    assert len(statements) == 1


def test_without_a_filter_the_provinces_are_listed():
    assert len(listed()) == 34
    assert {region.level for region in listed()} == {RegionLevel.PROVINCE}


def test_children_are_those_of_today():
    assert len(listed(parent="430000")) == 14
    assert {"宁乡市", "望城区"} <= {region.name for region in listed(parent="430100")}
    assert "望城县" not in {region.name for region in listed(parent="430100")}


def test_regions_are_found_by_part_of_the_name_or_code():
    assert [region.code for region in listed(q="岳麓")] == ["430104"]
    assert {region.code[:4] for region in listed(q="4301")} == {"4301"}


def test_a_wildcard_is_an_ordinary_character():
    assert listed(q="%") == []
    assert listed(q="_") == []


def test_regions_come_in_pages_without_gap_or_repetition():
    seen, cursor = [], None
    while True:
        page = queries.list_regions(limit=5, cursor=cursor, parent="430000")
        seen += [region.code for region in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == sorted(set(seen))
    assert len(seen) == 14


def test_categories_are_filtered_by_prefix_and_name():
    found = queries.list_categories(limit=200, cursor=None, prefix="0101", q="电镜").items

    assert [category.code for category in found][:2] == ["010101", "010102"]


def test_categories_come_in_pages():
    first = queries.list_categories(limit=2, cursor=None, prefix="0101")
    second = queries.list_categories(limit=2, cursor=first.next_cursor, prefix="0101")

    assert [c.code for c in first.items] == ["010100", "010101"]
    assert second.items[0].code == "010102"


def test_a_category_and_an_industry_are_found_by_code():
    assert queries.find_category("010102").name == "扫描电镜"
    assert queries.find_category("010199999") is None
    assert queries.find_industry("34").name == "通用设备制造业"
    assert queries.find_industry("98") is None


def test_sections_come_before_their_divisions():
    codes = [industry.code for industry in queries.list_industries()]

    assert codes[:3] == ["A", "01", "02"]
    assert codes[-2:] == ["T", "97"]


def test_workdays_know_the_days_in_lieu():
    week = queries.workdays(date(2026, 1, 1), date(2026, 1, 5))

    assert list(week.values()) == [False, False, False, True, True]


def test_workdays_beyond_the_calendar_are_weekdays():
    week = queries.workdays(date(2041, 1, 4), date(2041, 1, 7))

    assert list(week.values()) == [True, False, False, True]


@pytest.mark.parametrize(
    ("day", "n", "due"),
    [
        pytest.param(date(2026, 11, 23), 0, date(2026, 11, 23), id="same-day"),
        pytest.param(date(2026, 11, 27), 1, date(2026, 11, 30), id="over-a-weekend"),
        pytest.param(date(2026, 9, 30), 1, date(2026, 10, 8), id="over-the-golden-week"),
        pytest.param(date(2026, 10, 8), 2, date(2026, 10, 10), id="a-worked-saturday-counts"),
    ],
)
def test_working_days_are_counted_by_the_calendar(day, n, due):
    assert queries.add_working_days(day, n) == due


def test_counting_goes_on_when_a_whole_season_is_off(session):
    session.execute(delete(CalendarDay))
    first = date(2026, 11, 24)
    session.add_all(
        CalendarDay(day=first + timedelta(days=n), is_workday=False, source="staff")
        for n in range(100)
    )
    session.flush()

    assert queries.add_working_days(date(2026, 11, 23), 1) == date(2027, 3, 4)


def test_working_days_are_not_counted_backwards():
    with pytest.raises(ValueError, match="forward"):
        queries.add_working_days(date(2026, 11, 23), -1)


def test_provisional_years_are_those_without_a_notice(session):
    session.execute(update(CalendarDay).values(provisional=CalendarDay.day >= date(2027, 1, 1)))
    session.execute(delete(CalendarDay).where(CalendarDay.day > date(2028, 12, 31)))

    assert queries.provisional_years() == [2027, 2028]
