"""Prices over the API: wiring, status, permission, bad input."""

import pytest

from booking.accounts.rules import Role
from booking.registry.models import Publication
from tests.factories import make_institution, make_instrument, make_user

pytestmark = pytest.mark.service

PRICE = {
    "customer_class": "sme",
    "per_hour": {"amount": "180.00", "currency": "CNY"},
    "discount_percent": "20",
    "discount_reason": "湘仪享惠企",
}


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def headers(owner, bearer):
    return bearer(make_user(owner, Role.MANAGER))


def address(instrument):
    return f"/api/v1/instruments/{instrument.id}/prices"


def test_the_owner_publishes_and_everybody_reads(client, owner, headers):
    instrument = make_instrument(institution=owner, price=None)

    made = client.post(address(instrument), json=PRICE, headers=headers)
    read = client.get(address(instrument))

    assert made.status_code == 201
    assert made.json["discounted_per_hour"] == {"amount": "144.00", "currency": "CNY"}
    assert read.json["items"] == [made.json]
    assert read.json["next_cursor"] is None


def test_the_history_is_paged_latest_first_and_current_ones_stand_alone(client, owner, headers):
    instrument = make_instrument(institution=owner, price=None)
    for amount in ("1.00", "2.00", "3.00"):
        body = PRICE | {"per_hour": {"amount": amount, "currency": "CNY"}}
        client.post(address(instrument), json=body, headers=headers)

    first = client.get(f"{address(instrument)}?limit=2").json
    second = client.get(f"{address(instrument)}?limit=2&cursor={first['next_cursor']}").json
    current = client.get(f"{address(instrument)}?current=true").json

    amounts = [row["per_hour"]["amount"] for row in first["items"] + second["items"]]
    assert amounts == ["3.00", "2.00", "1.00"]
    assert [row["per_hour"]["amount"] for row in current["items"]] == ["3.00"]


def test_a_stranger_neither_publishes_nor_sees_a_drafts_prices(client, owner, bearer):
    published = make_instrument(institution=owner)
    draft = make_instrument(institution=owner, publication=Publication.DRAFT)
    stranger = bearer(make_user(make_institution(), Role.MANAGER))

    assert client.post(address(published), json=PRICE, headers=stranger).status_code == 403
    assert client.post(address(draft), json=PRICE, headers=stranger).status_code == 404
    assert client.get(address(draft)).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"discount_percent": "100.01"}, "discount_percent"),
        ({"discount_percent": "-1"}, "discount_percent"),
        ({"discount_percent": "NaN"}, "discount_percent"),
        ({"discount_percent": 20}, "discount_percent"),
        ({"discount_percent": "1.005"}, "discount_percent"),
        ({"per_hour": {"amount": "-1.00", "currency": "CNY"}}, "per_hour"),
        ({"per_hour": {"amount": 180, "currency": "CNY"}}, "per_hour"),
        ({"per_hour": {"amount": "1.00", "currency": "EUR"}}, "per_hour"),
        ({"customer_class": "friend"}, "customer_class"),
        ({"tax": "13"}, "tax"),
    ],
)
def test_what_cannot_be_a_price_is_named_by_field(client, owner, headers, change, field):
    instrument = make_instrument(institution=owner, price=None)

    answer = client.post(address(instrument), json=PRICE | change, headers=headers)

    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]


WHOLE = PRICE | {
    "step_minutes": 30,
    "minimum_minutes": 60,
    "minimum": {"amount": "200.00", "currency": "CNY"},
    "startup": {"amount": "50.00", "currency": "CNY"},
    "operator_per_hour": {"amount": "120.00", "currency": "CNY"},
    "windows": [
        {"name": "夜间", "days": ["mon", "holiday"], "from": "22:00", "to": "08:00", "percent": 60}
    ],
    "late_cancel": {"percent": 50},
    "no_show": {"amount": {"amount": "100.00", "currency": "CNY"}},
    "deposit": {"amount": "1000.00", "currency": "CNY"},
}


