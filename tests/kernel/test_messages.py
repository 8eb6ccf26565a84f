"""Every sentence that marshmallow's fields and validators can say has its Chinese."""

import re

import pytest
from marshmallow import Schema, ValidationError, fields, validate

from booking.kernel.messages import in_chinese
from booking.kernel.schema import Count, Id, Instant, Line, MoneyField, Paragraph, QueryCount
from booking.kernel.text import Text

HAN = re.compile(r"[\u4e00-\u9fff]")
FIELDS = [
    fields.String(),
    fields.Integer(strict=True),
    fields.Float(),
    fields.Boolean(),
    fields.Date(),
    fields.Time(),
    fields.DateTime(),
    fields.AwareDateTime(),
    fields.List(fields.Integer()),
    fields.Dict(),
    fields.Email(),
    fields.URL(),
    fields.UUID(),
    fields.Decimal(),
    Line(min_length=2, max_length=3),
    Line(max_length=3),
    Paragraph(max_length=3),
    Id(),
    Count(most=5),
    QueryCount(least=1, most=5),
    Instant(),
    MoneyField(),
]
VALUES = [
    None,
    "",
    "x",
    "xxxx",
    "a\0",
    b"\xff",
    5.5,
    "9" * 400,
    10**400,
    float("nan"),
    [],
    ["x"],
    {},
    -1,
    "2026-11-25",
    "2026-11-25T10:00:00",
    {"amount": 1},
    {"amount": "1", "currency": "EUR"},
    True,
]
VALIDATORS = [
    (validate.Range(min=1), 0),
    (validate.Range(max=1), 2),
    (validate.Range(min=1, min_inclusive=False), 1),
    (validate.Range(max=1, max_inclusive=False), 1),
    (validate.Range(min=1, max=2), 3),
    (validate.Range(min=1, max=2, max_inclusive=False), 2),
    (validate.Range(min=1, max=2, min_inclusive=False), 1),
    (validate.Range(min=1, max=2, min_inclusive=False, max_inclusive=False), 1),
    (validate.Length(min=2), "a"),
    (validate.Length(max=2), "aaa"),
    (validate.Length(min=1, max=2), "aaa"),
    (validate.Length(equal=2), "aaa"),
    (validate.Equal(5), 6),
    (validate.OneOf(["a", "b"]), "c"),
    (validate.NoneOf(["c"]), "c"),
    (validate.ContainsOnly(["a"]), ["c"]),
    (validate.ContainsNoneOf(["c"]), ["c"]),
    (validate.Regexp("a"), "b"),
    (validate.Predicate("isdigit"), "b"),
    (validate.Email(), "b"),
    (validate.URL(), "b"),
]


def sentences(found):
    if isinstance(found, dict):
        return [sentence for part in found.values() for sentence in sentences(part)]
    if isinstance(found, list):
        return [sentence for part in found for sentence in sentences(part)]
    return [found]


def in_words(sentence):
    return str(sentence) if isinstance(sentence, Text) else in_chinese(sentence)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: type(field).__name__)
def test_whatever_a_field_refuses_it_refuses_in_chinese(field):
    refused = []
    for value in VALUES:
        try:
            field.deserialize(value)
        except ValidationError as error:
            refused += sentences(error.messages)

    assert refused
    assert [sentence for sentence in refused if not HAN.search(in_words(sentence))] == []


@pytest.mark.parametrize(("validator", "value"), VALIDATORS)
def test_whatever_a_validator_refuses_it_refuses_in_chinese(validator, value):
    with pytest.raises(ValidationError) as refused:
        validator(value)

    assert all(HAN.search(in_words(sentence)) for sentence in sentences(refused.value.messages))


class Thing(Schema):
    name = fields.String(required=True)


@pytest.mark.parametrize("body", [{}, {"name": "a", "nmae": "b"}, [], "text", None, 5])
def test_whatever_a_schema_refuses_it_refuses_in_chinese(body):
    with pytest.raises(ValidationError) as refused:
        Thing().load(body)

    found = sentences(refused.value.normalized_messages())
    assert all(HAN.search(in_words(sentence)) for sentence in found)


def test_bounds_are_kept_in_the_chinese_sentence():
    english = "Must be greater than or equal to 1 and less than or equal to 200."

    assert in_chinese(english) == "须在 1 到 200 之间。"


def test_a_sentence_that_is_not_a_validators_stays():
    assert in_chinese("结束时间须晚于开始时间。") == "结束时间须晚于开始时间。"
