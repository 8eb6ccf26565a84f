"""Several at one confirmation over the API: wiring, status, permission, bad input."""

import pytest

from tests.factories import make_institution, make_instrument, make_organisation, make_user

pytestmark = pytest.mark.service
API = "/api/v1"
TEN, TWELVE, TWO = (f"2026-11-25T{hour}:00:00+08:00" for hour in (10, 12, 14))


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def headers(session, bearer):
    return bearer(make_user(make_organisation()))


@pytest.fixture
def wanted(instrument, owner):
    other = make_instrument(institution=owner)
    return {
        "items": [
            {"instrument_id": instrument.id, "starts_at": TEN, "ends_at": TWELVE},
            {"instrument_id": other.id, "starts_at": TWELVE, "ends_at": TWO, "samples": 2},
        ],
        "purpose": "拉伸试验",
    }


@pytest.fixture
def post(client, headers):
    def call(path, body, **more):
        return client.post(f"{API}/{path}", json=body, headers=headers | more)

    return call


def test_a_bundle_is_made_once_and_shown(client, headers, post, wanted):
    key = {"Idempotency-Key": "bundle-1"}
    made = post("reservation-groups", wanted, **key)
    again = post("reservation-groups", wanted, **key)
    shown = client.get(made.headers["Location"], headers=headers)

    assert (made.status_code, again.status_code) == (201, 201)
    assert again.json == made.json == shown.json
    assert (made.json["kind"], len(made.json["reservations"])) == ("bundle", 2)
    assert {each["group_id"] for each in made.json["reservations"]} == {made.json["id"]}
    listed = client.get(f"{API}/reservations", headers=headers).json["items"]
    assert len(listed) == 2


def test_a_preview_adds_up(post, wanted):
    del wanted["purpose"]
    wanted["items"].append(wanted["items"][0])

    answer = post("reservation-groups/preview", wanted)

    assert answer.status_code == 200
    assert answer.json["price"] == {"amount": "864.00", "currency": "CNY"}
    assert [each["bookable"] for each in answer.json["items"]] == [True, True, False]
    assert answer.json["items"][2]["violations"][0]["rule"] == "overlaps"


def test_a_refusal_names_the_items(post, wanted):
    wanted["items"][1]["ends_at"] = "2026-11-25T23:00:00+08:00"

    answer = post("reservation-groups", wanted)

    assert (answer.status_code, answer.json["code"]) == (422, "not_bookable")
    [item] = answer.json["items"]
    assert (item["index"], item["taken"]) == (1, False)
    assert {each["rule"] for each in item["violations"]} == {"longest", "closed"}


def test_what_is_taken_is_a_conflict(client, post, wanted, bearer):
    taken = wanted["items"][0] | {"purpose": ""}
    client.post(f"{API}/reservations", json=taken, headers=bearer(make_user(make_organisation())))

    answer = post("reservation-groups", wanted)

    assert (answer.status_code, answer.json["code"]) == (409, "slot_taken")
    assert answer.json["items"][0]["alternatives"]


@pytest.mark.parametrize("number", [0, 21])
def test_a_bundle_has_one_to_twenty_items(post, wanted, number):
    answer = post("reservation-groups", wanted | {"items": wanted["items"][:1] * number})

    assert answer.status_code == 422
    assert "items" in answer.json["errors"]


def test_others_see_no_group(client, post, wanted, bearer):
    made = post("reservation-groups", wanted)

    answer = client.get(made.headers["Location"], headers=bearer(make_user(make_organisation())))

    assert answer.status_code == 404


@pytest.fixture
def series(instrument):
    return {
        "instrument_id": instrument.id,
        "starts_at": TEN,
        "ends_at": TWELVE,
        "rule": "FREQ=WEEKLY;COUNT=4",
    }


def test_a_series_is_previewed_and_made(client, post, series, wanted, bearer):
    later = {"starts_at": "2026-12-02T10:00:00+08:00", "ends_at": "2026-12-02T12:00:00+08:00"}
    taken = later | {"instrument_id": series["instrument_id"]}
    client.post(f"{API}/reservations", json=taken, headers=bearer(make_user(make_organisation())))

    seen = post("series/preview", series)
    shift = seen.json["occurrences"][1]["shift"]
    refused = post("series", series)
    choices = [{"index": 1, "starts_at": shift["starts_at"]}, {"index": 3}]
    made = post("series", series | {"choices": choices}, **{"Idempotency-Key": "series-1"})

    assert [each["taken"] for each in seen.json["occurrences"]] == [False, True, False, False]
    assert seen.json["time_zone"] == "Asia/Shanghai"
    assert (refused.status_code, refused.json["items"][0]["index"]) == (409, 1)
    assert (made.status_code, made.json["kind"]) == (201, "series")
    starts = [each["starts_at"] for each in made.json["reservations"]]
    assert starts == ["2026-11-25T02:00:00Z", shift["starts_at"], "2026-12-09T02:00:00Z"]


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;COUNT=10000", "FREQ=SECONDLY;COUNT=2", "FREQ=MINUTELY", "x" * 201]
)
def test_a_rule_out_of_all_reason_gets_a_clear_answer(post, series, rule):
    answer = post("series", series | {"rule": rule})

    assert (answer.status_code, list(answer.json["errors"])) == (422, ["rule"])


def test_a_series_of_slots_too_long_or_late_is_refused(post, series):
    late = {"starts_at": "2099-12-30T10:00:00+08:00", "ends_at": "2099-12-30T12:00:00+08:00"}
    long = {"starts_at": TEN, "ends_at": "2099-01-01T00:00:00Z"}

    assert post("series/preview", series | late).status_code == 422
    assert post("series/preview", series | long).status_code == 422


def test_a_change_reaches_as_far_as_one_says(client, headers, post, series):
    made = post("series", series).json["reservations"]

    moved = client.patch(
        f"{API}/reservations/{made[1]['id']}",
        json={"purpose": "冲击试验", "scope": "following"},
        headers=headers,
    )
    gone = post(f"reservations/{made[2]['id']}/cancel", {"scope": "all"})
    wrong = post(f"reservations/{made[2]['id']}/cancel", {"scope": "some"})

    assert (moved.status_code, gone.status_code, wrong.status_code) == (200, 200, 422)
    group = f"{API}/reservation-groups/{made[0]['group_id']}"
    found = client.get(group, headers=headers).json["reservations"]
    assert [each["purpose"] for each in found] == ["", *["冲击试验"] * 3]
    assert {each["status"] for each in found} == {"cancelled"}
