"""What counts as JSON here."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.kernel import strictjson

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


@given(values)
def test_ordinary_json_is_read_as_it_was_written(value):
    assert strictjson.loads(json.dumps(value)) == value


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut-off"),
        pytest.param(b"NaN", id="nan"),
        pytest.param(b"[Infinity]", id="infinity"),
        pytest.param(b"-Infinity", id="minus-infinity"),
        pytest.param(b"1e400", id="beyond-floats"),
        pytest.param(b'{"a": 1, "a": 2}', id="doubled-key"),
        pytest.param(b'{"x": {"a": 1, "a": 1}}', id="doubled-key-below"),
        pytest.param(b'"\\ud800"', id="lone-surrogate"),
        pytest.param(b'{"\\udc00": 1}', id="lone-surrogate-as-key"),
        pytest.param(b"\xff\xfe[\x00]\x00", id="utf-16"),
        pytest.param("“张三”".encode("gbk"), id="gbk"),
        pytest.param(b'"\xed\xa0\x80"', id="surrogate-in-utf-8"),
        pytest.param(b"9" * 5000, id="endless-integer"),
        pytest.param(b"[" * 33 + b"]" * 33, id="33-deep"),
        pytest.param(b'{"a":' * 2000 + b"1" + b"}" * 2000, id="2000-deep"),
        pytest.param(b"[" * 100_000, id="100000-deep"),
        pytest.param(b'{"a": "\x01"}', id="raw-control-character"),
    ],
)
def test_anything_else_is_a_value_error(raw):
    with pytest.raises(ValueError):  # noqa: PT011 - many reasons, one answer
        strictjson.loads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"[" * 32 + b"]" * 32, id="32-deep"),
        pytest.param(b'["' + b"[{" * 50 + b'"]', id="brackets-inside-text"),
        pytest.param(b'["\\"' + b"[" * 50 + b'\\\\"]', id="brackets-after-escapes"),
        pytest.param(b"[" + b"[]," * 100 + b"[]]", id="many-side-by-side"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', id="byte-order-mark"),
        pytest.param(b'"\\ud83d\\ude00"', id="surrogate-pair"),
    ],
)
def test_unusual_but_sound_json_is_read(raw):
    assert strictjson.loads(raw) == json.loads(raw.decode("utf-8-sig"))
