"""Schedules, availability and free slots over the API: wiring, status, permission, bad input."""

import pytest

from booking.accounts.rules import Role
from booking.availability import service
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Publication, SharingMode
from tests.factories import (
    WEDNESDAY_10,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    slot,
)
from tests.queries_counted import counted

pytestmark = pytest.mark.service
API = "/api/v1"
SCHEDULE = {
    "grid_minutes": 15,
    "shortest_minutes": 30,
    "week": {
        "monday": [{"opens": "08:00", "closes": "12:00"}, {"opens": "13:00", "closes": "24:00"}],
        "tuesday": [{"opens": "00:00", "closes": "02:00"}],
    },
    "special_days": [{"day": "2026-12-31", "hours": [], "reason": "盘点"}],
}
DAY = "from=2026-11-25T00:00:00%2B08:00&to=2026-11-26T00:00:00%2B08:00"


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def headers(owner, bearer):
    return bearer(make_user(owner, Role.OPERATOR))


def test_the_owner_sets_hours_and_everybody_reads_them(client, owner, headers):
    instrument = make_instrument(institution=owner, schedule=None)
    address = f"{API}/instruments/{instrument.id}/schedule"

    before = client.get(address)
    made = client.put(address, json=SCHEDULE, headers=headers)
    read = client.get(address)

    assert (before.status_code, made.status_code) == (404, 200)
    assert read.json == made.json
    assert read.json["week"]["monday"] == SCHEDULE["week"]["monday"]
    assert read.json["special_days"] == SCHEDULE["special_days"]
    assert (read.json["longest_minutes"], read.json["version"]) == (480, 1)


def test_an_older_version_of_the_schedule_is_stale(client, owner, headers):
    instrument = make_instrument(institution=owner)
    address = f"{API}/instruments/{instrument.id}/schedule"
    client.put(address, json=SCHEDULE, headers=headers)

    answer = client.put(address, json=SCHEDULE | {"version": 1}, headers=headers)

    assert (answer.status_code, answer.json["code"]) == (409, "stale")


def test_a_strangers_schedule_is_not_ones_own_to_set(client, owner, bearer):
    instrument = make_instrument(institution=owner)
    draft = make_instrument(institution=owner, publication=Publication.DRAFT)
    stranger = bearer(make_user(make_institution(), Role.OPERATOR))

    seen = client.put(
        f"{API}/instruments/{instrument.id}/schedule", json=SCHEDULE, headers=stranger
    )
    unseen = client.put(f"{API}/instruments/{draft.id}/schedule", json=SCHEDULE, headers=stranger)

    assert (seen.status_code, unseen.status_code) == (403, 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"week": {"monday": [{"opens": "22:00", "closes": "02:00"}]}}, "week"),
        ({"week": {"monday": [{"opens": "25:00", "closes": "26:00"}]}}, "week"),
        ({"week": {"monday": [{"opens": "24:00", "closes": "24:00"}]}}, "week"),
        ({"week": {"funday": []}}, "week"),
        ({"grid_minutes": 7}, "grid_minutes"),
        ({"shortest_minutes": 40}, "shortest_minutes"),
        ({"longest_minutes": 15, "shortest_minutes": 30}, "longest_minutes"),
        ({"special_days": [{"day": "2026-02-30"}]}, "special_days"),
        ({"special_days": [{"day": "2026-12-31"}, {"day": "2026-12-31"}]}, "special_days"),
        ({"lead_minutes": True}, "lead_minutes"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_a_schedule_is_named_by_field(client, owner, headers, change, field):
    instrument = make_instrument(institution=owner)

    answer = client.put(
        f"{API}/instruments/{instrument.id}/schedule", json=SCHEDULE | change, headers=headers
    )

    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]


def test_anybody_sees_open_busy_and_free_but_not_who(client):
    instrument = make_instrument()
    service.occupy(instrument.id, slot())

    answer = client.get(f"{API}/instruments/{instrument.id}/availability?{DAY}")

    taken = {"starts_at": "2026-11-25T02:00:00Z", "ends_at": "2026-11-25T04:00:00Z"}
    assert answer.status_code == 200
    assert answer.json["open"] == [
        {"starts_at": "2026-11-25T00:00:00Z", "ends_at": "2026-11-25T10:00:00Z"}
    ]
    assert answer.json["busy"] == [taken]
    assert [part["starts_at"] for part in answer.json["free"]] == [
        "2026-11-25T00:00:00Z",
        "2026-11-25T04:00:00Z",
    ]
    assert (answer.json["bookable"], answer.json["reasons"]) == (True, [])
    assert "held" not in answer.json


def test_the_owners_people_see_the_kind(client, owner, headers):
    instrument = make_instrument(institution=owner)
    service.occupy(instrument.id, slot())

    answer = client.get(f"{API}/instruments/{instrument.id}/availability?{DAY}", headers=headers)

    assert [held["kind"] for held in answer.json["held"]] == ["reservation"]


def test_an_offset_with_a_bare_plus_is_understood(client):
    instrument = make_instrument()

    answer = client.get(
        f"{API}/instruments/{instrument.id}/availability"
        "?from=2026-11-25T00:00:00+08:00&to=2026-11-26T00:00:00+08:00"
    )

    assert answer.json["starts_at"] == "2026-11-24T16:00:00Z"


def test_what_is_not_open_for_booking_says_so_and_is_never_free(client):
    instrument = make_instrument(schedule=None, price=None)

    answer = client.get(f"{API}/instruments/{instrument.id}/availability?{DAY}")

    assert (answer.json["bookable"], answer.json["free"]) == (False, [])
    assert answer.json["reasons"][0]["detail"] == "这台仪器尚未开放在线预约。"


