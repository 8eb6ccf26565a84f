"""From a slot that is taken to a place in the queue, and with one tap to a reservation."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.accounts.models import Membership
from booking.accounts.rules import Role
from booking.kernel.db import db
from booking.registry.models import RunningState
from booking.reservations import service as reserving
from booking.waiting import jobs
from booking.waiting.models import WaitingEntry
from tests.conftest import MONDAY_9
from tests.factories import (
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
WISH = {"starts_at": "2026-11-25T10:00", "ends_at": "2026-11-25T12:00", "minutes": "120"}


@pytest.fixture
def owner():
    return make_institution()


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def holder():
    return make_caller()


@pytest.fixture
def held(instrument, holder):
    return reserving.reserve(instrument.id, slot(), caller=holder)


@pytest.fixture
def signed_in(client):
    firm = make_organisation()
    user = make_user(firm, Role.MANAGER)
    sign_in(client, user)
    return caller_of(user, (firm, Role.MANAGER))


def post(client, path, where="/account", **fields):
    token = re.search(r'name="form_token"\s+value="([^"]+)"', client.get(where).text)[1]
    return client.post(path, data=fields | {"form_token": token})


def join(client, instrument, **given):
    path = f"/instruments/{instrument.id}/waiting"
    return post(client, path, path, **(WISH | given))


def answer(client, action):
    """Press the button on the page as it is shown."""
    page = client.get("/waiting-list").text
    path = re.search(rf'action="(/waiting-list/\d+/{action})"', page)[1]
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    return post(client, path, "/waiting-list", version=version)


def test_what_was_wished_is_taken_over_from_the_slot_that_is_taken(
    client, instrument, held, signed_in
):
    path = f"/instruments/{instrument.id}?minutes=120&start=2026-11-25T10:00"
    token = re.search(r'name="form_token"\s+value="([^"]+)"', client.get(path).text)[1]
    refused = client.post(
        f"/instruments/{instrument.id}/reserve",
        data={"form_token": token, "minutes": "120", "start": "2026-11-25T10:00", "purpose": "弯"},
    )
    link = re.search(r'href="(/instruments/\d+/waiting[^"]+)"', refused.text)[1]

    page = client.get(link.replace("&amp;", "&")).text
    for typed in (*WISH.values(), "弯"):
        assert f'value="{typed}"' in page


def test_joining_shows_the_place(client, instrument, held, signed_in):
    assert join(client, instrument).headers["Location"] == "/waiting-list"

    page = client.get("/waiting-list").text
    assert "候补第 1 位" in page
    assert "已加入候补" in page


def test_a_free_slot_is_named_instead(client, instrument, signed_in):
    page = join(client, instrument)

    assert page.status_code == 409
    assert f"/instruments/{instrument.id}?minutes=120&amp;start=2026-11-25T10:00" in page.text


@pytest.mark.parametrize(
    "given", [{"minutes": ""}, {"ends_at": "2026-11-25T09:00"}, {"starts_at": "morgen"}]
)
def test_what_cannot_be_meant_is_said_beside_its_field(client, instrument, held, signed_in, given):
    page = join(client, instrument, **given)

    assert page.status_code == 422
    assert "有 1 处需要修改" in page.text


def test_an_address_without_sense_shows_a_form_all_the_same(client, instrument, signed_in):
    page = client.get(f"/instruments/{instrument.id}/waiting?starts_at=x&minutes=x")

    assert 'value="2026-11-24T09:00"' in page.text


def test_one_tap_accepts(client, instrument, held, holder, signed_in):
    join(client, instrument)
    reserving.cancel(held.id, caller=holder)
    jobs.offer()
    assert "候补到位，待您确认" in client.get("/waiting-list").text

    done = answer(client, "accept")

    assert re.fullmatch(r"/reservations/\d+/made", done.headers["Location"])
    assert "预约成功" in client.get(done.headers["Location"]).text


@pytest.mark.parametrize(("action", "words"), [("decline", "已放弃"), ("leave", "已退出候补")])
def test_what_is_not_wanted_any_more_ends(
    client, instrument, held, holder, signed_in, action, words
):
    join(client, instrument)
    if action == "decline":
        reserving.cancel(held.id, caller=holder)
        jobs.offer()

    assert answer(client, action).headers["Location"] == "/waiting-list"
    assert words in client.get("/waiting-list").text


def test_what_an_offer_costs_and_what_would_refuse_it_is_said(
    client, instrument, held, holder, signed_in
):
    join(client, instrument)
    reserving.cancel(held.id, caller=holder)
    jobs.offer()
    assert re.search(r"(288|360)\.00", client.get("/waiting-list").text)

    instrument.running_state = RunningState.REPAIR
    db.session.flush()

    page = client.get("/waiting-list").text
    assert "现在还不能确认" in page
    assert "目前停用" in page


def test_too_late_is_said_on_the_list(client, instrument, held, holder, signed_in, now):
    join(client, instrument)
    reserving.cancel(held.id, caller=holder)
    jobs.offer()
    page = client.get("/waiting-list").text
    path = re.search(r'action="(/waiting-list/\d+/accept)"', page)[1]
    now.set(MONDAY_9 + timedelta(hours=5))

    late = post(client, path, "/waiting-list", version="2")

    assert late.status_code == 409
    assert "已过确认期限" in late.text


def test_the_owner_sees_how_many_wait_and_that_time_is_held(
    client, owner, instrument, held, holder, signed_in
):
    join(client, instrument)
    reserving.cancel(held.id, caller=holder)
    jobs.offer()
    sign_in(client, make_user(owner, Role.OPERATOR))

    board = client.get("/institution/today?day=2026-11-25").text
    assert "1 家在候补" in board
    assert "为候补保留" in board
    assert "停用 0 台" in board


def test_what_else_was_chosen_goes_along(client, instrument, held, signed_in):
    page = client.get(f"/instruments/{instrument.id}/waiting?samples=5&assisted=1").text
    assert 'name="samples" value="5"' in page
    join(client, instrument, samples="5", assisted="1")

    entry = db.session.scalars(select(WaitingEntry)).one()
    assert (entry.samples, entry.is_assisted) == (5, True)


def test_who_acts_for_two_firms_joins_for_the_one_named(client, instrument, held):
    firms = [make_organisation(), make_organisation()]
    user = make_user(firms[0], Role.MANAGER)
    db.session.add(Membership(user_id=user.id, organisation_id=firms[1].id, role=Role.MANAGER))
    sign_in(client, user)

    join(client, instrument, organisation=str(firms[1].id))

    assert db.session.scalars(select(WaitingEntry)).one().organisation_id == firms[1].id
