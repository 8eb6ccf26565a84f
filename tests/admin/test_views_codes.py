"""The operator's pages for the working calendar, regions and categories."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from booking.accounts.rules import OrganisationKind, Role
from booking.journal.models import JournalEntry
from booking.kernel.db import db
from booking.reference import queries, rules, service
from booking.reference.models import CalendarDay
from tests.factories import (
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PAGES = ("/admin/calendar", "/admin/regions", "/admin/categories")
SPRING = "2027-02-06，休，春节\n2027年2月14日,班,春节调休\n2027/2/8\t休\t春节\n\n"


@pytest.fixture
def admin(client):
    platform = make_organisation(kind=OrganisationKind.PLATFORM, uscc=None, name="平台运营")
    user = make_user(platform, Role.ADMIN)
    sign_in(client, user)
    return user


@pytest.fixture
def post(client):
    token = re.search(r'name="form_token"\s+value="(\w+)"', client.get("/log-in").text)[1]

    def send(address, **fields):
        return client.post(address, data={"form_token": token, **fields})

    return send


def led_to(answer):
    return answer.status_code, answer.headers.get("Location")


def day(text):
    return db.session.get(CalendarDay, date.fromisoformat(text), populate_existing=True)


@pytest.mark.parametrize("address", PAGES)
def test_are_for_who_runs_the_platform(client, admin, address):
    assert client.get(address).status_code == 200

    sign_in(client, make_user(make_institution(), Role.MANAGER))

    assert client.get(address).status_code == 403


@pytest.mark.parametrize("address", ["/admin/regions", "/admin/categories"])
def test_take_as_many_queries_for_much_as_for_little(client, admin, address):
    client.get(address)
    with counted() as few:
        client.get(address)
    for region in ("430100", "430200", "430300", "440100"):
        make_instrument(region_code=region)

    with counted() as many:
        client.get(address)

    assert len(many) == len(few)


class TestReading:
    def test_takes_dates_and_words_as_they_are_written(self):
        listed, troubles = rules.read_days(SPRING)

        assert troubles == []
        assert [(each.day.isoformat(), each.is_workday, each.name) for each in listed] == [
            ("2027-02-06", False, "春节"),
            ("2027-02-08", False, "春节"),
            ("2027-02-14", True, "春节调休"),
        ]

    @pytest.mark.parametrize(
        "line",
        [
            "2027-02-30，休",
            "2027-02-06",
            "春节，休",
            "2027-02-06，也许",
            f"2027-02-06，休，{'长' * 51}",
        ],
    )
    def test_names_the_line_that_is_none(self, line):
        listed, [trouble] = rules.read_days(f"2027-01-01，休\n{line}")

        assert "第 2 行" in str(trouble)
        assert len(listed) == 1

    def test_takes_english_words_too(self):
        listed, troubles = rules.read_days("2027-02-06, Off, Spring Festival\n2027-02-14, work")

        assert troubles == []
        assert [each.is_workday for each in listed] == [False, True]

    def test_names_a_day_that_comes_twice(self):
        _, [trouble] = rules.read_days("2027-01-01，休\n2027-01-01，班")

        assert "已经出现过" in str(trouble)

    def test_names_at_most_twenty(self):
        _, troubles = rules.read_days("?\n" * 100)

        assert len(troubles) == 21
        assert "80" in str(troubles[-1])


class TestCalendar:
    def test_shows_a_year_with_what_differs_from_the_week(self, client, admin):
        page = client.get("/admin/calendar?year=2026").text

        assert "248 天" in page
        assert re.search(r"2026-01-04\s+周日.*?上班", page, re.S)
        assert "推定</" not in page

    def test_marks_what_is_provisional(self, client, admin):
        page = client.get("/admin/calendar?year=2027").text

        assert "2027 年还有 365 天是推定的" in page
        assert "2027*" in page

    @pytest.mark.parametrize("year", ["1999", "x", "99999", ""])
    def test_another_year_shows_this_one(self, client, admin, year):
        assert "2026 年</h2>" in client.get(f"/admin/calendar?year={year}").text

    def test_changes_one_day(self, post, admin):
        answer = post("/admin/calendar/day", day="2027-02-14", is_workday="true", name="调休")

        assert led_to(answer) == (303, "/admin/calendar?year=2027")
        changed = day("2027-02-14")
        assert (changed.is_workday, changed.name, changed.provisional) == (True, "调休", False)
        assert changed.source == rules.STAFF

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"day": ""}, "请选择日期。"),
            ({"day": "2027-02-30"}, "日期应类似 2027-02-06。"),
            ({"day": "2050-01-01"}, "2020"),
        ],
    )
    def test_says_what_is_wrong_with_a_day(self, post, admin, given, said):
        answer = post("/admin/calendar/day", is_workday="true", **given)

        assert answer.status_code == 422
        assert said in answer.text

    def test_an_import_is_shown_before_it_is_kept(self, post, admin):
        seen = post("/admin/calendar/import", days=SPRING, announced="yes")
        assert seen.status_code == 200
        assert "将导入下面 3 天，还没有保存" in seen.text
        assert day("2027-02-14").is_workday is False

        kept = post("/admin/calendar/import", days=SPRING, announced="yes", sure="yes")

        assert led_to(kept) == (303, "/admin/calendar?year=2027")
        assert day("2027-02-14").is_workday is True
        assert 2027 not in queries.provisional_years()
        [entry] = db.session.scalars(
            select(JournalEntry).filter_by(action="calendar.imported")
        ).all()
        assert (entry.subject_id, entry.actor_id) == (2027, admin.id)
        assert entry.data["days"]["2027-02-14"] == [True, "春节调休"]

    def test_what_was_announced_stays_when_the_sources_are_read_again(self, post, admin):
        post("/admin/calendar/import", days=SPRING, announced="yes", sure="yes")

        service.seed_days()

        assert day("2027-02-14").is_workday is True
        assert 2027 not in queries.provisional_years()

    def test_without_the_announcement_the_rest_stays_provisional(self, post, admin):
        post("/admin/calendar/import", days=SPRING, sure="yes")

        assert day("2027-02-14").provisional is False
        assert 2027 in queries.provisional_years()

    def test_one_bad_line_keeps_nothing_and_loses_nothing(self, post, admin):
        given = SPRING + "2027-13-01，休"

        answer = post("/admin/calendar/import", days=given, announced="yes", sure="yes")

        assert answer.status_code == 422
        assert "第 5 行" in answer.text
        assert "2027年2月14日,班,春节调休" in answer.text
        assert day("2027-02-14").is_workday is False

    def test_a_year_outside_the_calendar_is_refused(self, post, admin):
        answer = post("/admin/calendar/import", days="2050-01-01，休", sure="yes")

        assert answer.status_code == 422
        assert db.session.get(CalendarDay, date(2050, 1, 1)) is None


class TestCodes:
    def test_regions_count_what_lies_under_them(self, client, admin):
        before = region_row(client, "/admin/regions?q=湖南", "430000")
        make_instrument(region_code="430104")

        after = region_row(client, "/admin/regions?q=湖南", "430000")

        assert after[1] == before[1] + 1

    def test_a_province_opens_to_its_cities(self, client, admin):
        page = client.get("/admin/regions?parent=430000").text

        assert "湖南省 长沙市" in page
        assert "/admin/regions?parent=430100" in page

    @pytest.mark.parametrize("q", ["材料试验机", "020101"])
    def test_categories_are_found_by_word_and_code(self, client, admin, q):
        make_instrument(category_code="020101")

        assert "020101" in client.get("/admin/categories", query_string={"q": q}).text

    @pytest.mark.parametrize("address", ["/admin/regions?q=没有", "/admin/categories?q=没有这种"])
    def test_nothing_found_is_said(self, client, admin, address):
        assert "请输入名称的一部分，或代码的开头。" in client.get(address).text


def region_row(client, address, code):
    page = re.sub(r"<[^>]+>|\s+", " ", client.get(address).text)
    [found] = re.findall(rf"{code}\s[^0-9]+(?:\d{{4}}|—)\s+([\d,]+)\s+([\d,]+)", page)[:1]
    return tuple(int(each.replace(",", "")) for each in found)
