"""From check-in to a corrected saving over the API: wiring, status, permission, bad input."""

import pytest

from booking.accounts.rules import Role, Scope
from booking.tariffs.rules import Fee, Terms
from tests.factories import (
    make_institution,
    make_instrument,
    make_organisation,
    make_price,
    make_user,
    slot,
)
from tests.queries_counted import counted

pytestmark = pytest.mark.service
API = "/api/v1"
BEGINS, ENDS = slot().starts_at, slot().ends_at


@pytest.fixture
def owner(session):
    return make_institution(name="湖南省检测院")


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def company(session):
    return make_organisation(name="长沙精工机械有限公司")


@pytest.fixture
def user(company):
    return make_user(company)


@pytest.fixture
def firm(user, bearer):
    return bearer(user)


@pytest.fixture
def lab(owner, bearer):
    return bearer(make_user(owner, Role.MANAGER))


@pytest.fixture
def act(client, instrument, firm, lab, now):
    """A function that does the next thing with a reservation of Wednesday."""
    wanted = {
        "instrument_id": instrument.id,
        "starts_at": BEGINS.isoformat(),
        "ends_at": ENDS.isoformat(),
    }
    made = client.post(f"{API}/reservations", json=wanted, headers=firm).json

    def do(action, headers, at=None, **body):
        if at is not None:
            now.set(at)
        return client.post(f"{API}/reservations/{made['id']}/{action}", json=body, headers=headers)

    do.id = made["id"]
    return do


@pytest.fixture
def settled(act, firm, lab):
    """The whole way to a settled use."""
    assert act("check-in", firm, BEGINS).status_code == 200
    assert act("check-out", firm, ENDS).status_code == 200
    assert act("confirm-usage", lab).status_code == 200
    assert act("agree", firm).status_code == 200
    body = {"settlement": "paid", "settled_on": "2026-11-25", "reference": "回单 17"}
    answer = act("settle", lab, **body)
    assert answer.status_code == 200
    return answer.json


def test_a_use_and_its_settlement_are_shown_with_the_reservation(settled, act, client, firm):
    shown = client.get(f"{API}/reservations/{act.id}", headers=firm).json

    assert shown["status"] == settled["status"] == "settled"
    assert shown["flags"] == []
    assert (shown["use"]["minutes"], shown["use"]["price"]["amount"]) == (120, "288.00")
    assert shown["use"]["settlement"] == "paid"


def test_a_saving_with_its_evidence(settled, client, firm, lab):
    page = client.get(f"{API}/savings", headers=firm).json
    (line,) = page["items"]

    amounts = {name: line[name]["amount"] for name in ("baseline", "cash", "relief", "subsidy")}
    assert amounts == {
        "baseline": "360.00",
        "cash": "288.00",
        "relief": "72.00",
        "subsidy": "0.00",
    }
    assert page["totals"]["saved"] == {"amount": "72.00", "currency": "CNY"}
    one = client.get(f"{API}/savings/{line['id']}", headers=lab).json
    assert one["evidence"]["settlement"]["reference"] == "回单 17"
    assert one["organisation"]["name"] == "长沙精工机械有限公司"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("from=2026-11-25&to=2026-11-25", 1),
        ("from=2026-11-26", 0),
        ("to=2026-11-24", 0),
        # Still the 25th in China.
        ("to=2026-11-25T01:00:00Z", 1),
        ("from=2026-11-25T16:00:00Z", 0),
        ("counted=false", 0),
    ],
)
def test_a_period_is_of_days_both_included(settled, client, firm, query, found):
    page = client.get(f"{API}/savings?{query}", headers=firm).json

    assert (len(page["items"]), page["totals"]["services"]) == (found, found)


@pytest.mark.parametrize(
    "query", ["from=x", "from=2026-13-01", "from=2026-11-25&to=2026-11-24", "limit=0", "x=1"]
)
def test_what_cannot_be_a_period_is_refused(client, firm, query):
    assert client.get(f"{API}/savings?{query}", headers=firm).status_code == 422


def test_nobody_sees_anothers_savings(settled, client, firm, bearer):
    (line,) = client.get(f"{API}/savings", headers=firm).json["items"]
    strangers = [
        make_user(make_organisation(), Role.MANAGER),
        make_user(make_institution(), Role.MANAGER),
    ]
    for stranger in strangers:
        assert client.get(f"{API}/savings", headers=bearer(stranger)).json["items"] == []
        address = f"{API}/savings/{line['id']}"
        assert client.get(address, headers=bearer(stranger)).status_code == 404
        body = {"reason": "goodwill", "amount": {"amount": "1.00"}, "note": "x"}
        answer = client.post(f"{address}/corrections", json=body, headers=bearer(stranger))
        assert answer.status_code == 404


def test_of_a_firm_its_manager_sees_them_all_and_a_colleague_their_own(
    settled, client, company, bearer
):
    def seen(role):
        headers = bearer(make_user(company, role))
        return len(client.get(f"{API}/savings", headers=headers).json["items"])

    assert (seen(Role.MANAGER), seen(Role.MEMBER)) == (1, 0)
    assert client.get(f"{API}/savings").status_code == 401


