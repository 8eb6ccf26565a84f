"""The forms of the operator's pages."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, post_load

from booking.kernel.forms import FormSchema
from booking.kernel.schema import Line, Paragraph, QueryCount, unusable
from booking.kernel.text import N_, Text
from booking.relations.rules import Party


class VersionForm(FormSchema):
    """A decision on what was seen."""

    version = QueryCount(least=1, most=2**31, load_default=None)


class ReasonForm(FormSchema):
    """A step that is kept with its reason."""

    required: ClassVar[Mapping[str, Text]] = {"reason": N_("请写明原因。")}
    reason = Line(required=True, min_length=4, max_length=200)


class DeclineForm(ReasonForm, VersionForm):
    """A verification sent back, with what is to be put right."""


class DayForm(FormSchema):
    """What a day is, as staff say it."""

    required: ClassVar[Mapping[str, Text]] = {"day": N_("请选择日期。")}
    day = fields.Date(required=True)
    is_workday = fields.Boolean(required=True)
    name = Line(load_default=None, max_length=50)

    def on_bind_field(self, field_name: str, field_obj: Any) -> None:
        """Show how a date is written."""
        super().on_bind_field(field_name, field_obj)
        if field_name == "day":
            field_obj.error_messages["invalid"] = N_("日期应类似 2027-02-06。")


class ImportForm(FormSchema):
    """A list of days, one a line."""

    required: ClassVar[Mapping[str, Text]] = {"days": N_("请粘贴要导入的日期。")}
    days = Paragraph(required=True, max_length=60_000)
    announced = fields.Boolean(load_default=False)


class RelationForm(FormSchema):
    """Organisations that are related: a line for each, its credit code before its name."""

    required: ClassVar[Mapping[str, Text]] = {
        "members": N_("请填写成员，每行一个。"),
        "since": N_("请填写起始日期。"),
        "source": N_("请写明依据的文件，例如工商登记、年报或股东名册。"),
    }
    name = Line(load_default="", max_length=100)
    members = Paragraph(required=True, max_length=8000)
    since = fields.Date(required=True)
    source = Line(required=True, max_length=200)

    @post_load
    def to_parties(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put the organisations in place of the lines."""
        lines = [line.split(maxsplit=1) for line in data.pop("members").splitlines()]
        parties = [Party(uscc, *rest) for uscc, *rest in (each for each in lines if len(each) == 2)]
        if len(parties) < len([each for each in lines if each]):
            raise unusable(N_("每行一个：统一社会信用代码、空格、名称。"), "members")
        data["parties"] = parties
        return data
