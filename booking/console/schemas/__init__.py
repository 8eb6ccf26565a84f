"""What the forms of the console send."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, post_load, validate

from booking.accounts.rules import CustomerClass
from booking.authorisations.rules import Operation
from booking.availability.models import CLOSURE_KINDS, OccupancyKind
from booking.availability.rules import (
    MOST_HOLD_HOURS,
    ApprovalMode,
    ApprovalRule,
    Interval,
    Terms,
    check_hours,
)
from booking.availability.schemas import WEEKDAYS
from booking.kernel.errors import InvalidField
from booking.kernel.forms import FormSchema
from booking.kernel.schema import AMOUNT, Line, Paragraph, QueryCount, QueryId, WallClock, unusable
from booking.kernel.text import N_, Text
from booking.registry.models import InstrumentType, RunningState, SharingMode
from booking.registry.rules import LIMITS, MOST_UNITS, OTHER_CATEGORY, ROOM_FOR_BLANKS
from booking.tariffs.schemas.forms import Share, Yuan


class BareForm(FormSchema):
    """Nothing to fill in: the button says it all."""


class PriceForm(FormSchema):
    """What one or several classes of customers pay per hour."""

    lists = frozenset({"classes"})
    required: ClassVar[Mapping[str, Text]] = {
        "classes": N_("请至少选择一类客户。"),
        "per_hour": N_("请填写每小时的价格。"),
    }
    classes = fields.List(fields.Enum(CustomerClass, by_value=True), required=True)
    per_hour = Yuan(required=True)
    discount_percent = Share(load_default=Decimal(0))
    discount_reason = Line(max_length=200, load_default="")


class Worth(fields.Field[Decimal]):
    """An original value in 万元 as people type it."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Decimal:
        plain = re.sub(r"[\s,]|万元", "", unicodedata.normalize("NFKC", str(value)[:LONGEST_TYPED]))
        if not AMOUNT.fullmatch(plain):
            raise unusable(N_("请填写以万元计的金额，最多两位小数，例如 52.80。"))
        return Decimal(plain)


class Numbers(fields.Field[list[str]]):
    """Numbers of standards, as people list them."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> list[str]:
        parts = (" ".join(part.split()) for part in re.split(r"[;；、，\n]", str(value)))
        return list(dict.fromkeys(part for part in parts if part))


def _line(name: str) -> Line:
    return Line(max_length=ROOM_FOR_BLANKS * LIMITS[name], load_default="")


def _paragraph(name: str) -> Paragraph:
    return Paragraph(max_length=ROOM_FOR_BLANKS * LIMITS[name], load_default="")


class InstrumentForm(FormSchema):
    """What an institution says of an instrument; the rules of the registry have the last word."""

    required: ClassVar[Mapping[str, Text]] = {
        "name": N_("请填写仪器名称。"),
        "inner_id": N_("请填写本单位的仪器编号。"),
    }
    name = Line(max_length=ROOM_FOR_BLANKS * LIMITS["name"], required=True)
    inner_id = Line(max_length=ROOM_FOR_BLANKS * LIMITS["inner_id"], required=True)
    english_name = _line("english_name")
    model = _line("model")
    manufacturer = _line("manufacturer")
    category_code = Line(max_length=6, load_default=OTHER_CATEGORY)
    instrument_type = fields.Enum(
        InstrumentType, by_value=True, load_default=InstrumentType.GENERAL
    )
    worth_wan = Worth(load_default=None)
    commissioned_on = fields.Date(load_default=None)
    units = QueryCount(least=1, most=MOST_UNITS, load_default=1)
    region_code = Line(max_length=6, load_default=None)
    street = _line("street")
    contact = _line("contact")
    phone = _line("phone")
    email = _line("email")
    running_state = fields.Enum(RunningState, by_value=True, load_default=RunningState.NORMAL)
    sharing_mode = fields.Enum(SharingMode, by_value=True, load_default=SharingMode.EXTERNAL)
    customs_supervised = fields.Boolean(load_default=False, truthy={"1"}, falsy={"0"})
    customs_declaration = Line(max_length=18, load_default="")
    customs_item = Line(max_length=2, load_default="")
    technical = _paragraph("technical")
    functions = _paragraph("functions")
    service_content = _paragraph("service_content")
    standards = Numbers(load_default=list)
    requirement = _paragraph("requirement")


class SharingForm(FormSchema):
    """Who may use an instrument."""

    required: ClassVar[Mapping[str, Text]] = {"mode": N_("请选择共享模式。")}
    mode = fields.Enum(SharingMode, by_value=True, required=True)


_DASHES = str.maketrans(dict.fromkeys("–—−~至到", "-"))
_BETWEEN = re.compile(r"[\s,;、]+")
_HOURS = re.compile(r"(\d\d?):([0-5]\d)-(\d\d?):([0-5]\d)", re.ASCII)
MOST_HOURS = 24
LONGEST_TYPED = 400


class DayHours(fields.Field[list[Interval]]):
    """The hours of a day as people type them: `08:30-12:00 14:00-17:30`, any dash and comma."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> list[Interval]:
        plain = unicodedata.normalize("NFKC", str(value)[:LONGEST_TYPED]).translate(_DASHES)
        joined = re.sub(r"\s*-\s*", "-", plain)
        found = [_interval(part) for part in _BETWEEN.split(joined) if part]
        if len(found) > MOST_HOURS:
            raise unusable(N_("一天最多 %(most)s 段。", most=MOST_HOURS))
        try:
            check_hours(attr or "", found)
        except InvalidField as refused:
            [reasons] = refused.details["errors"].values()
            raise ValidationError(reasons) from refused
        return sorted(found)


