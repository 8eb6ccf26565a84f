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