def test_a_draft_is_not_found(client):
    draft = make_instrument(publication=Publication.DRAFT)

    for what in ("availability", "schedule"):
        assert client.get(f"{API}/instruments/{draft.id}/{what}").status_code == 404


BAD_WINDOWS = [
    ("from=2026-11-25T00:00:00", "from"),
    ("from=2026-11-25", "from"),
    ("from=x", "from"),
    ("from=2026-11-26T00:00:00Z&to=2026-11-25T00:00:00Z", "to"),
    ("from=2026-11-26T00:00:00Z&to=2026-11-26T00:00:00Z", "to"),
    ("from=2026-11-26T00:00:00Z&to=2027-11-26T00:00:00Z", "to"),
    ("from=2026-11-25T00:00:00Z&to=2027-02-26T00:00:00Z", "to"),
    ("from=9999-12-31T23:59:59Z", "from"),
    ("from=1000-01-01T00:00:00Z", "from"),
    ("day=1", "day"),
]


@pytest.mark.parametrize(("query", "field"), BAD_WINDOWS)
def test_windows_that_cannot_be_are_named_by_field(client, query, field):
    instrument = make_instrument()

    for address in (f"/instruments/{instrument.id}/availability", "/free-slots"):
        answer = client.get(f"{API}{address}?{query}")

        assert answer.status_code == 422
        assert list(answer.json["errors"]) == [field]


def test_ninety_two_days_are_allowed_even_at_the_end_of_time(client):
    instrument = make_instrument()

    for start, end in (
        ("2026-11-25T00:00:00Z", "2027-02-25T00:00:00Z"),
        ("2099-10-01T00:00:00Z", "2100-01-01T00:00:00Z"),
        ("2000-01-01T00:00:00Z", "2000-01-02T00:00:00Z"),
    ):
        address = f"{API}/instruments/{instrument.id}/availability?from={start}&to={end}"
        assert client.get(address).status_code == 200


def test_free_slots_need_no_filter_and_no_login(client):
    instrument = make_instrument()

    answer = client.get(f"{API}/free-slots")

    assert answer.json == {
        "items": [
            {
                "instrument_id": instrument.id,
                "starts_at": "2026-11-23T03:00:00Z",
                "ends_at": "2026-11-23T04:00:00Z",
            }
        ],
        "next_cursor": None,
    }


def test_free_slots_are_filtered_and_limited(client):
    for code, region in (("020101", "430102"), ("020101", "430103"), ("030101", "430102")):
        make_instrument(category_code=code, region_code=region)

    def count(query):
        return len(client.get(f"{API}/free-slots?{query}").json["items"])

    assert count("category=0201") == 2
    assert count("category=0201&region=4301&minutes=120&limit=1") == 1
    assert count("region=430102") == 2
    assert count("minutes=45") == 0


def test_who_is_signed_in_is_offered_what_their_class_has_a_price_for(client, owner, headers):
    make_instrument(institution=owner, sharing_mode=SharingMode.INTERNAL, price=None)

    assert client.get(f"{API}/free-slots").json["items"] == []
    assert len(client.get(f"{API}/free-slots", headers=headers).json["items"]) == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("minutes=0", "minutes"),
        ("minutes=99999", "minutes"),
        ("minutes=1e3", "minutes"),
        ("category=02x", "category"),
        ("category=0201010", "category"),
        ("region=长沙", "region"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("q=x", "q"),
    ],
)
def test_filters_that_cannot_be_are_named_by_field(client, query, field):
    answer = client.get(f"{API}/free-slots?{query}")

    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]


def test_a_free_slot_that_was_offered_can_be_had(client, bearer):
    instrument = make_instrument()
    busy = TimeSlot(WEDNESDAY_10, slot().ends_at)
    service.occupy(instrument.id, busy)
    offered = client.get(f"{API}/free-slots?from=2026-11-25T10:00:00%2B08:00").json["items"][0]

    answer = client.post(
        f"{API}/reservations", json=offered, headers=bearer(make_user(make_organisation()))
    )

    assert answer.status_code == 201


def test_the_search_takes_a_constant_number_of_statements(client, headers):
    for _ in range(10):
        make_instrument()

    with counted() as statements:
        client.get(f"{API}/free-slots?category=0201&region=4301", headers=headers)

    assert len(statements) == 5  # token, whose prices, patterns, days, what is taken


def test_the_list_shows_institution_price_and_free_slot(client, owner):
    instrument = make_instrument(institution=owner)

    answer = client.get(
        f"{API}/instruments?free_from=2026-11-25T10:00:00%2B08:00"
        "&free_to=2026-11-25T18:00:00%2B08:00&minutes=120&sort=price&price_max=200"
    )

    (item,) = answer.json["items"]
    assert item["id"] == instrument.id
    assert item["institution"] == {"id": owner.id, "name": owner.name, "uscc": owner.uscc}
    assert item["price"]["discounted_per_hour"]["amount"] == "144.00"
    assert item["earliest"]["starts_at"] == "2026-11-25T02:00:00Z"
    assert (item["bookable"], answer.json["next_cursor"]) == (True, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort=best", "sort"),
        ("price_max=-1", "price_max"),
        ("price_max=1e3", "price_max"),
        ("institution=0", "institution"),
        ("free_from=2026-11-25T10:00:00", "free_from"),
        ("free_from=2026-11-25T10:00:00Z&free_to=2026-11-25T10:00:00Z", "free_to"),
        ("free_to=2020-11-25T10:00:00Z", "free_to"),
        ("free_to=2028-11-25T10:00:00Z", "free_to"),
        ("q=" + "x" * 101, "q"),
        ("cursor=!", "cursor"),
        ("colour=red", "colour"),
    ],
)
def test_a_list_that_cannot_be_is_named_by_field(client, query, field):
    answer = client.get(f"{API}/instruments?{query}")

    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]
