"""The fields every schema is made of."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema as MarshmallowSchema
from marshmallow import ValidationError, fields

from booking.kernel.money import Money
from booking.kernel.schema import (
    Count,
    Id,
    Instant,
    Line,
    MoneyField,
    PageQuery,
    Paragraph,
    QueryId,
    Schema,
    rfc3339,
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  电子万能试验机 ", "电子万能试验机"),
        ("e\u0301", "\u00e9"),
        ("𠮷", "𠮷"),
        ("", ""),
    ],
)
def test_a_line_is_trimmed_and_composed(text, kept):
    assert Line().deserialize(text) == kept


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\0b", "\x1b[31m", "a\x7f", "a\x85b", "\ud800"])
def test_a_line_holds_no_control_characters(text):
    with pytest.raises(ValidationError):
        Line().deserialize(text)


def test_a_paragraph_may_have_several_lines():
    assert Paragraph().deserialize("一\r\n二\n\t三") == "一\n二\n\t三"


@pytest.mark.parametrize("text", ["a\0b", "\x1b", "\ud800"])
def test_a_paragraph_holds_no_other_control_characters(text):
    with pytest.raises(ValidationError):
        Paragraph().deserialize(text)


def test_lengths_count_characters_not_bytes():
    Line(max_length=3).deserialize("电子𠮷")

    with pytest.raises(ValidationError):
        Line(max_length=3).deserialize("电子万能")


@pytest.mark.parametrize("value", [0, -1, 2**63, True, "1", 1.0, 1.5, None, [], 10**400])
def test_an_id_is_a_positive_64_bit_integer(value):
    with pytest.raises(ValidationError):
        Id().deserialize(value)


@pytest.mark.parametrize("value", [1, 2**63 - 1])
def test_ids_reach_to_the_edge(value):
    assert Id().deserialize(value) == value


@pytest.mark.parametrize("value", ["0", "-1", str(2**63), "1_0", " 1", "١", "1.0", "", "9" * 5000])
def test_an_id_in_an_address_is_plain_digits(value):
    with pytest.raises(ValidationError):
        QueryId().deserialize(value)


def test_a_count_keeps_its_bounds():
    assert Count(least=1, most=5).deserialize(5) == 5
    with pytest.raises(ValidationError):
        Count(least=1, most=5).deserialize(6)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25T10:00:00+08:00",
        "2026-11-25T02:00:00Z",
        "2026-11-25t02:00:00z",
        "2026-11-25T10:00+08:00",
        "2026-11-24T18:15:00-07:45",
        "2026-11-25T02:00:00.000Z",
    ],
)
def test_an_instant_becomes_utc(text):
    assert Instant().deserialize(text) == datetime(2026, 11, 25, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-11-25T10:00:00", id="naive"),
        pytest.param("2026-11-25", id="date-alone"),
        pytest.param("2026-W48-3T10:00:00+08:00", id="week"),
        pytest.param("20261125T100000+0800", id="basic-format"),
        pytest.param("2026-11-25T10:00:60Z", id="leap-second"),
        pytest.param("2026-11-25T24:00:00Z", id="hour-24"),
        pytest.param("2026-02-30T10:00:00Z", id="30-february"),
        pytest.param("2026-11-25T10:00:00+25:00", id="offset-over-a-day"),
        pytest.param("9999-12-31T23:59:59-23:59", id="past-the-calendar"),
        pytest.param("0001-01-01T00:00:00+23:59", id="before-the-calendar"),
        pytest.param("9999-12-31T23:59:59Z", id="year-9999"),
        pytest.param("1999-12-31T23:59:59Z", id="last-century"),
        pytest.param("2026-11-25T10:00:00Z ", id="trailing-space"),
        pytest.param("２０２６-11-25T10:00:00Z", id="wide-digits"),
        pytest.param(1795570800, id="number"),
        pytest.param(True, id="boolean"),
        pytest.param("now", id="word"),
    ],
)
def test_what_is_no_rfc_3339_instant_is_refused(text):
    with pytest.raises(ValidationError):
        Instant().deserialize(text)


@given(st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.timezones()))  # noqa: DTZ001
def test_an_instant_survives_the_way_out_and_in(instant):
    written = Instant()._serialize(instant, "", None)

    assert written.endswith("Z")
    # In an hour that comes twice, instants of two zones never equal each other (PEP 495).
    assert Instant().deserialize(written) == instant.astimezone(UTC)


def test_fractions_are_written_only_where_there_are_any():
    assert rfc3339(datetime(2026, 11, 25, 6, tzinfo=UTC)) == "2026-11-25T06:00:00Z"
    assert rfc3339(datetime(2026, 11, 25, 6, microsecond=5000, tzinfo=UTC)).endswith(".005000Z")


def test_nothing_is_written_as_null():
    assert Instant()._serialize(None, "", None) is None
    assert MoneyField()._serialize(None, "", None) is None


def test_money_goes_in_and_out_as_text():
    given_money = {"amount": "12.50", "currency": "CNY"}

    assert MoneyField().deserialize(given_money) == Money(1250)
    assert MoneyField()._serialize(Money(1250), "", None) == given_money


@pytest.mark.parametrize(
    "value",
    [
        12.5,
        "12.50",
        {},
        {"amount": 12.5},
        {"amount": "1e5"},
        {"amount": "-1"},
        {"amount": "1.234"},
        {"amount": "1."},
        {"amount": "１２"},
        {"amount": "NaN"},
        {"amount": "1" * 13},
        {"amount": "1\n"},
        {"amount": "1", "currency": "EUR"},
        {"amount": "1", "currency": None},
        {"amount": "1", "tax": "0"},
    ],
)
def test_money_that_is_not_plain_yuan_is_refused(value):
    with pytest.raises(ValidationError):
        MoneyField().deserialize(value)


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "", "ten"])
def test_a_page_holds_1_to_200(limit):
    with pytest.raises(ValidationError):
        PageQuery().load({"limit": limit})


class Owner(Schema):
    name = fields.String()


class Shown(Schema):
    id = fields.Integer()
    counted = fields.Integer(as_string=True)
    title = fields.String(attribute="name", data_key="called")
    owner = fields.Nested(Owner)
    owner_name = fields.String(attribute="owner.name")
    at = Instant(allow_none=True)
    price = MoneyField(allow_none=True)
    is_open = fields.Boolean()
    tags = fields.List(fields.String())
    left_out = fields.String()
    said_anyway = fields.Integer(dump_default=7)


@pytest.mark.parametrize("wrap", [dict, lambda values: SimpleNamespace(**values)])
@pytest.mark.parametrize(
    "values",
    [
        {"id": 1, "counted": 2, "name": "试验机", "is_open": False, "tags": ["甲"]},
        {"id": "1", "counted": None, "name": None, "is_open": None, "tags": None},
        {"id": True, "name": 5, "at": datetime(2026, 11, 23, tzinfo=UTC), "price": Money(1250)},
        {"id": 1, "at": None, "price": None, "owner": None},
    ],
)
def test_what_goes_out_is_what_marshmallow_would_send(values, wrap):
    found = wrap({"owner": SimpleNamespace(name="院"), **values})

    assert Shown().dump(found) == MarshmallowSchema.from_dict(Shown().fields)().dump(found)
    assert Shown(many=True).dump([found]) == [Shown().dump(found)]