def test_terms_come_back_as_they_were_given(client, owner, headers):
    instrument = make_instrument(institution=owner, price=None)

    made = client.post(address(instrument), json=WHOLE, headers=headers)

    assert made.status_code == 201
    assert {name: made.json[name] for name in WHOLE} == WHOLE | {
        "late_cancel": {"percent": 50, "amount": None},
        "no_show": {"percent": None, "amount": {"amount": "100.00", "currency": "CNY"}},
    }


def test_put_says_what_a_class_pays_as_often_as_one_likes(client, owner, headers):
    instrument = make_instrument(institution=owner, price=None)
    body = {name: value for name, value in WHOLE.items() if name != "customer_class"}

    first = client.put(f"{address(instrument)}/large", json=body, headers=headers)
    again = client.put(f"{address(instrument)}/large", json=body, headers=headers)

    assert (first.status_code, first.json["customer_class"]) == (200, "large")
    assert again.json == first.json
    assert (
        client.put(f"{address(instrument)}/friend", json=body, headers=headers).status_code == 404
    )


def test_an_announced_price_is_refused_beside_another_and_withdrawn(client, owner, headers):
    instrument = make_instrument(institution=owner, price=None)
    later = WHOLE | {"effective_from": "2027-01-01T00:00:00+08:00"}
    made = client.post(address(instrument), json=later, headers=headers).json

    refused = client.post(
        address(instrument),
        json=later | {"effective_from": "2027-02-01T00:00:00+08:00"},
        headers=headers,
    )
    gone = client.post(f"/api/v1/prices/{made['id']}/withdraw", json={}, headers=headers)

    assert (refused.status_code, refused.json["code"]) == (409, "price_overlaps")
    assert gone.json["superseded_at"] == gone.json["effective_from"] == "2026-12-31T16:00:00Z"


def test_the_owner_tries_a_price_on_any_slot(client, owner, headers, bearer):
    instrument = make_instrument(institution=owner, price=None)
    body = WHOLE | {
        "starts_at": "2026-11-23T21:00:00+08:00",
        "ends_at": "2026-11-23T23:00:00+08:00",
        "assisted": True,
    }

    shown = client.post(f"{address(instrument)}/preview", json=body, headers=headers)
    stranger = bearer(make_user(make_institution(), Role.MANAGER))

    assert [(line["item"], line["amount"]["amount"]) for line in shown.json["lines"]] == [
        ("time", "180.00"),
        ("time", "108.00"),
        ("startup", "50.00"),
        ("operator", "240.00"),
        ("discount", "-115.60"),
    ]
    assert shown.json["price"]["amount"] == "462.40"
    assert shown.json["late_cancel_fee"]["amount"] == "231.20"
    assert client.get(address(instrument)).json["items"] == []
    refused = client.post(f"{address(instrument)}/preview", json=body, headers=stranger)
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"unit": "week"}, "unit"),
        ({"unit": "sample", "windows": [], "minimum_minutes": 0, "step_minutes": 1}, "unit_price"),
        ({"windows": [WHOLE["windows"][0] | {"from": "25:00"}]}, "windows"),
        ({"windows": [WHOLE["windows"][0] | {"days": ["monday"]}]}, "windows"),
        ({"windows": WHOLE["windows"] * 2}, "windows"),
        ({"windows": "night"}, "windows"),
        ({"late_cancel": {"percent": 50, "amount": PRICE["per_hour"]}}, "late_cancel"),
        ({"no_show": {}}, "no_show"),
        ({"no_show": {"percent": 101}}, "no_show"),
        ({"startup": {"amount": "-1.00", "currency": "CNY"}}, "startup"),
        ({"effective_from": "2026-01-01T00:00:00Z"}, "effective_from"),
        ({"effective_from": "tomorrow"}, "effective_from"),
    ],
)
def test_terms_that_cannot_be_are_named_by_field(client, owner, headers, change, field):
    instrument = make_instrument(institution=owner, price=None)

    answer = client.post(address(instrument), json=WHOLE | change, headers=headers)

    assert answer.status_code == 422
    assert field in answer.json["errors"]
