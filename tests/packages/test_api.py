"""Packages and prepaid hours over the API: wiring, status, permission."""

import pytest

from booking.accounts.models import Membership, User
from booking.accounts.rules import Role
from booking.kernel.db import db
from booking.packages import queries
from tests.factories import (
    make_balance,
    make_institution,
    make_instrument,
    make_organisation,
    make_package,
    make_user,
    slot,
)

GIVEN = {
    "name": "20 小时机时包",
    "customer_class": "sme",
    "hours": 20,
    "price": {"amount": "2400.00", "currency": "CNY"},
    "valid_months": 12,
}


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def manager(owner, bearer):
    return bearer(make_user(owner, Role.MANAGER))


@pytest.fixture
def firm(session):
    return make_organisation()


@pytest.fixture
def member(firm, bearer):
    return bearer(make_user(firm))


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def balance(owner, firm):
    return make_balance(make_package(owner), firm)


def test_a_package_is_published_shown_to_everybody_and_withdrawn(
    client, owner, manager, instrument
):
    made = client.post(f"/api/v1/institutions/{owner.id}/packages", json=GIVEN, headers=manager)

    assert made.status_code == 201
    assert made.json["per_hour"] == {"amount": "120.00", "currency": "CNY"}
    sold = client.get(f"/api/v1/instruments/{instrument.id}/packages").json["items"]
    assert [each["id"] for each in sold] == [made.json["id"]]
    shown = client.get(made.headers["Location"])
    assert shown.json == made.json
    done = client.post(f"/api/v1/packages/{made.json['id']}/withdraw", headers=manager)
    assert done.json["withdrawn_at"]
    listed = f"/api/v1/institutions/{owner.id}/packages"
    assert client.get(f"{listed}?sold=true").json["items"] == []
    assert len(client.get(listed).json["items"]) == 1
    again = client.post(f"/api/v1/packages/{made.json['id']}/withdraw", headers=manager)
    assert (again.status_code, again.json["code"]) == (409, "package_withdrawn")


def test_a_price_above_the_list_is_refused_beside_its_field(client, owner, manager, instrument):
    dear = GIVEN | {"price": {"amount": "4000.00"}}

    answer = client.post(f"/api/v1/institutions/{owner.id}/packages", json=dear, headers=manager)

    assert answer.status_code == 422
    assert "price" in answer.json["errors"]


def test_a_purchase_is_recorded_and_read_by_both(client, owner, firm, manager, member):
    package = make_package(owner)
    bought = {"uscc": firm.uscc, "paid_on": "2026-11-23", "reference": "HD1"}
    url = f"/api/v1/packages/{package.id}/purchases"

    made = client.post(url, json=bought, headers=manager)

    assert made.status_code == 201
    assert (made.json["left_minutes"], made.json["valid_until"]) == (1200, "2027-11-23")
    for who in (manager, member):
        assert client.get(made.headers["Location"], headers=who).json == made.json
        listed = client.get("/api/v1/prepaid-balances", headers=who).json["items"]
        assert listed == [made.json]
    again = client.post(url, json=bought, headers=manager)
    assert (again.status_code, again.json["code"]) == (409, "already_recorded")
    assert client.post(url, json=bought, headers=member).status_code == 404


def test_a_correction_is_an_entry_and_never_below_nothing(client, balance, manager, member):
    url = f"/api/v1/prepaid-balances/{balance.id}"
    done = client.post(f"{url}/correct", json={"minutes": -60, "reason": "退款"}, headers=manager)

    assert done.json["left_minutes"] == 1140
    entries = client.get(f"{url}/entries", headers=member).json["items"]
    assert [(each["kind"], each["minutes"]) for each in entries] == [
        ("corrected", -60),
        ("bought", 1200),
    ]
    refused = client.post(
        f"{url}/correct", json={"minutes": -1141, "reason": "退款"}, headers=manager
    )
    assert (refused.status_code, refused.json["code"]) == (409, "not_enough_left")
    assert refused.json["left_minutes"] == 1140


def test_others_find_no_balance(client, balance, bearer):
    stranger = bearer(make_user(make_organisation()))

    for path in ("", "/entries"):
        url = f"/api/v1/prepaid-balances/{balance.id}{path}"
        assert client.get(url, headers=stranger).status_code == 404
        assert client.get(url).status_code == 401


def test_a_quote_and_a_reservation_with_it(client, balance, instrument, member):
    wanted = slot()
    body = {
        "instrument_id": instrument.id,
        "starts_at": wanted.starts_at.isoformat(),
        "ends_at": wanted.ends_at.isoformat(),
        "prepaid": balance.id,
    }

    quoted = client.post("/api/v1/quotes", json=body, headers=member).json
    made = client.post("/api/v1/reservations", json=body, headers=member)

    assert quoted["bookable"] is True
    assert quoted["price"]["amount"] == "240.00"
    assert quoted["to_pay"]["amount"] == "0.00"
    assert quoted["prepaid"] == {
        "id": balance.id,
        "minutes": 120,
        "per_hour": {"amount": "120.00", "currency": "CNY"},
        "amount": {"amount": "240.00", "currency": "CNY"},
    }
    assert quoted["lines"][-1]["item"] == "prepaid"
    assert made.status_code == 201
    assert made.json["prepaid"] == quoted["prepaid"]
    whole = client.get(made.headers["Location"], headers=member).json
    assert whole["to_pay"]["amount"] == "0.00"
    assert queries.lock(balance.id).left_minutes == 1080


def test_too_little_left_is_422_and_says_what_is_left(client, balance, instrument, member, manager):
    url = f"/api/v1/prepaid-balances/{balance.id}/correct"
    client.post(url, json={"minutes": -1140, "reason": "退款"}, headers=manager)
    wanted = slot()
    body = {
        "instrument_id": instrument.id,
        "starts_at": wanted.starts_at.isoformat(),
        "ends_at": wanted.ends_at.isoformat(),
        "prepaid": balance.id,
    }

    answer = client.post("/api/v1/reservations", json=body, headers=member)

    assert answer.status_code == 422
    [violation] = answer.json["violations"]
    assert violation["rule"] == "prepaid"
    assert "余 1 小时" in violation["detail"]


def test_everybody_of_the_firm_may_use_it_but_nobody_who_left(client, balance, firm, bearer):
    user = make_user(firm)
    left = db.session.query(Membership).filter_by(user_id=user.id).one()
    assert isinstance(user, User)
    url = f"/api/v1/prepaid-balances/{balance.id}"
    who = bearer(user)
    assert client.get(url, headers=who).status_code == 200

    left.ended_at = left.created_at

    assert client.get(url, headers=who).status_code == 404
