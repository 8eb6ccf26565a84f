"""What comes in passes the strict fields of the kernel, never marshmallow's lenient ones."""

from collections.abc import Iterator
from typing import Any

from marshmallow import RAISE, Schema, fields

LENIENT = {
    fields.String: "Line or Paragraph",
    fields.Integer: "Id, Count, QueryId or QueryCount",
    fields.Float: "Count or MoneyField",
    fields.DateTime: "Instant",
    fields.NaiveDateTime: "Instant",
    fields.AwareDateTime: "Instant",
    fields.Raw: "a field of a kind",
    fields.Field: "a field of a kind",
}


def incoming(app) -> Iterator[Schema]:
    """Yield the schema of every body and query of the API."""
    for blueprint in app.blueprints.values():
        for methods in getattr(blueprint, "_docs", {}).values():
            for method, doc in methods.items():
                if method == "parameters":
                    continue
                for parameter in doc.get("arguments", {}).get("parameters", ()):
                    schema = parameter["schema"]
                    yield schema() if isinstance(schema, type) else schema


def leaves(field: Any) -> Iterator[Any]:
    if isinstance(field, fields.List):
        yield from leaves(field.inner)
    elif isinstance(field, fields.Nested):
        yield from (leaf for inner in field.schema.fields.values() for leaf in leaves(inner))
    else:
        yield field


def test_no_lenient_field_takes_input(app):
    found = {
        f"{type(schema).__name__}.{leaf.name}: use {LENIENT[type(leaf)]}"
        for schema in incoming(app)
        for field in schema.load_fields.values()
        for leaf in leaves(field)
        if type(leaf) in LENIENT
    }

    assert found == set()


def test_unknown_fields_are_refused_everywhere(app):
    lenient = {type(schema).__name__ for schema in incoming(app) if schema.unknown != RAISE}

    assert lenient == set()


def test_lists_that_come_in_are_bounded(app):
    unbounded = {
        f"{type(schema).__name__}.{name}"
        for schema in incoming(app)
        for name, field in schema.load_fields.items()
        if isinstance(field, fields.List) and not field.validators
    }

    assert unbounded == set()
