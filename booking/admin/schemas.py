"""The forms of the operator's pages."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from booking.kernel.forms import FormSchema
from booking.kernel.schema import Line, Paragraph, QueryCount
from booking.kernel.text import N_, Text


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
