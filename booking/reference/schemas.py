"""What comes in and goes out over the API for code lists and the calendar."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from marshmallow import fields, validate, validates_schema

from booking.kernel.schema import Line, PageQuery, QuerySchema, Schema, unusable
from booking.kernel.text import N_
from booking.reference.rules import RegionLevel

LONGEST_RANGE = timedelta(days=400)

_CODE = validate.Regexp(r"[0-9]{6}\Z", error=N_("须为 6 位数字。").msgid)
_PREFIX = validate.Regexp(r"[0-9]{1,6}\Z", error=N_("须为 1 到 6 位数字。").msgid)


class RegionQuery(PageQuery):
    """Filters of the list of regions."""

    parent = Line(load_default=None, max_length=6, validate=_CODE)
    q = Line(load_default=None, max_length=50)


class CategoryQuery(PageQuery):
    """Filters of the list of categories."""

    prefix = Line(load_default=None, max_length=6, validate=_PREFIX)
    q = Line(load_default=None, max_length=50)


class DaysQuery(QuerySchema):
    """Which days; both ends included."""

    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")

    @validates_schema
    def check_range(self, data: dict[str, date], **_: Any) -> None:
        """Refuse a reversed or overlong range."""
        if data["last"] < data["first"]:
            raise unusable(N_("结束日期不能早于开始日期。"), "to")
        if data["last"] - data["first"] >= LONGEST_RANGE:
            raise unusable(N_("一次最多查询 %(days)s 天。", days=LONGEST_RANGE.days), "to")


class Flag(fields.Boolean):
    """true or false, not something like it."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class DayIn(Schema):
    """What staff say of a day."""

    is_workday = Flag(required=True)
    name = Line(load_default=None, allow_none=True, max_length=50)


class RegionOut(Schema):
    """A unit of GB/T 2260 with the years its code has this meaning."""

    code = fields.String()
    name = fields.String()
    full_name = fields.String()
    level = fields.Enum(RegionLevel, by_value=True)
    parent_code = fields.String(allow_none=True)
    valid_from = fields.Integer(allow_none=True)
    valid_to = fields.Integer(allow_none=True)


class CategoryOut(Schema):
    """A class of instruments."""

    scheme = fields.String()
    code = fields.String()
    name = fields.String()


class IndustryOut(Schema):
    """A section or division of GB/T 4754."""

    code = fields.String()
    name = fields.String()
    section = fields.String()


class DayOut(Schema):
    """A day of the working calendar."""

    day = fields.Date()
    is_workday = fields.Boolean()
    name = fields.String(allow_none=True)
    source = fields.String()
    provisional = fields.Boolean()


class RegionPage(Schema):
    """A page of regions."""

    items = fields.List(fields.Nested(RegionOut))
    next_cursor = fields.String(allow_none=True)


class CategoryPage(Schema):
    """A page of categories."""

    items = fields.List(fields.Nested(CategoryOut))
    next_cursor = fields.String(allow_none=True)


class IndustryPage(Schema):
    """All industries: never more than one page."""

    items = fields.List(fields.Nested(IndustryOut))
    next_cursor = fields.String(allow_none=True)


class DayPage(Schema):
    """The days asked for: never more than one page."""

    items = fields.List(fields.Nested(DayOut))
    next_cursor = fields.String(allow_none=True)