def test_a_correction_is_a_line_of_its_own(settled, client, firm, lab):
    (line,) = client.get(f"{API}/savings", headers=firm).json["items"]
    address = f"{API}/savings/{line['id']}/corrections"
    body = {"reason": "goodwill", "amount": {"amount": "8.00", "currency": "CNY"}, "note": "等待"}
    headers = lab | {"Idempotency-Key": "goodwill-1"}
    first = client.post(address, json=body, headers=headers)
    again = client.post(address, json=body, headers=headers)

    assert (first.status_code, again.json) == (201, first.json)
    assert (first.json["price"]["amount"], first.json["corrects_id"]) == ("-8.00", line["id"])
    page = client.get(f"{API}/savings", headers=firm).json
    assert (len(page["items"]), page["totals"]["services"]) == (2, 1)
    assert page["totals"]["saved"]["amount"] == "80.00"
    too_much = body | {"amount": {"amount": "999.00"}}
    assert client.post(address, json=too_much, headers=lab).status_code == 422
    assert client.post(address, json=body, headers=firm).status_code == 403


def test_what_is_out_of_order_says_so(act, firm, lab):
    early = act("check-in", firm)
    assert (early.status_code, early.json["code"]) == (422, "outside_its_time")
    assert act("check-out", firm).json["code"] == "wrong_state"
    assert act("confirm-usage", lab).status_code == 409
    assert act("check-in", firm, BEGINS, version=9).json["code"] == "stale"
    assert act("no-show", firm).status_code == 403
    assert act("no-show", lab).status_code == 422


def test_an_objection_holds_the_settlement(act, firm, lab):
    act("check-in", firm, BEGINS)
    act("check-out", firm, ENDS)
    act("confirm-usage", lab)
    objected = act("object", firm, reason="少用半小时")
    body = {"settlement": "paid", "settled_on": "2026-11-25", "reference": "回单 17"}

    assert objected.json["use"]["objection"] == "少用半小时"
    assert act("settle", lab, **body).json["code"] == "disputed"
    assert act("confirm-usage", lab, minutes=90, note="已核对").json["use"]["price"]["amount"] == (
        "216.00"
    )


def test_a_token_for_reading_begins_nothing(act, user, bearer):
    reading = bearer(user, Scope.READ)

    assert act("check-in", reading, BEGINS).status_code == 403


def test_a_list_of_savings_takes_a_constant_number_of_queries(settled, client, firm, lab):
    (line,) = client.get(f"{API}/savings", headers=firm).json["items"]
    with counted() as few:
        client.get(f"{API}/savings", headers=lab)
    for amount in ("1.00", "2.00", "3.00"):
        body = {"reason": "goodwill", "amount": {"amount": amount}, "note": "x"}
        client.post(f"{API}/savings/{line['id']}/corrections", json=body, headers=lab)
    with counted() as many:
        client.get(f"{API}/savings", headers=lab)

    assert len(many) == len(few)


def test_the_purchase_avoided_stands_beside_and_in_no_sum(
    settled, client, firm, lab, instrument, session
):
    instrument.worth_wan = 28
    session.flush()

    found = client.get(f"{API}/savings/avoided-purchase?year=2026", headers=firm).json

    [item] = found["items"]
    assert (item["category_code"], item["minutes"]) == ("020101", 120)
    # (280000 × 0.95 ÷ 10 + 280000 × 0.03) ÷ 1400 × 2 − 288.00
    assert item["owning"]["amount"] == "50.00"
    assert item["value"]["amount"] == "-238.00"
    assert item["instruments"][0]["rated_hours"] == 1400
    assert found["parameters"]["years"] == 10
    totals = client.get(f"{API}/savings", headers=firm).json["totals"]
    assert totals["saved"]["amount"] == "72.00"
    others = client.get(f"{API}/savings/avoided-purchase", headers=lab).json
    assert others["items"] == []


def test_an_instrument_without_its_value_is_named(settled, client, firm, instrument):
    found = client.get(f"{API}/savings/avoided-purchase", headers=firm).json

    assert (found["items"], found["left_out"]) == (
        [],
        [{"id": instrument.id, "name": instrument.name}],
    )


def test_a_fee_is_settled_over_the_api(client, owner, firm, lab, now):
    dear = make_instrument(institution=owner, price=None)
    make_price(dear, kept_terms=Terms(no_show=Fee(percent=50)).plain())
    wanted = {
        "instrument_id": dear.id,
        "starts_at": BEGINS.isoformat(),
        "ends_at": ENDS.isoformat(),
    }
    made = client.post(f"{API}/reservations", json=wanted, headers=firm).json
    url = f"{API}/reservations/{made['id']}"
    now.set(ENDS)
    assert client.post(f"{url}/no-show", json={}, headers=lab).status_code == 200
    paid = {"settlement": "paid", "settled_on": "2026-11-25", "reference": "回单 9"}
    assert client.post(f"{url}/settle-fee", json=paid, headers=firm).status_code == 403

    done = client.post(f"{url}/settle-fee", json=paid, headers=lab)

    assert done.json["fee"]["amount"] == "144.00"
    assert done.json["fee_settlement"]["settlement"] == "paid"
    shown = client.get(url, headers=firm).json
    assert (shown["status"], shown["fee_settlement"]["reference"]) == ("no_show", "回单 9")
    assert client.post(f"{url}/settle-fee", json=paid, headers=lab).status_code == 409


def test_a_statutory_test_and_what_is_passed_on_over_the_api(act, client, firm, lab):
    assert act("check-in", firm, BEGINS).status_code == 200
    assert act("check-out", firm, ENDS).status_code == 200
    rush = [{"kind": "rush", "amount": {"amount": "240.00", "currency": "CNY"}}]
    assert act("confirm-usage", lab, passed_on=rush).status_code == 422

    done = act("confirm-usage", lab, passed_on=rush, is_statutory=True, note="监督抽查，加急").json

    assert (done["use"]["due"]["amount"], done["use"]["not_counted"]) == ("528.00", "statutory")
    assert done["use"]["passed_on"] == rush
    assert done["is_statutory"]
