"""Policies over the API: what is left out is inherited, and anybody may read them."""

import pytest

from booking.accounts.rules import Role
from tests.factories import bearer, make_institution, make_instrument, make_user

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
API = "/api/v1"


@pytest.fixture
def owner():
    return make_institution()


@pytest.fixture
def manager(owner):
    return bearer(make_user(owner, Role.MANAGER))


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


def test_a_policy_goes_in_and_comes_out_whole(client, owner, instrument, manager):
    pump = make_instrument(institution=owner)
    path = f"{API}/instruments/{instrument.id}/policy"
    given = {
        "classes": ["sme", "internal"],
        "gap_minutes": 30,
        "quotas": {"firm_day_hours": 4},
        "night": {"begins": "18:00", "ends": "07:30", "classes": [], "lead_minutes": 60},
        "days_off": None,
        "apart": [{"instrument_id": pump.id, "anybody": True}],
    }

    answer = client.put(path, json=given | {"version": 1}, headers=manager)

    assert answer.status_code == 200, answer.json
    shown = client.get(path).json
    assert shown == answer.json
    assert {name: shown[name] for name in ("classes", "gap_minutes", "quotas")} == {
        name: given[name] for name in ("classes", "gap_minutes", "quotas")
    }
    assert shown["night"] == given["night"] | {"longest_minutes": None}
    assert set(shown["inherits"]) == {name for name in shown if name.endswith("_minutes")} - {
        "gap_minutes"
    } | {"horizon_days", "observes_holidays"}
    assert [(each["instrument_id"], each["pairing"]) for each in shown["pairs"]] == [
        (pump.id, "apart_all")
    ]
    assert "每个单位每天最多预约 4 小时" in shown["summary"]
    stale = client.put(path, json={"version": 1}, headers=manager)
    assert (stale.status_code, stale.json["code"]) == (409, "stale")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"classes": ["nobody"]}, "classes"),
        ({"quotas": {"firm_day_hours": 0}}, "quotas"),
        ({"quotas": {"firm_year_hours": 1}}, "quotas"),
        ({"night": {"begins": "25:00"}}, "night"),
        ({"night": {"ends": "19:00", "begins": "18:00", "classes": []}}, "night"),
        ({"gap_minutes": -1}, "gap_minutes"),
        ({"needs": [2**63]}, "needs"),
        ({"needs": [1], "apart": [{"instrument_id": 1}]}, "apart"),
        ({"unknown": 1}, "unknown"),
        ({"shortest_minutes": 660, "longest_minutes": 660}, "shortest_minutes"),
    ],
)
def test_bad_input_is_named_by_field(client, instrument, manager, given, field):
    answer = client.put(f"{API}/instruments/{instrument.id}/policy", json=given, headers=manager)

    assert answer.status_code == 422, answer.json
    assert field in answer.json["errors"]


def test_defaults_are_read_and_set_by_the_institution(client, owner, instrument, manager):
    path = f"{API}/organisations/{owner.id}/policy"
    assert client.get(path, headers=manager).json["decides"] == []

    answer = client.put(path, json={"gap_minutes": 15}, headers=manager)

    assert (answer.status_code, answer.json["decides"], answer.json["version"]) == (
        200,
        ["gap_minutes"],
        1,
    )
    shown = client.get(f"{API}/instruments/{instrument.id}/policy").json
    assert shown["gap_minutes"] == 15
    stranger = bearer(make_user(make_institution(), Role.MANAGER))
    assert client.put(path, json={}, headers=stranger).status_code == 404
    assert client.get(path, headers=stranger).status_code == 404
    operator = bearer(make_user(owner, Role.OPERATOR))
    assert client.put(path, json={}, headers=operator).status_code == 403


def test_an_instrument_that_takes_no_bookings_has_no_policy(client, owner, manager):
    unopened = make_instrument(institution=owner, schedule=None)

    path = f"{API}/instruments/{unopened.id}/policy"
    assert client.get(path).status_code == 404
    assert client.put(path, json={}, headers=manager).status_code == 404
