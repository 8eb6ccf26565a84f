"""Cursors come back from strangers: anything but our own is refused by name."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.kernel import paging
from booking.kernel.errors import InvalidField

strings = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50)


def forged(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@given(st.integers(-(2**63), 2**63 - 1), strings)
def test_a_cursor_gives_back_its_key(number, text):
    assert paging.decode(paging.encode(number, text), int, str) == [number, text]


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param("", id="empty"),
        pytest.param("%%%", id="not-base64"),
        pytest.param("游标", id="not-ascii"),
        pytest.param("AAAA", id="not-json"),
        pytest.param(forged({"id": 1}), id="object"),
        pytest.param(forged(5), id="bare-number"),
        pytest.param(forged([]), id="too-short"),
        pytest.param(forged([1, 2]), id="too-long"),
        pytest.param(forged(["1"]), id="text-for-number"),
        pytest.param(forged([True]), id="boolean-for-number"),
        pytest.param(forged([1.5]), id="fraction-for-number"),
        pytest.param(forged([None]), id="null"),
        pytest.param(forged([2**63]), id="beyond-64-bits"),
        pytest.param(forged([-(2**63) - 1]), id="below-64-bits"),
        pytest.param("W" * 999, id="rubbish"),
        pytest.param(base64.urlsafe_b64encode(b"[" * 100_000).decode(), id="nested-too-deep"),
    ],
)
def test_a_forged_cursor_is_refused(cursor):
    with pytest.raises(InvalidField) as refused:
        paging.decode(cursor, int)

    assert list(refused.value.details["errors"]) == ["cursor"]


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_text_the_database_cannot_hold_is_refused(text):
    with pytest.raises(InvalidField):
        paging.decode(forged([text]), str)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(number):
    with pytest.raises(InvalidField):
        paging.decode(forged([number]), float)


def test_a_changed_letter_never_breaks_anything():
    cursor = paging.encode(123456, "电子")

    for place in range(len(cursor)):
        try:
            paging.decode(cursor[:place] + "A" + cursor[place + 1 :], int, str)
        except InvalidField:
            continue
