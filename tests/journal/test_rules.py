"""Canonical lines and the digest of a seal, without a database."""

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.journal.rules import GENESIS, Chain, line

AT = datetime.fromisoformat("2026-11-23T09:00:00+08:00")
ENTRY = {"id": 1, "at": AT, "action": "reservation.reserved", "data": {"b": 1, "a": "测"}}
SEALED = {"sealed_on": date(2026, 11, 24), "first_id": 1, "last_id": 9}


def digest(*entries, previous=GENESIS, **given):
    chain = Chain(previous)
    for entry in entries:
        chain.add(entry)
    return chain.digest(**SEALED | given)


def test_a_line_is_canonical_json():
    assert line(ENTRY).decode() == (
        '{"action":"reservation.reserved","at":"2026-11-23T01:00:00.000000+00:00",'
        '"data":{"a":"测","b":1},"id":1}\n'
    )


def test_the_order_of_keys_does_not_matter():
    assert line(ENTRY) == line(dict(reversed(ENTRY.items())))


@given(st.integers(-12, 14))
def test_an_instant_reads_the_same_in_every_zone(hours):
    zone = timezone(timedelta(hours=hours))

    assert line(ENTRY | {"at": AT.astimezone(zone)}) == line(ENTRY)


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(TypeError, match="journal"):
        line({"data": object()})


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(digest(ENTRY, previous=b"\1" * 32), id="previous-seal"),
        pytest.param(digest(ENTRY | {"id": 2}), id="an-entry"),
        pytest.param(digest(ENTRY | {"at": AT + timedelta(microseconds=1)}), id="an-instant"),
        pytest.param(digest(), id="an-entry-missing"),
        pytest.param(digest(ENTRY, ENTRY), id="an-entry-more"),
        pytest.param(digest(ENTRY, last_id=10), id="the-range"),
        pytest.param(digest(ENTRY, sealed_on=date(2026, 11, 25)), id="the-day"),
    ],
)
def test_every_change_changes_the_digest(other):
    assert other != digest(ENTRY)


def test_the_order_of_entries_matters():
    second = ENTRY | {"id": 2}

    assert digest(ENTRY, second) != digest(second, ENTRY)
