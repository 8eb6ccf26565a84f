"""Quotes, reservations and closures over the API: wiring, status, permission, bad input."""

from datetime import timedelta

import pytest

from booking.accounts.rules import Role, Scope
from booking.tariffs.rules import ChargeUnit, Terms
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
TEN, TWELVE, TWO = "2026-11-25T10:00:00+08:00", "2026-11-25T12:00:00+08:00", "2026-11-25T06:00:00Z"
HOUR = timedelta(hours=1)


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def firm(session):
    return make_organisation()


@pytest.fixture
def headers(firm, bearer):
    return bearer(make_user(firm))


@pytest.fixture
def operator(owner, bearer):
    return bearer(make_user(owner, Role.OPERATOR))


@pytest.fixture
def wanted(instrument):
    return {"instrument_id": instrument.id, "starts_at": TEN, "ends_at": TWELVE}


@pytest.fixture
def reserve(client, headers, wanted):
    def call(**change):
        return client.post(f"{API}/reservations", json=wanted | change, headers=headers)

    return call


def test_a_quote_says_price_baseline_saving_and_rules(client, headers, wanted):
    answer = client.post(f"{API}/quotes", json=wanted, headers=headers)

    assert answer.status_code == 200
    assert answer.json["price"] == {"amount": "288.00", "currency": "CNY"}
    assert answer.json["saving"] == {"amount": "72.00", "currency": "CNY"}
    assert answer.json["baseline"]["amount"] == {"amount": "360.00", "currency": "CNY"}
    assert (answer.json["baseline"]["rank"], answer.json["baseline"]["source"]) == (2, "list_price")
    assert (answer.json["discount_percent"], answer.json["violations"]) == ("20", [])


def test_a_quote_without_a_price_is_null_and_says_why(client, headers, wanted):
    wanted["instrument_id"] = make_instrument(price=None).id

    answer = client.post(f"{API}/quotes", json=wanted, headers=headers)

    assert (answer.json["price"], answer.json["baseline"], answer.json["bookable"]) == (
        None,
        None,
        False,
    )
    assert [each["rule"] for each in answer.json["violations"]] == ["no_price"]


def test_reserving_answers_201_with_its_place(client, headers, reserve, firm):
    made = reserve(purpose="拉伸")

    assert made.status_code == 201
    assert made.json["starts_at"] == "2026-11-25T02:00:00Z"
    assert (made.json["status"], made.json["organisation_id"]) == ("confirmed", firm.id)
    assert made.json["number"] == f"R-{made.json['id']:06d}"
    shown = client.get(made.headers["Location"], headers=headers)
    assert shown.status_code == 200
    assert shown.json["purpose"] == "拉伸"
    assert shown.json["institution"]["name"].startswith("湖南省检测研究院")


def test_a_taken_slot_is_409_with_alternatives(reserve):
    reserve()

    answer = reserve()

    assert (answer.status_code, answer.json["code"]) == (409, "slot_taken")
    assert answer.json["alternatives"][0] == {
        "instrument_id": answer.json["alternatives"][0]["instrument_id"],
        "starts_at": "2026-11-25T04:00:00Z",
        "ends_at": "2026-11-25T06:00:00Z",
        "price": {"amount": "288.00", "currency": "CNY"},
    }
    assert answer.json["elsewhere"] == []


def test_broken_rules_are_422_all_at_once(reserve):
    answer = reserve(ends_at="2026-11-25T20:07:00+08:00")

    assert (answer.status_code, answer.json["code"]) == (422, "not_bookable")
    assert [each["rule"] for each in answer.json["violations"]] == ["longest", "grid", "closed"]
    assert answer.json["alternatives"]


def test_the_same_key_replays_the_answer_and_books_once(client, headers, wanted):
    keyed = headers | {"Idempotency-Key": "k-1"}
    first = client.post(f"{API}/reservations", json=wanted, headers=keyed)
    second = client.post(f"{API}/reservations", json=wanted, headers=keyed)
    other = client.post(f"{API}/reservations", json=wanted | {"purpose": "x"}, headers=keyed)

    assert (first.status_code, second.status_code, other.status_code) == (201, 201, 422)
    assert second.json == first.json
    assert second.headers["Location"] == first.headers["Location"]
    assert other.json["code"] == "idempotency_mismatch"


