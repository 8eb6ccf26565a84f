"""The address of an instrument that its institution has withdrawn."""

import pytest

from booking.accounts.rules import Role
from booking.registry.models import Publication
from tests.factories import make_institution, make_instrument, make_user, sign_in

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

CHOSEN = "minutes=120&start=2026-11-25T10:00&purpose=拉伸"


@pytest.fixture
def institution():
    return make_institution(name="湖南省计量院")


@pytest.fixture
def gone(institution):
    return make_instrument(institution=institution, publication=Publication.WITHDRAWN)


@pytest.fixture
def withdrawn(gone, session):
    gone.published_at = gone.created_at
    session.flush()
    return gone


def test_says_who_withdrew_it_and_offers_equal_ones_at_the_wanted_time(client, withdrawn):
    equal = make_instrument(name="另一台试验机")
    make_instrument(name="别处的试验机", region_code="430200")

    answer = client.get(f"/instruments/{withdrawn.id}?{CHOSEN}")

    assert answer.status_code == 410
    named = "<bdi>湖南省计量院</bdi> 不再开放“<bdi>电子万能试验机</bdi>”的在线预约。"
    assert named in answer.text
    assert "已有的预约不受影响" in answer.text
    assert f"/instruments/{equal.id}?start=2026-11-25T10:00&amp;minutes=120" in answer.text
    assert "purpose=%E6%8B%89%E4%BC%B8" in answer.text
    assert "别处的试验机" not in answer.text
    assert "刚才的时段没有预约成功" not in answer.text


def test_withdrawn_between_look_and_confirm_nothing_is_booked(client, withdrawn):
    answer = client.post(f"/instruments/{withdrawn.id}/reserve", data={"purpose": "拉伸"})

    assert answer.status_code == 410
    assert "刚才的时段没有预约成功。" in answer.text


@pytest.mark.parametrize(
    "query", ["start=x", "start=0001-01-01T00:00", "start=9999-12-31T23:59", "minutes=0", "start="]
)
def test_a_nonsense_slot_is_no_hindrance(client, withdrawn, query):
    make_instrument(name="另一台试验机")

    answer = client.get(f"/instruments/{withdrawn.id}?{query}")

    assert answer.status_code == 410
    assert "另一台试验机" in answer.text


def test_its_own_institution_still_sees_it(client, institution, withdrawn):
    sign_in(client, make_user(institution, Role.MANAGER))

    assert client.get(f"/instruments/{withdrawn.id}").status_code == 200


def test_one_that_never_was_public_is_not_found(client, gone):
    assert client.get(f"/instruments/{gone.id}").status_code == 404


def test_a_program_gets_problem_details(client, withdrawn):
    answer = client.get(f"/instruments/{withdrawn.id}", headers={"Accept": "application/json"})

    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
