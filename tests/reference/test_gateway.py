"""What the sources of the code lists say, checked against published figures."""

from datetime import date

import holidays
import pytest

from booking.reference import gateway
from booking.reference.rules import HEADINGS, RegionLevel


@pytest.fixture(scope="module")
def current():
    return [unit for unit in gateway.regions() if unit.valid_to is None]


@pytest.fixture(scope="module")
def days():
    return {day.day: day for day in gateway.days(2020, 2028)}


def test_hunan_has_14_cities_and_122_counties(current):
    hunan = [unit for unit in current if unit.code.startswith("43")]

    assert sum(unit.level is RegionLevel.CITY for unit in hunan) == 14
    assert sum(unit.level is RegionLevel.COUNTY for unit in hunan) == 122


def test_xiangxi_is_433100(current):
    assert "湘西土家族苗族自治州" in {unit.name for unit in current if unit.code == "433100"}


def test_china_has_34_provinces_and_each_code_one_current_meaning(current):
    assert sum(unit.level is RegionLevel.PROVINCE for unit in current) == 34
    assert len({unit.code for unit in current}) == len(current)


def test_every_unit_but_a_province_stands_under_one_that_exists():
    units = gateway.regions()
    codes = {unit.code for unit in units}

    assert {u.code for u in units if u.parent_code is None} == {
        u.code for u in units if u.level is RegionLevel.PROVINCE
    }
    assert all(u.parent_code in codes for u in units if u.parent_code)


def test_no_heading_of_the_table_is_a_place():
    assert HEADINGS.isdisjoint(unit.name for unit in gateway.regions())


@pytest.mark.parametrize(
    ("code", "parent"),
    [
        pytest.param("429004", "420000", id="under-its-province"),
        pytest.param("659001", "650000", id="under-its-autonomous-region"),
        pytest.param("110101", "110000", id="in-a-municipality"),
        pytest.param("430104", "430100", id="in-a-city"),
    ],
)
def test_parents_of_counties(current, code, parent):
    assert [unit.parent_code for unit in current if unit.code == code] == [parent]


def test_periods_of_validity_are_kept():
    wangcheng = {u.name: (u.code, u.valid_from, u.valid_to) for u in gateway.regions()}

    assert wangcheng["望城县"] == ("430122", None, 2011)
    assert wangcheng["望城区"] == ("430112", 2011, None)


def test_all_739_categories_have_their_classes():
    codes = gateway.categories()

    assert len(codes) == 739
    assert codes["020000"] == "物理性能测试仪器"
    assert codes["990000"] == "其他仪器"
    assert all(f"{code[:2]}0000" in codes for code in codes if not code.startswith("99"))


def test_industries_are_20_sections_with_97_divisions():
    codes = list(gateway.industries())

    assert [code for code in codes if code.isalpha()] == list("ABCDEFGHIJKLMNOPQRST")
    assert [code for code in codes if code.isdigit()] == [f"{n:02d}" for n in range(1, 98)]


@pytest.mark.parametrize(("year", "worked"), [(2024, 251), (2025, 248), (2026, 248)])
def test_workdays_of_a_year(days, year, worked):
    assert sum(day.is_workday for day in days.values() if day.day.year == year) == worked


def test_every_day_agrees_with_the_package(days):
    china = holidays.country_holidays("CN", years=range(2020, 2029))

    assert [day for day in days if days[day].is_workday != china.is_working_day(day)] == []


def test_a_sunday_in_lieu_is_worked_and_says_so(days):
    sunday = days[date(2026, 1, 4)]

    assert (sunday.is_workday, sunday.name) == (True, "调休上班")


def test_a_holiday_on_a_weekday_is_rest(days):
    assert (days[date(2026, 10, 1)].is_workday, days[date(2026, 10, 1)].name) == (False, "国庆节")


def test_only_years_without_announced_days_in_lieu_are_provisional(days):
    assert not [day for day in days if days[day].provisional and day.year <= 2026]
    assert all(day.provisional for day in gateway.days(2040, 2040))


def test_there_is_no_gap(days):
    assert len(days) == (date(2029, 1, 1) - date(2020, 1, 1)).days