def test_a_refused_key_can_be_used_again(client, headers, wanted, reserve):
    held = reserve().json
    keyed = headers | {"Idempotency-Key": "k-2"}
    refused = client.post(f"{API}/reservations", json=wanted, headers=keyed)
    client.post(f"{API}/reservations/{held['id']}/cancel", json={}, headers=headers)

    again = client.post(f"{API}/reservations", json=wanted, headers=keyed)

    assert (refused.status_code, again.status_code) == (409, 201)


BAD = [
    ({"starts_at": "2026-11-25T10:00:00"}, "starts_at"),
    ({"starts_at": "2026-11-25"}, "starts_at"),
    ({"starts_at": 1764036000}, "starts_at"),
    ({"starts_at": None}, "starts_at"),
    ({"ends_at": TEN}, "ends_at"),
    ({"ends_at": "2026-11-25T09:00:00+08:00"}, "ends_at"),
    ({"ends_at": "9999-12-31T23:59:59Z"}, "ends_at"),
    ({"ends_at": "2026-11-25T12:00:00+25:00"}, "ends_at"),
    ({"instrument_id": "1"}, "instrument_id"),
    ({"instrument_id": 2**63}, "instrument_id"),
    ({"instrument_id": True}, "instrument_id"),
    ({"instrument_id": -1}, "instrument_id"),
    ({"organisation_id": 0}, "organisation_id"),
    ({"purpose": "用" * 201}, "purpose"),
    ({"purpose": "a\x00b"}, "purpose"),
    ({"price": "0.01"}, "price"),
]


@pytest.mark.parametrize(("change", "field"), BAD)
def test_bad_input_is_named_by_field(reserve, change, field):
    answer = reserve(**change)

    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "rules"),
    [
        ("2000-01-01T00:00:00Z", "2099-12-31T00:00:00Z", {"past", "horizon", "longest"}),
        ("2099-12-30T00:00:00Z", "2099-12-31T00:00:00Z", {"horizon", "longest", "closed"}),
        ("2026-11-25T02:00:00.000001Z", "2026-11-25T04:00:00.000001Z", {"grid"}),
    ],
)
def test_huge_and_far_times_are_refused_by_the_rules(reserve, starts_at, ends_at, rules):
    answer = reserve(starts_at=starts_at, ends_at=ends_at)

    assert answer.status_code == 422
    assert {each["rule"] for each in answer.json["violations"]} == rules


def test_nobody_reserves_for_somebody_else(client, wanted, bearer):
    stranger = make_organisation()
    headers = bearer(make_user(make_organisation()))

    answer = client.post(
        f"{API}/reservations", json=wanted | {"organisation_id": stranger.id}, headers=headers
    )

    assert answer.status_code == 403


def test_without_a_token_or_its_scope_nothing_is_reserved(client, wanted, firm, bearer):
    reads = bearer(make_user(firm), Scope.READ)

    assert client.post(f"{API}/reservations", json=wanted).status_code == 401
    assert client.post(f"{API}/reservations", json=wanted, headers=reads).status_code == 403


def test_patch_moves_describes_and_checks_the_version(client, headers, reserve):
    address = f"{API}/reservations/{reserve().json['id']}"

    def patch(**body):
        return client.patch(address, json=body, headers=headers)

    moved = patch(starts_at=TWELVE, ends_at=TWO, purpose="弯曲", version=1)
    described = patch(purpose="压缩")
    stale = patch(purpose="迟了", version=1)

    assert (moved.status_code, moved.json["starts_at"]) == (200, "2026-11-25T04:00:00Z")
    assert (moved.json["purpose"], described.json["purpose"]) == ("弯曲", "压缩")
    assert (stale.status_code, stale.json["code"]) == (409, "stale")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "starts_at"),
        ({"version": 1}, "starts_at"),
        ({"starts_at": TEN}, "ends_at"),
        ({"ends_at": TEN}, "starts_at"),
        ({"starts_at": TWELVE, "ends_at": TEN}, "ends_at"),
        ({"status": "settled"}, "status"),
        ({"purpose": None}, "purpose"),
    ],
)
def test_half_a_move_and_foreign_fields_are_refused(client, headers, reserve, body, field):
    address = f"{API}/reservations/{reserve().json['id']}"

    answer = client.patch(address, json=body, headers=headers)

    assert answer.status_code == 422
    assert field in answer.json["errors"]


