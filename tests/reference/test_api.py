"""Code lists for everybody, the calendar's editing for administrators."""

from datetime import date
from importlib.metadata import version

import pytest

from booking.accounts.models import User
from booking.accounts.rules import Scope
from booking.reference.models import CalendarDay
from tests.factories import make_admin, make_organisation, make_user

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

DAY = "/api/v1/calendar-days/2026-11-23"
CLOSED = {"is_workday": False, "name": "停电检修"}


@pytest.fixture
def admin(session, bearer):
    return bearer(session.get(User, make_admin().user_id))


def test_children_of_a_region_carry_their_full_names(client):
    answer = client.get("/api/v1/regions?parent=430100&limit=3")

    assert answer.status_code == 200
    assert answer.json["items"][0] == {
        "code": "430102",
        "name": "芙蓉区",
        "full_name": "湖南省 长沙市 芙蓉区",
        "level": "county",
        "parent_code": "430100",
        "valid_from": 1996,
        "valid_to": None,
    }
    assert answer.json["next_cursor"]


def test_one_region_is_shown(client):
    assert client.get("/api/v1/regions/433100").json["name"] == "湘西土家族苗族自治州"


@pytest.mark.parametrize("code", ["431400", "43", "x", "430101", "4" * 500, "%00"])
def test_what_is_no_region_is_404(client, code):
    assert client.get(f"/api/v1/regions/{code}").status_code == 404


def test_categories_and_industries_are_listed(client):
    categories = client.get("/api/v1/categories?prefix=0101&q=透射").json["items"]
    industries = client.get("/api/v1/industries").json["items"]

    assert categories == [{"scheme": "nrii", "code": "010101", "name": "透射电镜"}]
    assert len(industries) == 117


def test_days_are_listed_with_their_source(client):
    answer = client.get("/api/v1/calendar-days?from=2026-01-04&to=2026-01-04")

    assert answer.json["items"] == [
        {
            "day": "2026-01-04",
            "is_workday": True,
            "name": "调休上班",
            "source": f"holidays {version('holidays')}",
            "provisional": False,
        }
    ]


@pytest.mark.parametrize(
    "query",
    [
        "regions?parent=43",
        "regions?parent=43%2000",
        "regions?limit=201",
        "regions?cursor=nonsense",
        "regions?colour=red",
        "categories?prefix=abc",
        "calendar-days",
        "calendar-days?from=2026-01-01",
        "calendar-days?from=2026-01-02&to=2026-01-01",
        "calendar-days?from=2026-01-01&to=2027-02-05",
        "calendar-days?from=0001-01-01&to=9999-12-31",
        "calendar-days?from=2026-13-01&to=2026-01-01",
    ],
)
def test_unusable_filters_are_422(client, query):
    assert client.get(f"/api/v1/{query}").status_code == 422


def test_400_days_are_allowed(client):
    assert client.get("/api/v1/calendar-days?from=2026-01-01&to=2027-02-04").status_code == 200


def test_code_lists_may_be_cached_and_refusals_not(client):
    assert client.get("/api/v1/regions").headers["Cache-Control"] == "public, max-age=300"
    assert "public" not in client.get("/api/v1/regions/431400").headers["Cache-Control"]


def test_an_administrator_sets_a_day(client, admin, session):
    answer = client.put(DAY, json=CLOSED, headers=admin)

    assert answer.status_code == 200
    assert answer.json["source"] == "staff"
    session.expire_all()
    assert not session.get(CalendarDay, date(2026, 11, 23)).is_workday


def test_nobody_else_sets_a_day(client, bearer):
    manager = make_user(make_organisation(), "manager")

    assert client.put(DAY, json=CLOSED).status_code == 401
    assert client.put(DAY, json=CLOSED, headers=bearer(manager)).status_code == 403


def test_a_token_without_the_scope_sets_no_day(client, session, bearer):
    admin = session.get(User, make_admin().user_id)

    assert client.put(DAY, json=CLOSED, headers=bearer(admin, Scope.READ)).status_code == 403


@pytest.mark.parametrize(
    "body",
    [{}, {"is_workday": "yes"}, {"is_workday": 1}, {"is_workday": True, "source": "staff"}],
)
def test_an_unusable_body_is_422(client, admin, body):
    assert client.put(DAY, json=body, headers=admin).status_code == 422


@pytest.mark.parametrize("day", ["2026-2-30", "20261123", "2026-W48-1", "tomorrow", "2026-02-30"])
def test_what_is_no_day_is_404(client, admin, day):
    assert client.put(f"/api/v1/calendar-days/{day}", json=CLOSED, headers=admin).status_code == 404


def test_a_day_outside_the_calendar_is_refused(client, admin):
    answer = client.put("/api/v1/calendar-days/2031-01-01", json=CLOSED, headers=admin)

    assert (answer.status_code, answer.json["code"]) == (422, "day_outside_calendar")
