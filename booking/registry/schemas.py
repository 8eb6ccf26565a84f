"""What comes in and goes out over the API for instruments."""

from decimal import Decimal
from typing import Any

from marshmallow import fields, post_load, pre_dump, validate, validates_schema

from booking.kernel.names import masked
from booking.kernel.schema import Count, Id, Instant, Line, Paragraph, Schema, unusable
from booking.kernel.text import N_
from booking.registry.models import (
    Funds,
    InstrumentSource,
    InstrumentType,
    Publication,
    RunningState,
    SharingMode,
)
from booking.registry.rules import (
    LIMITS,
    LONGEST_STANDARD,
    MOST_HOURS,
    MOST_STANDARDS,
    MOST_SUBJECTS,
    MOST_UNITS,
    ROOM_FOR_BLANKS,
    needs_national_entry,
)

_AMOUNT = validate.Regexp(
    r"[0-9]{1,10}([.][0-9]{1,2})?\Z", error=N_("须为文本，最多两位小数。").msgid
)
_SHORTEST_TO_MASK = 8


def _line(name: str, **kwargs: Any) -> Line:
    """Return the field with room for blanks; how many 字 it may hold is for the rules to say."""
    return Line(max_length=ROOM_FOR_BLANKS * LIMITS[name], **kwargs)


def _paragraph(name: str) -> Paragraph:
    return Paragraph(max_length=ROOM_FOR_BLANKS * LIMITS[name])


def _flag() -> fields.Boolean:
    return fields.Boolean(truthy={True}, falsy={False})


class WorthSchema(Schema):
    """An amount in 万元 as text, two decimals."""

    amount = Line(required=True, max_length=13, validate=_AMOUNT)
    unit = Line(load_default="万元", max_length=2, validate=validate.OneOf(["万元"]))

    @post_load
    def to_decimal(self, data: dict[str, Any], **_: Any) -> Decimal:
        """Return the amount."""
        return Decimal(data["amount"])

    @pre_dump
    def to_text(self, worth: Decimal, **_: Any) -> dict[str, str]:
        """Return it with both decimals."""
        return {"amount": f"{worth:.2f}", "unit": "万元"}


class InstrumentFields(Schema):
    """What an institution says of an instrument (domain §2.1)."""

    inner_id = _line("inner_id")
    name = _line("name")
    english_name = _line("english_name")
    category_code = Line(max_length=6)
    instrument_type = fields.Enum(InstrumentType, by_value=True)
    source = fields.Enum(InstrumentSource, by_value=True, allow_none=True)
    worth_wan = fields.Nested(WorthSchema, data_key="worth", allow_none=True)
    funds = fields.List(fields.Enum(Funds, by_value=True), validate=validate.Length(max=len(Funds)))
    nation = _line("nation")
    manufacturer = _line("manufacturer")
    model = _line("model")
    commissioned_on = fields.Date(allow_none=True)
    subjects = fields.List(Line(max_length=7), validate=validate.Length(max=MOST_SUBJECTS))
    technical = _paragraph("technical")
    functions = _paragraph("functions")
    service_content = _paragraph("service_content")
    achievement = _paragraph("achievement")
    requirement = _paragraph("requirement")
    fee_note = _paragraph("fee_note")
    service_url = _line("service_url")
    standards = fields.List(
        Line(max_length=LONGEST_STANDARD), validate=validate.Length(max=MOST_STANDARDS)
    )
    region_code = Line(max_length=6, allow_none=True)
    place = _line("place")
    street = _line("street")
    department = _line("department")
    contact = _line("contact")
    phone = _line("phone")
    email = _line("email")
    postal_code = Line(max_length=6)
    running_state = fields.Enum(RunningState, by_value=True)
    sharing_mode = fields.Enum(SharingMode, by_value=True)
    customs_supervised = _flag()
    customs_declaration = Line(max_length=18)
    customs_item = Line(max_length=2)
    customs_released_on = fields.Date(allow_none=True)
    customs_goods_name = _line("customs_goods_name")
    attached_to = _line("attached_to")
    rated_hours = Count(least=1, most=MOST_HOURS, allow_none=True)
    units = Count(least=1, most=MOST_UNITS)
    time_zone = Line(max_length=50)