def test_cancelling_twice_is_a_wrong_state(client, headers, reserve):
    address = f"{API}/reservations/{reserve().json['id']}/cancel"

    first = client.post(address, json={"reason": "样品未到", "version": 1}, headers=headers)
    second = client.post(address, json={}, headers=headers)

    assert (first.status_code, first.json["status"]) == (200, "cancelled")
    assert (second.status_code, second.json["code"]) == (409, "wrong_state")


def test_anothers_reservation_is_not_found_on_every_door(client, reserve, bearer):
    address = f"{API}/reservations/{reserve().json['id']}"
    stranger = bearer(make_user(make_organisation(), Role.MANAGER))

    answers = [
        client.get(address, headers=stranger),
        client.patch(address, json={"purpose": "x"}, headers=stranger),
        client.patch(address, json={"starts_at": TWELVE, "ends_at": TWO}, headers=stranger),
        client.post(f"{address}/cancel", json={}, headers=stranger),
        client.get(f"{API}/reservations/{2**63 - 1}", headers=stranger),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert client.get(f"{API}/reservations", headers=stranger).json["items"] == []


def test_the_list_is_filtered_and_paged(client, headers, reserve):
    ids = [
        reserve(
            starts_at=(slot().starts_at + 2 * hour * HOUR).isoformat(),
            ends_at=(slot().starts_at + 2 * (hour + 1) * HOUR).isoformat(),
        ).json["id"]
        for hour in range(3)
    ]
    client.post(f"{API}/reservations/{ids[1]}/cancel", json={}, headers=headers)

    def listed(query):
        page = client.get(f"{API}/reservations?{query}", headers=headers).json
        return [item["id"] for item in page["items"]], page["next_cursor"]

    first, cursor = listed("limit=2")
    second, end = listed(f"limit=2&cursor={cursor}")
    assert (first + second, end) == (ids[::-1], None)
    assert listed("status=cancelled")[0] == [ids[1]]
    assert listed("from=2026-11-25T14:00:00%2B08:00")[0] == [ids[2]]
    assert listed("to=2026-11-25T12:00:00%2B08:00")[0] == [ids[0]]
    assert listed("instrument=999999")[0] == []


@pytest.mark.parametrize(
    "query",
    [
        "status=lost",
        "instrument=x",
        "from=2026-11-25",
        "from=2026-11-25T00:00:00Z&to=2026-11-24T00:00:00Z",
        "cursor=abc",
        "limit=0",
        "x=1",
    ],
)
def test_filters_that_cannot_be_are_refused(client, headers, query):
    assert client.get(f"{API}/reservations?{query}", headers=headers).status_code == 422


def test_a_closure_names_what_it_hits_and_frees_what_is_named(
    client, instrument, operator, reserve
):
    made = reserve().json
    address = f"{API}/instruments/{instrument.id}/closures"
    body = {"kind": "calibration", "starts_at": TEN, "ends_at": TWELVE, "reason": "年度校准"}

    refused = client.post(address, json=body, headers=operator)
    done = client.post(address, json=body | {"cancel": [made["id"]]}, headers=operator)

    assert (refused.status_code, refused.json["code"]) == (409, "slot_taken")
    assert [(hit["id"], hit["number"]) for hit in refused.json["reservations"]] == [
        (made["id"], made["number"])
    ]
    assert done.status_code == 201
    assert (done.json["kind"], done.json["reason"]) == ("calibration", "年度校准")
    assert [each["status"] for each in done.json["cancelled"]] == ["cancelled"]
    assert client.get(done.headers["Location"], headers=operator).json["id"] == done.json["id"]


def test_a_closure_is_listed_and_lifted(client, instrument, operator, headers):
    body = {"kind": "own_use", "starts_at": TEN, "ends_at": TWELVE}
    made = client.post(
        f"{API}/instruments/{instrument.id}/closures", json=body, headers=operator
    ).json

    listed = client.get(f"{API}/instruments/{instrument.id}/closures", headers=operator).json
    lifted = client.post(f"{API}/closures/{made['id']}/lift", json={"version": 1}, headers=operator)

    assert [each["id"] for each in listed["items"]] == [made["id"]]
    assert lifted.json["lifted_at"] == "2026-11-23T01:00:00Z"
    assert client.get(f"{API}/closures/{made['id']}", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "reservation"}, "kind"),
        ({"kind": "party"}, "kind"),
        ({"ends_at": TEN}, "ends_at"),
        ({"ends_at": "2028-11-25T10:00:00Z"}, "ends_at"),
        ({"unit": 0}, "unit"),
        ({"unit": 2}, "unit"),
        ({"cancel": ["1"]}, "cancel"),
        ({"cancel": [1] * 201}, "cancel"),
        ({"cancel": [987654321]}, "cancel"),
    ],
)
def test_what_cannot_be_a_closure_is_named_by_field(client, instrument, operator, change, field):
    body = {"kind": "fault", "starts_at": TEN, "ends_at": TWELVE} | change

    answer = client.post(f"{API}/instruments/{instrument.id}/closures", json=body, headers=operator)

    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]


