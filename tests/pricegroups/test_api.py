"""Finer classes over the API: for the owner's people; a firm sees its own in quotes and lists."""

import pytest

from booking.accounts.rules import Role
from tests.factories import (
    bearer,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

AT = "/api/v1/price-groups"


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def manager(owner):
    return bearer(make_user(owner, Role.MANAGER))


@pytest.fixture
def firm(session):
    return make_organisation()


@pytest.fixture
def buyer(firm):
    return bearer(make_user(firm))


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


def create(client, owner, manager, **given):
    body = {
        "institution_id": owner.id,
        "base_class": "sme",
        "name": "园区企业",
        "percent": "25",
        "reason": "园区合作协议〔2026〕3 号",
    }
    return client.post(AT, json=body | given, headers=manager)


def test_it_is_defined_filled_changed_and_ended(client, owner, manager, firm, instrument):
    own = [{"instrument_id": instrument.id, "percent": "30"}]
    made = create(client, owner, manager, instruments=own)
    assert made.status_code == 201, made.json
    at = made.headers["Location"]
    assert made.json["terms"]["instruments"] == own

    added = client.post(f"{at}/members", json={"uscc": firm.uscc}, headers=manager)
    assert (added.status_code, added.json["organisation_id"]) == (201, firm.id)
    again = client.post(f"{at}/members", json={"uscc": firm.uscc}, headers=manager)
    assert (again.status_code, again.json["code"]) == (409, "price_group_member")

    body = {"name": "园区企业", "percent": "35", "reason": "补充协议", "version": 2}
    changed = client.post(f"{at}/versions", json=body, headers=manager)
    assert changed.json["terms"]["percent"] == "35"
    assert len(client.get(f"{at}/versions", headers=manager).json["items"]) == 2

    (member,) = client.get(f"{at}/members", headers=manager).json["items"]
    gone = client.post(f"{at}/members/{member['id']}/remove", json={}, headers=manager)
    assert gone.json["until"] is not None
    assert client.post(f"{at}/withdraw", json={}, headers=manager).status_code == 409
    assert client.post(f"{at}/end", json={}, headers=manager).json["is_in_force"] is False
    assert client.get(AT, headers=manager).json["items"][0]["id"] == made.json["id"]


def test_others_do_not_see_it(client, owner, manager, buyer):
    at = create(client, owner, manager).headers["Location"]

    for path in ("", "/versions", "/members"):
        assert client.get(at + path, headers=buyer).status_code == 404
    assert client.get(AT, headers=buyer).json["items"] == []
    operator = bearer(make_user(owner, Role.OPERATOR))
    assert client.get(at, headers=operator).status_code == 200
    assert client.post(f"{at}/end", json={}, headers=operator).status_code == 403


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"base_class": "internal"}, "base_class"),
        ({"percent": "101"}, "percent"),
        ({"reason": ""}, "reason"),
        ({"instruments": [{"instrument_id": 10**9, "percent": "1"}]}, "instruments"),
        ({"instruments": [{"instrument_id": 1, "percent": "1"}] * 2}, "instruments"),
    ],
)
def test_what_cannot_be_is_named(client, owner, manager, given, field):
    refused = create(client, owner, manager, **given)

    assert refused.status_code == 422
    assert field in refused.json["errors"]


def test_the_firm_sees_its_own_class_in_quotes_and_lists(
    client, owner, manager, firm, buyer, instrument
):
    at = create(client, owner, manager).headers["Location"]
    client.post(f"{at}/members", json={"uscc": firm.uscc}, headers=manager)
    when = slot()
    body = {
        "instrument_id": instrument.id,
        "starts_at": when.starts_at.isoformat(),
        "ends_at": when.ends_at.isoformat(),
    }

    quote = client.post("/api/v1/quotes", json=body, headers=buyer).json
    (listed,) = client.get("/api/v1/instruments?sort=price", headers=buyer).json["items"]
    stranger = bearer(make_user(make_organisation()))
    (others,) = client.get("/api/v1/instruments", headers=stranger).json["items"]

    assert quote["price_group"] == {
        "id": int(at.rpartition("/")[2]),
        "name": "园区企业",
        "percent": "25",
        "reason": "园区合作协议〔2026〕3 号",
    }
    assert (quote["price"]["amount"], quote["baseline"]["amount"]["amount"]) == ("270.00", "360.00")
    assert listed["due_per_hour"]["amount"] == "135.00"
    assert listed["price_group"]["name"] == "园区企业"
    assert (others["due_per_hour"]["amount"], others["price_group"]) == ("144.00", None)


def test_lists_are_limited_and_ordered_by_what_the_firm_pays(
    client, owner, manager, firm, buyer, instrument
):
    cheaper = make_instrument(price=17000)  # 136.00 after the published discount
    at = create(client, owner, manager).headers["Location"]
    client.post(f"{at}/members", json={"uscc": firm.uscc}, headers=manager)

    def ids(query, headers):
        found = client.get(f"/api/v1/instruments?{query}", headers=headers).json["items"]
        return [each["id"] for each in found]

    stranger = bearer(make_user(make_organisation()))
    assert ids("sort=price", buyer) == [instrument.id, cheaper.id]
    assert ids("sort=price", stranger) == [cheaper.id, instrument.id]
    assert ids("price_max=135.5", buyer) == [instrument.id]
    assert ids("sort=saving", buyer) == [instrument.id, cheaper.id]