class InstrumentIn(InstrumentFields):
    """An instrument to register; `institution_id` only for who manages several."""

    inner_id = _line("inner_id", required=True, min_length=1)
    name = _line("name", required=True, min_length=1)
    institution_id = Id(load_default=None)

    @post_load
    def to_arguments(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put the institution beside the values."""
        return {"institution_id": data.pop("institution_id"), "values": data}


class InstrumentPatch(InstrumentFields):
    """What is to change; what is left out stays."""

    version = Count(least=1, most=2**31, load_default=None)

    @validates_schema
    def changes_something(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a change of nothing."""
        if not set(data) - {"version"}:
            raise unusable(N_("请给出要更改的内容。"))

    @post_load
    def to_arguments(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put the version beside the values."""
        return {"version": data.pop("version"), "values": data}


class OwnerOut(Schema):
    """The institution an instrument belongs to."""

    id = fields.Integer()
    name = fields.String()
    uscc = fields.String(allow_none=True)


class CategoryNamed(Schema):
    """A class of instruments; the name is null for codes that left the list."""

    scheme = fields.String()
    code = fields.String()
    name = fields.String(allow_none=True)


class RegionNamed(Schema):
    """Where an instrument stands: `湖南省 长沙市 岳麓区`."""

    code = fields.String()
    name = fields.String(allow_none=True)


class InstrumentOut(InstrumentFields):
    """An instrument; the contact's phone in full only for who is signed in (domain §8)."""

    class Meta:
        """The codes go out with their names."""

        exclude = ("category_code", "region_code")

    id = fields.Integer()
    institution = fields.Nested(OwnerOut)
    category = fields.Nested(CategoryNamed)
    region = fields.Nested(RegionNamed, allow_none=True)
    nrii_required = fields.Boolean()
    publication = fields.Enum(Publication, by_value=True)
    published_at = Instant(allow_none=True)
    source_format = fields.String()
    version = fields.Integer()
    created_at = Instant()
    updated_at = Instant()

    @pre_dump
    def flat(self, found: Any, **_: Any) -> dict[str, Any]:
        """Put the names of codes in their places."""
        instrument = found.instrument
        whole = {name: getattr(instrument, name) for name in _WHOLE}
        whole["funds"] = [Funds(each) for each in instrument.funds]
        if not found.sees_phone:
            whole["phone"] = _masked(instrument.phone)
        return whole | named(found)


class InstrumentListed(Schema):
    """An instrument as lists show it: without texts and contact."""

    id = fields.Integer()
    inner_id = fields.String()
    name = fields.String()
    english_name = fields.String()
    institution = fields.Nested(OwnerOut)
    category = fields.Nested(CategoryNamed)
    region = fields.Nested(RegionNamed, allow_none=True)
    place = fields.String()
    manufacturer = fields.String()
    model = fields.String()
    standards = fields.List(fields.String())
    running_state = fields.Enum(RunningState, by_value=True)
    sharing_mode = fields.Enum(SharingMode, by_value=True)
    publication = fields.Enum(Publication, by_value=True)
    units = fields.Integer()
    time_zone = fields.String()
    nrii_required = fields.Boolean()
    version = fields.Integer()

    @pre_dump
    def flat(self, found: Any, **_: Any) -> dict[str, Any]:
        """Put the names of codes in their places."""
        return {name: getattr(found.instrument, name) for name in _LISTED} | named(found)


def named(found: Any) -> dict[str, Any]:
    """Return what `queries.Described` adds to an instrument, by the names of the API."""
    instrument = found.instrument
    region = {"code": instrument.region_code, "name": found.region}
    return {
        "institution": instrument.institution,
        "category": {
            "scheme": instrument.category_scheme,
            "code": instrument.category_code,
            "name": found.category,
        },
        "region": region if instrument.region_code else None,
        "nrii_required": needs_national_entry(instrument.worth_wan),
    }


def _masked(phone: str) -> str | None:
    """Return the number without its middle; a short one would be left whole by the usual mask."""
    return masked(phone) if len(phone) >= _SHORTEST_TO_MASK else "****" if phone else ""


_ADDED = {"institution", "category", "region", "nrii_required"}
_WHOLE = tuple(InstrumentOut().fields.keys() - _ADDED)
_LISTED = tuple(InstrumentListed().fields.keys() - _ADDED)
