"""Approval over the API: wiring, status, permission, bad input."""

from datetime import datetime

import pytest

from booking.accounts.rules import Role
from booking.availability.rules import ApprovalMode
from tests.factories import make_institution, make_instrument, make_organisation, make_user

pytestmark = pytest.mark.service
API = "/api/v1"
TEN, TWELVE = "2026-11-25T10:00:00+08:00", "2026-11-25T12:00:00+08:00"


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, schedule={"approval_mode": ApprovalMode.ALWAYS})


@pytest.fixture
def headers(session, bearer):
    return bearer(make_user(make_organisation()))


@pytest.fixture
def operator(owner, bearer):
    return bearer(make_user(owner, Role.OPERATOR))


@pytest.fixture
def wanted(instrument):
    return {"instrument_id": instrument.id, "starts_at": TEN, "ends_at": TWELVE}


@pytest.fixture
def asked(client, headers, wanted):
    return client.post(f"{API}/reservations", json=wanted, headers=headers).json


def test_a_quote_says_that_it_needs_approval_and_until_when_it_would_be_held(
    client, headers, wanted
):
    quoted = client.post(f"{API}/quotes", json=wanted, headers=headers).json

    assert quoted["bookable"]
    assert quoted["approval"] == {
        "needed": True,
        "reasons": ["always"],
        "expires_at": "2026-11-23T09:00:00Z",
    }


def test_a_reservation_that_waits_says_so(asked):
    assert (asked["status"], asked["expires_at"]) == ("tentative", "2026-11-23T09:00:00Z")
    assert asked["approval_reasons"] == ["always"]


def test_it_is_approved(client, asked, operator):
    path = f"{API}/reservations/{asked['id']}/approve"
    answer = client.post(path, json={"note": "请带夹具", "version": 1}, headers=operator)

    assert answer.status_code == 200
    assert answer.json["status"] == "confirmed"
    assert (answer.json["decision_note"], answer.json["expires_at"]) == ("请带夹具", None)


def test_it_is_declined_with_a_reason(client, asked, operator):
    path = f"{API}/reservations/{asked['id']}/decline"

    assert client.post(path, json={}, headers=operator).status_code == 422
    answer = client.post(path, json={"reason": "没有夹具"}, headers=operator)
    assert (answer.status_code, answer.json["status"]) == (200, "declined")


@pytest.mark.parametrize("action", ["approve", "decline"])
def test_the_firm_decides_nothing(client, asked, headers, action):
    given = {"reason": "x"} if action == "decline" else {}
    path = f"{API}/reservations/{asked['id']}/{action}"

    assert client.post(path, json=given, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("moment", "version", "status", "code"),
    [
        pytest.param(None, 7, 409, "stale", id="older-version"),
        pytest.param("2026-11-23T17:00:00+08:00", 1, 409, "hold_expired", id="too-late"),
    ],
)
def test_what_cannot_be_approved_is_refused(
    client, asked, operator, now, moment, version, status, code
):
    if moment:
        now.set(datetime.fromisoformat(moment))
    path = f"{API}/reservations/{asked['id']}/approve"

    answer = client.post(path, json={"version": version}, headers=operator)

    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_second_approval_is_wrong_state_and_a_repeated_one_replays(client, asked, operator):
    path = f"{API}/reservations/{asked['id']}/approve"
    once = operator | {"Idempotency-Key": "approve-1"}

    first = client.post(path, json={}, headers=once)
    again = client.post(path, json={}, headers=once)
    other = client.post(path, json={}, headers=operator)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json == first.json
    assert (other.status_code, other.json["code"]) == (409, "wrong_state")


class TestRule:
    def test_it_is_read_by_everybody_and_set_by_who_runs_the_instrument(
        self, client, instrument, operator, headers
    ):
        path = f"{API}/instruments/{instrument.id}/approval"
        rule = {
            "mode": "none",
            "over_minutes": 480,
            "over_price": {"amount": "5000.00", "currency": "CNY"},
            "hold_working_hours": 16,
        }

        assert client.put(path, json=rule, headers=headers).status_code == 403
        answer = client.put(path, json=rule, headers=operator)

        assert answer.status_code == 200
        shown = client.get(path).json
        assert {name: shown[name] for name in rule} == rule

    @pytest.mark.parametrize(
        "wrong",
        [
            {"mode": "sometimes"},
            {"over_minutes": 0},
            {"over_price": {"amount": "-1", "currency": "CNY"}},
            {"hold_working_hours": 0},
            {"hold_working_hours": 81},
            {"unknown": 1},
        ],
        ids=str,
    )
    def test_what_cannot_be_is_refused(self, client, instrument, operator, wrong):
        path = f"{API}/instruments/{instrument.id}/approval"

        answer = client.put(path, json={"mode": "none"} | wrong, headers=operator)

        assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")

    def test_without_a_schedule_there_is_none(self, client, owner, operator):
        closed = make_instrument(institution=owner, schedule=None)

        assert client.get(f"{API}/instruments/{closed.id}/approval").status_code == 404