def test_a_reservation_takes_four_statements_with_its_key(client, headers, wanted):
    keyed = headers | {"Idempotency-Key": "k-3"}

    with counted() as statements:
        answer = client.post(f"{API}/reservations", json=wanted, headers=keyed)

    assert answer.status_code == 201
    # Token with key, sheet, occupancy with reservation, journal entry and notice, stored answer.
    assert len(statements) == 4


def test_a_list_raised_before_it_was_used_is_marked_where_it_is_the_baseline(client, headers, now):
    instrument = make_instrument(price=None)
    published = now.at - timedelta(days=200)
    raised = now.at - timedelta(days=40)
    make_price(instrument, per_hour_minor=10000, published_at=published, superseded_at=raised)
    make_price(instrument, per_hour_minor=15000, published_at=raised)
    body = {
        "instrument_id": instrument.id,
        "starts_at": "2026-11-25T10:00:00+08:00",
        "ends_at": "2026-11-25T12:00:00+08:00",
    }

    quoted = client.post("/api/v1/quotes", json=body, headers=headers).json
    history = client.get(f"/api/v1/instruments/{instrument.id}/prices/history").json["items"]

    assert quoted["baseline"]["rise_percent"] == 50
    assert [(each["per_hour"]["amount"], each["rise_percent"]) for each in history] == [
        ("150.00", 50),
        ("100.00", None),
    ]
    assert [line["item"] for line in quoted["lines"]] == ["time", "discount"]


def test_samples_are_kept_and_priced(client, headers):
    instrument = make_instrument(price=None)
    terms = Terms(unit=ChargeUnit.SAMPLE, unit_minor=42000)
    make_price(instrument, kept_terms=terms.plain())
    body = {
        "instrument_id": instrument.id,
        "starts_at": "2026-11-25T10:00:00+08:00",
        "ends_at": "2026-11-25T12:00:00+08:00",
        "samples": 3,
    }

    made = client.post("/api/v1/reservations", json=body, headers=headers)
    refused = client.post("/api/v1/reservations", json=body | {"samples": 0}, headers=headers)

    assert (made.status_code, made.json["samples"]) == (201, 3)
    assert made.json["price"]["amount"] == "1008.00"
    assert [line["amount"]["amount"] for line in made.json["lines"]] == ["1260.00", "-252.00"]
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["samples"])