def _interval(text: str) -> Interval:
    found = _HOURS.fullmatch(text)
    if found is None:
        raise unusable(
            N_(
                "没有看懂“%(typed)s”。请写作 08:30-12:00，多段之间用空格隔开。",
                typed=text[:30],
            )
        )
    hour, minute, end_hour, end_minute = map(int, found.groups())
    return hour * 60 + minute, end_hour * 60 + end_minute


def written_hours(intervals: Sequence[Interval]) -> str:
    """Return the hours of a day as the form shows them."""
    return " ".join(
        f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"
        for opens, closes in intervals
    )


def typed_terms(terms: Terms) -> dict[str, str]:
    """Return the terms as their form shows them."""
    values = {name: str(value) for name, value in asdict(terms).items()}
    values.pop("observes_holidays")
    return values | ({"observes_holidays": "1"} if terms.observes_holidays else {})


class HoursForm(FormSchema):
    """The page of an instrument's opening hours and terms; a day left empty is closed."""

    required: ClassVar[Mapping[str, Text]] = dict.fromkeys(asdict(Terms()), N_("请填写整数。"))
    monday = DayHours(load_default=list)
    tuesday = DayHours(load_default=list)
    wednesday = DayHours(load_default=list)
    thursday = DayHours(load_default=list)
    friday = DayHours(load_default=list)
    saturday = DayHours(load_default=list)
    sunday = DayHours(load_default=list)
    observes_holidays = fields.Boolean(load_default=False, truthy={"1"}, falsy={"0"})
    grid_minutes = QueryCount(most=60, required=True)
    shortest_minutes = QueryCount(least=5, most=20160, required=True)
    longest_minutes = QueryCount(least=5, most=20160, required=True)
    lead_minutes = QueryCount(most=43200, required=True)
    horizon_days = QueryCount(least=1, most=366, required=True)
    change_until_minutes = QueryCount(most=43200, required=True)
    buffer_before_minutes = QueryCount(most=1440, required=True)
    buffer_after_minutes = QueryCount(most=1440, required=True)
    release_after_minutes = QueryCount(most=1440, load_default=0)
    version = QueryCount(least=1, most=2**31, load_default=None)

    @post_load
    def to_arguments(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the terms, the week by number of the weekday, and the version seen."""
        return {
            "terms": Terms(**{name: data[name] for name in asdict(Terms())}),
            "week": {number: data[name] for number, name in enumerate(WEEKDAYS) if data[name]},
            "version": data["version"],
        }


class ApprovalForm(FormSchema):
    """When a reservation needs approval; a limit left empty is none."""

    required: ClassVar[Mapping[str, Text]] = {
        "mode": N_("请选择哪些预约须审批。"),
        "hold_working_hours": N_("请填写整数。"),
    }
    mode = fields.Enum(ApprovalMode, by_value=True, required=True)
    over_minutes = QueryCount(least=5, most=20160, load_default=None)
    over_price = Yuan(load_default=None)
    hold_working_hours = QueryCount(least=1, most=MOST_HOLD_HOURS, required=True)
    version = QueryCount(least=1, most=2**31, load_default=None)

    @post_load
    def to_arguments(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the rule, and the version seen."""
        return {"version": data.pop("version"), "rule": ApprovalRule(**data)}


class OperationForm(FormSchema):
    """How an instrument may be used."""

    required: ClassVar[Mapping[str, Text]] = {"operation": N_("请选择使用方式。")}
    operation = fields.Enum(Operation, by_value=True, required=True)
    version = QueryCount(least=1, most=2**31, load_default=None)


class ClosureForm(FormSchema):
    """The page on which an instrument is closed for a while."""

    lists = frozenset({"cancel"})
    required: ClassVar[Mapping[str, Text]] = {
        "kind": N_("请选择停用原因。"),
        "starts_at": N_("请填写开始时间。"),
        "ends_at": N_("请填写结束时间。"),
    }
    kind = fields.Enum(
        OccupancyKind, by_value=True, required=True, validate=validate.OneOf(CLOSURE_KINDS)
    )
    unit = QueryCount(least=1, most=99, load_default=None)
    starts_at = WallClock(required=True)
    ends_at = WallClock(required=True)
    reason = Line(max_length=200, load_default="")
    cancel = fields.List(QueryId(), load_default=list, validate=validate.Length(max=200))
    fault = QueryId(load_default=None)
