"""Authorisations and training over the API: wiring, status, permission, bad input."""

from datetime import datetime

import pytest

from booking.accounts.rules import Role
from booking.authorisations.rules import Operation
from tests.factories import make_institution, make_instrument, make_organisation, make_user

pytestmark = pytest.mark.service
API = "/api/v1"
TEN, TWELVE = "2026-11-25T10:00:00+08:00", "2026-11-25T12:00:00+08:00"


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, schedule={"operation": Operation.AUTHORISED})


@pytest.fixture
def headers(session, bearer):
    return bearer(make_user(make_organisation()))


@pytest.fixture
def operator(owner, bearer):
    return bearer(make_user(owner, Role.OPERATOR))


@pytest.fixture
def asked(client, headers, instrument):
    body = {"instrument_id": instrument.id, "note": "三年经验"}
    answer = client.post(f"{API}/authorisations", json=body, headers=headers)
    assert answer.status_code == 201
    return answer.json


def act(client, asked, action, who, **body):
    path = f"{API}/authorisations/{asked['id']}/{action}"
    return client.post(path, json=body, headers=who)


def test_from_request_to_a_reservation(client, asked, instrument, headers, operator):
    wanted = {"instrument_id": instrument.id, "starts_at": TEN, "ends_at": TWELVE}
    refused = client.post(f"{API}/reservations", json=wanted, headers=headers)
    assert [each["rule"] for each in refused.json["violations"]] == ["authorisation"]

    granted = act(client, asked, "grant", operator, grounds="上岗证", version=1)
    made = client.post(f"{API}/reservations", json=wanted, headers=headers)

    assert (granted.json["standing"], granted.json["valid_until"]) == ("granted", "2027-11-22")
    assert (made.status_code, made.json["is_assisted"]) == (201, False)


def test_assisted_it_needs_none_and_says_so(client, instrument, headers):
    wanted = {"instrument_id": instrument.id, "starts_at": TEN, "ends_at": TWELVE}

    quoted = client.post(f"{API}/quotes", json=wanted | {"is_assisted": True}, headers=headers)

    assert quoted.json["bookable"]
    assert quoted.json["operation"] == "self_operated_authorised"
    assert quoted.json["is_assisted"]


@pytest.mark.parametrize(
    ("action", "body"),
    [("grant", {"grounds": "证"}), ("refuse", {"reason": "不行"}), ("suspend", {"reason": "不行"})],
)
def test_the_person_decides_nothing(client, asked, headers, action, body):
    assert act(client, asked, action, headers, **body).status_code == 403


def test_what_is_others_is_not_there(client, asked, bearer):
    stranger = bearer(make_user(make_organisation()))

    assert client.get(f"{API}/authorisations/{asked['id']}", headers=stranger).status_code == 404
    assert client.get(f"{API}/authorisations", headers=stranger).json["items"] == []


def test_both_sides_list_it(client, asked, owner, headers, operator):
    for who in (headers, operator):
        found = client.get(f"{API}/authorisations?institution={owner.id}", headers=who)
        assert [each["id"] for each in found.json["items"]] == [asked["id"]]


def test_a_second_request_is_told_so(client, asked, instrument, headers):
    again = client.post(
        f"{API}/authorisations", json={"instrument_id": instrument.id}, headers=headers
    )

    assert (again.status_code, again.json["code"]) == (409, "already_asked")


def test_training_from_offer_to_assessment(
    client, owner, instrument, asked, headers, operator, now
):
    offered = client.post(
        f"{API}/institutions/{owner.id}/training-sessions",
        json={
            "instrument_ids": [instrument.id],
            "starts_at": TEN,
            "ends_at": TWELVE,
            "location": "教室",
            "seats": 1,
        },
        headers=operator,
    )
    path = f"{API}/training-sessions/{offered.json['id']}"
    invited = act(client, asked, "invite", operator, session_id=offered.json["id"])
    listed = client.get(f"{API}/training-sessions?instrument={instrument.id}", headers=headers)
    full = client.post(f"{path}/seats", json={}, headers=operator)
    given_up = client.post(f"{path}/give-up", headers=headers)
    seat = client.post(f"{path}/seats", json={}, headers=headers)
    now.set(datetime.fromisoformat(TWELVE))
    body = {"result": "passed", "note": "实操合格"}
    assessed = client.post(f"{path}/seats/{seat.json['id']}/assess", json=body, headers=operator)

    assert (offered.status_code, invited.json["standing"]) == (201, "scheduled")
    assert [each["seats_left"] for each in listed.json["items"]] == [0]
    assert (full.status_code, full.json["code"]) == (409, "session_full")
    assert (given_up.json["seats_left"], seat.status_code) == (1, 201)
    assert assessed.json["result"] == "passed"
    shown = client.get(f"{API}/authorisations/{asked['id']}", headers=headers)
    assert shown.json["standing"] == "granted"


@pytest.mark.parametrize(
    "wrong",
    [
        {"seats": 0},
        {"seats": 201},
        {"instrument_ids": []},
        {"location": ""},
        {"ends_at": TEN},
        {"starts_at": "2026-11-20T10:00:00+08:00"},
    ],
    ids=str,
)
def test_a_session_that_cannot_be_is_refused(client, owner, instrument, operator, wrong):
    body = {
        "instrument_ids": [instrument.id],
        "starts_at": TEN,
        "ends_at": TWELVE,
        "location": "教室",
        "seats": 1,
    }

    answer = client.post(
        f"{API}/institutions/{owner.id}/training-sessions", json=body | wrong, headers=operator
    )

    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")


def test_how_an_instrument_is_used_is_set_by_who_runs_it(client, instrument, headers, operator):
    path = f"{API}/instruments/{instrument.id}/operation"

    assert client.put(path, json={"operation": "either"}, headers=headers).status_code == 403
    assert client.put(path, json={"operation": "sometimes"}, headers=operator).status_code == 422
    assert (
        client.put(path, json={"operation": "assisted_only"}, headers=operator).status_code == 200
    )
    assert client.get(path).json["operation"] == "assisted_only"
