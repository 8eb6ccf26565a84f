"""Pages for subscribing: an address is shown once, and only to whom it belongs."""

import re

import pytest
from icalendar import Calendar

from booking.accounts.rules import Role
from booking.reservations import service as reservations
from tests.factories import (
    WEDNESDAY_10,
    caller_of,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def firm():
    return make_organisation(name="长沙精工机械有限公司")


@pytest.fixture
def me(client, firm):
    user = make_user(firm, Role.MANAGER)
    sign_in(client, user)
    return caller_of(user, (firm, Role.MANAGER))


def post(client, path, **given):
    page = client.get("/calendars").text
    token = re.search(r'name="form_token"\s+value="([^"]+)"', page)[1]
    once = re.search(r'name="once"\s+value="([^"]+)"', page)[1]
    return client.post(path, data={"form_token": token, "once": once} | given)


def address_in(page):
    return re.search(r"webcal:(//[^\"]+[.]ics)", page.text)[1]


def path_of(address):
    return "/calendars" + address.partition("/calendars")[2]


def test_an_instrument_s_page_shows_its_address_as_letters_code_and_link(client):
    instrument = make_instrument(name="电子万能试验机")

    page = client.get(f"/calendars/instruments/{instrument.id}")

    assert path_of(address_in(page)) == f"/calendars/instruments/{instrument.id}.ics"
    assert f'data-copy="http:{address_in(page)}"' in page.text
    assert "二维码" in page.text


def test_an_instrument_nobody_may_see_has_no_page(client):
    assert client.get("/calendars/instruments/999999").status_code == 404


def test_strangers_are_shown_the_way_to_log_in_and_back(client):
    answer = client.get("/calendars")

    assert answer.status_code == 401
    assert re.search(r'name="next"\s+value="/calendars"', answer.text)


def test_a_new_address_works_and_is_shown_this_once(client, me):
    reservations.reserve(make_instrument().id, slot(hours=1), caller=me)

    made = post(client, "/calendars", calendar="user", name="我的手机")

    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    found = client.get(path_of(address_in(made)))
    assert len(Calendar.from_ical(found.data).walk("VEVENT")) == 1
    later = client.get("/calendars").text
    assert "我的手机" in later
    assert ".ics" not in later


@pytest.mark.usefixtures("me")
def test_the_same_form_sent_again_makes_no_second_address(client, session):
    page = client.get("/calendars").text
    data = {
        "form_token": re.search(r'name="form_token"\s+value="([^"]+)"', page)[1],
        "once": "a-form-of-its-own",
        "calendar": "user",
    }

    first, again = client.post("/calendars", data=data), client.post("/calendars", data=data)

    assert (first.status_code, again.status_code) == (201, 303)
    assert client.get("/calendars").text.count("停用 我自己的预约") == 1


def test_a_manager_gets_the_calendar_of_the_whole_organisation(client, me, firm):
    colleague = make_caller(firm, Role.MEMBER)
    reservations.reserve(make_instrument().id, slot(hours=1), caller=colleague)

    made = post(client, "/calendars", calendar=f"enterprise:{firm.id}")

    found = client.get(path_of(address_in(made)))
    assert len(Calendar.from_ical(found.data).walk("VEVENT")) == 1


@pytest.mark.usefixtures("me")
def test_another_organisation_s_calendar_is_refused(client):
    stranger = make_organisation(name="湘潭新材料科技有限公司")

    refused = post(client, "/calendars", calendar=f"enterprise:{stranger.id}", name="别家")

    assert refused.status_code in (403, 404)
    assert "webcal:" not in refused.text


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize("whose", ["", "nobody", "user:x", "enterprise:٣"])
def test_a_choice_that_is_none_is_refused_and_the_name_stays(client, whose):
    refused = post(client, "/calendars", calendar=whose, name="我的手机")

    assert refused.status_code == 422
    assert 'value="我的手机"' in refused.text


@pytest.mark.usefixtures("me")
def test_a_stopped_address_is_gone_at_once(client):
    made = post(client, "/calendars", calendar="user")
    revoke = re.search(r'action="(/calendars/\d+/revoke)"', made.text)[1]

    answer = post(client, revoke)

    assert answer.status_code == 303
    assert client.get(path_of(address_in(made))).status_code == 404


def test_one_reservation_is_a_file_for_one_s_own_calendar(client, me):
    made = reservations.reserve(make_instrument().id, slot(hours=1), caller=me)

    found = client.get(f"/calendars/reservations/{made.id}.ics")

    [event] = Calendar.from_ical(found.data).walk("VEVENT")
    assert event.decoded("DTSTART") == WEDNESDAY_10
    assert f'filename="{made.number}.ics"' in found.headers["Content-Disposition"]


@pytest.mark.usefixtures("me")
def test_another_firm_s_reservation_is_no_file(client):
    stranger = make_caller(make_organisation(name="湘潭新材料科技有限公司"), Role.MANAGER)
    theirs = reservations.reserve(make_instrument().id, slot(hours=1), caller=stranger)

    assert client.get(f"/calendars/reservations/{theirs.id}.ics").status_code == 404


def test_the_institution_s_file_names_the_customer(client):
    institution = make_institution()
    instrument = make_instrument(institution=institution)
    firm = make_organisation(name="长沙精工机械有限公司")
    made = reservations.reserve(
        instrument.id, slot(hours=1), caller=make_caller(firm, Role.MANAGER)
    )
    sign_in(client, make_user(institution, Role.MANAGER))

    found = client.get(f"/calendars/reservations/{made.id}.ics")

    assert "长沙精工机械有限公司" in Calendar.from_ical(found.data).to_ical().decode()
