"""The waiting list over the API: wiring, status, permission, bad input."""

import pytest

from booking.accounts.rules import Role
from booking.reservations import service as reserving
from booking.waiting import jobs
from tests.factories import (
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    slot,
)

pytestmark = pytest.mark.service
API = "/api/v1"
TEN, TWELVE = "2026-11-25T10:00:00+08:00", "2026-11-25T12:00:00+08:00"


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def holder(session):
    return make_caller()


@pytest.fixture
def held(instrument, holder):
    return reserving.reserve(instrument.id, slot(), caller=holder)


@pytest.fixture
def headers(session, bearer):
    return bearer(make_user(make_organisation()))


def ask(client, instrument, headers, **given):
    body = {"instrument_id": instrument.id, "starts_at": TEN, "ends_at": TWELVE, "minutes": 120}
    return client.post(f"{API}/waiting-entries", json=body | given, headers=headers)


def act(client, entry, action, headers, **body):
    path = f"{API}/waiting-entries/{entry['id']}/{action}"
    return client.post(path, json=body, headers=headers)


def test_from_joining_to_a_reservation(client, instrument, held, holder, headers):
    asked = ask(client, instrument, headers, purpose="拉伸")
    assert (asked.status_code, asked.json["standing"], asked.json["place"]) == (201, "waiting", 1)
    assert asked.headers["Location"].endswith(f"/waiting-entries/{asked.json['id']}")
    reserving.cancel(held.id, caller=holder)
    jobs.offer()

    shown = client.get(asked.headers["Location"], headers=headers).json
    assert (shown["standing"], shown["offered"]["starts_at"]) == (
        "offered", "2026-11-25T02:00:00Z",
    )  # fmt: skip
    quote = {"instrument_id": instrument.id, "starts_at": TEN, "ends_at": TWELVE}
    quoted = client.post(f"{API}/quotes", json=quote, headers=headers).json
    assert (shown["price"], shown["refusals"]) == (quoted["price"], [])
    accepted = act(client, shown, "accept", headers, version=shown["version"])

    assert (accepted.status_code, accepted.json["standing"]) == (200, "accepted")
    made = client.get(f"{API}/reservations/{accepted.json['reservation_id']}", headers=headers)
    assert (made.json["status"], made.json["purpose"]) == ("confirmed", "拉伸")
    assert act(client, shown, "accept", headers).json["code"] == "wrong_state"


@pytest.mark.parametrize(("action", "standing"), [("leave", "left"), ("decline", "declined")])
def test_leaving_and_declining(client, instrument, held, holder, headers, action, standing):
    entry = ask(client, instrument, headers).json
    reserving.cancel(held.id, caller=holder)
    jobs.offer()

    assert act(client, entry, action, headers).json["standing"] == standing
    left = client.get(f"{API}/waiting-entries?standing={standing}", headers=headers).json
    assert [each["id"] for each in left["items"]] == [entry["id"]]
    assert left["items"][0]["place"] is None


def test_what_is_free_is_named(client, instrument, headers):
    refused = ask(client, instrument, headers)

    assert (refused.status_code, refused.json["code"]) == (409, "still_free")
    assert refused.json["starts_at"] == "2026-11-25T02:00:00Z"


def test_a_wish_twice_is_refused(client, instrument, held, headers):
    ask(client, instrument, headers)

    assert ask(client, instrument, headers).json["code"] == "already_waiting"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"minutes": 4}, "minutes"),
        ({"minutes": 180}, "minutes"),
        ({"ends_at": TEN}, "ends_at"),
        ({"ends_at": "2027-01-25T12:00:00+08:00"}, "ends_at"),
        ({"starts_at": "2026-11-20T10:00:00+08:00", "ends_at": "2026-11-20T12:00:00+08:00"},
         "ends_at"),
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be(client, instrument, held, headers, given, field):
    refused = ask(client, instrument, headers, **given)

    assert refused.status_code == 422
    assert list(refused.json["errors"]) == [field]


def test_nobody_else_sees_it_and_the_owner_sees_how_many(
    client, instrument, held, owner, headers, bearer
):
    entry = ask(client, instrument, headers).json
    stranger = bearer(make_user(make_organisation()))
    operator = bearer(make_user(owner, Role.OPERATOR))

    for other in (stranger, operator):
        found = client.get(f"{API}/waiting-entries/{entry['id']}", headers=other)
        assert found.status_code == 404
        assert client.get(f"{API}/waiting-entries", headers=other).json["items"] == []
    count = f"{API}/instruments/{instrument.id}/waiting"
    assert client.get(count, headers=operator).json == {"firms": 1}
    assert client.get(count, headers=stranger).status_code == 403


def test_pages_follow_each_other(client, instrument, held, headers):
    for hour in (10, 11):
        reserving_next = f"2026-11-25T{hour}:00:00+08:00"
        until = f"2026-11-25T{hour + 1}:00:00+08:00"
        assert (
            ask(
                client, instrument, headers, starts_at=reserving_next, ends_at=until, minutes=60
            ).status_code
            == 201
        )
    first = client.get(f"{API}/waiting-entries?limit=1", headers=headers).json
    second = client.get(
        f"{API}/waiting-entries?limit=1&cursor={first['next_cursor']}"
        f"&instrument_id={instrument.id}",
        headers=headers,
    ).json

    assert first["items"][0]["id"] > second["items"][0]["id"]
    assert second["next_cursor"] is None
