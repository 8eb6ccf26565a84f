"""Whatever is sent, the answer is a clear refusal, nothing changes and nothing leaks."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select

from booking.accounts.rules import Role
from booking.availability.models import Occupancy
from booking.journal.models import JournalEntry
from booking.kernel.db import db
from booking.kernel.idempotency import StoredAnswer
from booking.reservations.models import Reservation
from tests.factories import (
    WEDNESDAY_10,
    bearer,
    make_instrument,
    make_organisation,
    make_user,
)

pytestmark = pytest.mark.service
RESERVATIONS = "/api/v1/reservations"
STARTS, ENDS = "2026-11-25T10:00:00+08:00", "2026-11-25T12:00:00+08:00"
TABLES = (Reservation, Occupancy, JournalEntry, StoredAnswer)


@dataclass
class World:
    """A firm with one reservation, and what must still be there afterwards."""

    client: Any
    headers: dict[str, str]
    instrument_id: int
    reservation: dict[str, Any]
    counts: list[int]

    def body(self, **given: Any) -> dict[str, Any]:
        """A body that would be accepted, but for what is given."""
        return {
            "instrument_id": self.instrument_id,
            "starts_at": "2026-11-26T10:00:00+08:00",
            "ends_at": "2026-11-26T12:00:00+08:00",
        } | given

    def send(
        self, raw: Any, method: str = "POST", address: str = RESERVATIONS, **given: Any
    ) -> Any:
        """Send raw bytes, or JSON that the client writes."""
        raw = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
        given.setdefault("content_type", "application/json")
        return self.client.open(address, method=method, data=raw, headers=self.headers, **given)

    def assert_refused(self, answer: Any, status: int, code: str, *fields: str) -> None:
        """The refusal says what is wrong, in Chinese, and nothing has changed."""
        body = answer.get_json()
        assert (answer.status_code, body["code"]) == (status, code), body
        assert answer.content_type == "application/problem+json"
        assert sorted(body.get("errors", {})) == sorted(fields)
        assert "Traceback" not in answer.text
        assert 'File "' not in answer.text
        assert counts() == self.counts
        shown = self.client.get(self.own, headers=self.headers).get_json()
        assert {name: shown[name] for name in self.reservation} == self.reservation

    @property
    def own(self) -> str:
        return f"{RESERVATIONS}/{self.reservation['id']}"


def counts() -> list[int]:
    return [db.session.scalar(select(func.count()).select_from(table)) for table in TABLES]


@pytest.fixture
def world(client: Any) -> World:
    instrument = make_instrument()
    headers = bearer(make_user(make_organisation(), Role.MANAGER))
    made = client.post(
        RESERVATIONS,
        json={"instrument_id": instrument.id, "starts_at": STARTS, "ends_at": ENDS},
        headers=headers,
    )
    assert made.status_code == 201, made.text
    return World(client, headers, instrument.id, made.get_json(), counts())


def test_the_body_these_tests_spoil_is_accepted_as_it_is(world):
    assert world.send(world.body()).status_code == 201


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"{", id="cut-off"),
        pytest.param(b"instrument_id=1", id="a-form"),
        pytest.param(b'{"a": NaN}', id="nan"),
        pytest.param(b'{"a": -Infinity}', id="infinity"),
        pytest.param(b'{"a": 1e999}', id="beyond-floats"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", id="endless-integer"),
        pytest.param(b'{"instrument_id": 1, "instrument_id": 2}', id="doubled-key"),
        pytest.param(b'{"purpose": "\\ud800"}', id="lone-surrogate"),
        pytest.param(b'{"purpose": "\xff"}', id="not-utf-8"),
        pytest.param('{"purpose": "试验"}'.encode("gbk"), id="gbk"),
        pytest.param('{"purpose": "试验"}'.encode("utf-16"), id="utf-16"),
        pytest.param(b"[" * 2000 + b"]" * 2000, id="2000-deep"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="100000-deep"),
        pytest.param(b"[" * 100_000, id="100000-open"),
    ],
)
@pytest.mark.parametrize("keyed", [False, True], ids=["", "with-key"])
def test_what_is_not_json_is_400(world, raw, keyed):
    if keyed:
        world.headers = world.headers | {"Idempotency-Key": "k"}

    world.assert_refused(world.send(raw), 400, "bad_request")


@pytest.mark.parametrize("body", [[], "text", 5, None, True, [[]], [{"instrument_id": 1}]])
def test_json_that_is_no_object_is_422(world, body):
    world.assert_refused(world.send(body), 422, "validation_failed", "_schema")


def test_no_body_names_every_missing_field(world):
    world.assert_refused(
        world.send(b""), 422, "validation_failed", "instrument_id", "starts_at", "ends_at"
    )


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
        "application/json; charset=gbk",
        "application/json; charset=utf-16",
    ],
)
def test_another_content_type_is_415(world, content_type):
    answer = world.send(world.body(), content_type=content_type)

    world.assert_refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=UTF-8", "APPLICATION/JSON"]
)
def test_utf_8_may_be_said_or_not(world, content_type):
    assert world.send(world.body(), content_type=content_type).status_code == 201


def test_a_body_over_the_limit_is_413(world):
    body = world.body(purpose="x" * 1_048_576)

    world.assert_refused(world.send(body), 413, "too_large")


def test_a_body_over_the_limit_in_chunks_is_413(world):
    raw = json.dumps(world.body(purpose="x" * 1_048_576)).encode()
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}

    answer = world.send(raw, content_length="", environ_overrides=chunked)

    world.assert_refused(answer, 413, "too_large")


@pytest.mark.parametrize(
    "instrument_id",
    [0, -1, 2**63, 10**400, True, "1", 1.5, None, [], {}],
    ids=repr,
)
def test_what_is_no_id_is_named(world, instrument_id):
    answer = world.send(world.body(instrument_id=instrument_id))

    world.assert_refused(answer, 422, "validation_failed", "instrument_id")


def test_an_id_that_does_not_exist_is_404(world):
    world.assert_refused(world.send(world.body(instrument_id=2**63 - 1)), 404, "not_found")


@pytest.mark.parametrize(
    "number", ["0", "-1", str(2**63), "1.0", "abc", "%00", "1%0a", "{id}", "9" * 400]
)
def test_an_address_with_no_id_is_404(world, number):
    # The digits of another script are no id, whatever they would come to.
    arabic = "".join(chr(0x0660 + int(digit)) for digit in str(world.reservation["id"]))
    number = number.format(id=arabic)
    answer = world.client.get(f"{RESERVATIONS}/{number}", headers=world.headers)

    world.assert_refused(answer, 404, "not_found")


def test_unknown_fields_are_named_not_ignored(world):
    answer = world.send(world.body(instrumentid=1, price={"amount": "0.01"}))

    world.assert_refused(answer, 422, "validation_failed", "instrumentid", "price")


def test_unknown_parameters_in_the_address_are_named_not_ignored(world):
    answer = world.client.get(f"{RESERVATIONS}?limt=5&status=confirmed", headers=world.headers)

    world.assert_refused(answer, 422, "validation_failed", "limt")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e2", "limit"),
        ("limit=%D9%A1", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("cursor=x", "cursor"),
        ("cursor=W10", "cursor"),
        ("cursor=WzEuNV0", "cursor"),
        ("cursor=" + "A" * 1001, "cursor"),
        ("cursor=%00", "cursor"),
        ("status=unheard", "status"),
        ("status=confirmed%00", "status"),
        ("instrument=0", "instrument"),
        ("instrument=9223372036854775808", "instrument"),
    ],
)
def test_an_unusable_parameter_is_named(world, query, field):
    answer = world.client.get(f"{RESERVATIONS}?{query}", headers=world.headers)

    world.assert_refused(answer, 422, "validation_failed", field)


@pytest.mark.parametrize("query", ["status=%ff", "q=%c3%28", "%ed%a0%80=1"])
def test_a_query_that_is_not_utf_8_is_400(world, query):
    answer = world.client.get(f"{RESERVATIONS}?{query}", headers=world.headers)

    world.assert_refused(answer, 400, "bad_request")


@pytest.mark.parametrize(
    "purpose",
    [
        pytest.param("用" * 201, id="too-long"),
        pytest.param("x" * 10_000, id="10000-characters"),
        pytest.param("a\0b", id="nul"),
        pytest.param("a\x1b[31mb", id="escape"),
        pytest.param("a\x7f", id="delete"),
        pytest.param(5, id="number"),
        pytest.param(None, id="null"),
        pytest.param(["a"], id="list"),
    ],
)
@pytest.mark.parametrize("door", ["POST", "PATCH"])
def test_unusable_text_is_named(world, purpose, door):
    if door == "PATCH":
        answer = world.send({"reason": purpose}, address=f"{world.own}/cancel")
        world.assert_refused(answer, 422, "validation_failed", "reason")
    else:
        answer = world.send(world.body(purpose=purpose))
        world.assert_refused(answer, 422, "validation_failed", "purpose")


TIMES = [
    pytest.param("2026-11-26T10:00:00", ENDS, "starts_at", id="naive"),
    pytest.param("2026-11-26", ENDS, "starts_at", id="date-alone"),
    pytest.param(1795570800, ENDS, "starts_at", id="number"),
    pytest.param("2026-11-26T12:00:00Z", "2026-11-26T10:00:00Z", "ends_at", id="reversed"),
    pytest.param("2026-11-26T10:00:00Z", "2026-11-26T10:00:00Z", "ends_at", id="zero-length"),
    pytest.param(
        "2026-11-26T10:00:00Z", "2026-11-26T18:00:00+08:00", "ends_at", id="zero-across-zones"
    ),
    pytest.param("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", None, id="year-9999"),
    pytest.param(
        "9999-12-31T23:59:59+23:59", "9999-12-31T23:59:59-23:59", None, id="end-of-the-calendar"
    ),
    pytest.param("0001-01-01T00:00:00+23:59", ENDS, "starts_at", id="start-of-the-calendar"),
    pytest.param("2026-12-31T23:59:60Z", ENDS, "starts_at", id="leap-second"),
    pytest.param("2026-02-29T10:00:00Z", ENDS, "starts_at", id="no-such-day"),
    pytest.param("2026-11-26T10:00:00+24:00", ENDS, "starts_at", id="offset-of-a-day"),
    pytest.param("now", ENDS, "starts_at", id="word"),
]


@pytest.mark.parametrize(("starts_at", "ends_at", "field"), TIMES)
@pytest.mark.parametrize("door", ["create", "move", "quote"])
def test_unusable_times_are_named_at_every_door(world, starts_at, ends_at, field, door):
    times = {"starts_at": starts_at, "ends_at": ends_at}
    fields = [field] if field else ["starts_at", "ends_at"]

    if door == "move":
        answer = world.send(times, method="PATCH", address=world.own)
    elif door == "quote":
        answer = world.send(world.body(**times), address="/api/v1/quotes")
    else:
        answer = world.send(world.body(**times))

    world.assert_refused(answer, 422, "validation_failed", *fields)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "rule"),
    [
        ("2099-12-30T10:00:00+08:00", "2099-12-30T12:00:00+08:00", "horizon"),
        ("2000-01-03T10:00:00+08:00", "2000-01-03T12:00:00+08:00", "past"),
        ("2026-11-26T10:00:00+08:00", "2090-11-26T10:00:00+08:00", "longest"),
        ("2026-11-26T10:00:00.000001+08:00", "2026-11-26T12:00:00+08:00", "grid"),
        ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "longest"),
    ],
)
def test_times_that_exist_but_cannot_be_are_a_rules_no(world, starts_at, ends_at, rule):
    answer = world.send(world.body(starts_at=starts_at, ends_at=ends_at))

    world.assert_refused(answer, 422, "not_bookable")
    assert rule in [violation["rule"] for violation in answer.get_json()["violations"]]


def test_somebody_elses_reservation_is_404_for_every_verb(world):
    stranger = bearer(make_user(make_organisation(), Role.MANAGER))
    times = {"starts_at": "2026-11-27T10:00:00+08:00", "ends_at": "2026-11-27T12:00:00+08:00"}

    for method, address, body in (
        ("GET", world.own, None),
        ("PATCH", world.own, times),
        ("POST", f"{world.own}/cancel", {}),
    ):
        answer = world.client.open(address, method=method, json=body, headers=stranger)
        world.assert_refused(answer, 404, "not_found")


def test_an_unknown_address_is_a_problem_too(world):
    world.assert_refused(
        world.client.get("/api/v1/nowhere", headers=world.headers), 404, "not_found"
    )


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "BREW"])
def test_a_method_that_is_not_there_is_405_and_says_what_is(world, method):
    answer = world.send(b"", method=method)

    world.assert_refused(answer, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].replace(" ", "").split(","))


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Bearer x y", "Basic eDp5", "Bearer " + "x" * 10_000, "Bearer \xff"],
)
def test_no_token_or_a_bad_one_is_401(world, value):
    answer = world.client.get(RESERVATIONS, headers={"Authorization": value})

    world.assert_refused(answer, 401, "not_signed_in")


def test_an_older_version_is_409(world):
    address, version = world.own, world.reservation["version"]
    later = {"starts_at": "2026-11-27T10:00:00+08:00", "ends_at": "2026-11-27T12:00:00+08:00"}
    moved = world.send(later | {"version": version}, method="PATCH", address=address)
    assert moved.status_code == 200
    world.reservation, world.counts = moved.get_json(), counts()

    again = world.send(
        {"starts_at": STARTS, "ends_at": ENDS, "version": version}, method="PATCH", address=address
    )

    world.assert_refused(again, 409, "stale")
    assert again.get_json()["version"] == version + 1


@pytest.mark.parametrize("version", [0, -1, 2**31 + 1, 2**64, "1", True, 1.5])
def test_what_is_no_version_is_named(world, version):
    answer = world.send({"version": version}, address=f"{world.own}/cancel")

    world.assert_refused(answer, 422, "validation_failed", "version")


HAN = range(0x4E00, 0xA000)


def test_refusals_are_in_chinese_and_on_demand_in_english(world):
    spoiled = world.body(instrument_id="1", starts_at="x", nothing=1, purpose="x" * 300)

    chinese = world.send(spoiled).get_json()["errors"]
    world.headers = world.headers | {"Accept-Language": "en"}
    english = world.send(spoiled).get_json()["errors"]

    assert list(chinese) == list(english)
    assert all(any(ord(char) in HAN for char in text) for [text] in chinese.values())
    assert all(text.isascii() for [text] in english.values())


def test_a_slot_just_taken_is_409_with_the_next_free_ones(world):
    assert WEDNESDAY_10.isoformat() == STARTS

    answer = world.send(world.body(starts_at=STARTS, ends_at=ENDS))

    world.assert_refused(answer, 409, "slot_taken")
