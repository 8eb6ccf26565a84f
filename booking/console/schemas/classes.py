"""The forms of an institution's finer customer classes."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import ClassVar

from marshmallow import fields, validate

from booking.accounts.rules import CustomerClass
from booking.kernel import clock
from booking.kernel.forms import FormSchema
from booking.kernel.schema import Line, QueryCount, QueryId
from booking.kernel.text import N_, Text
from booking.pricegroups.rules import BASES
from booking.pricegroups.schemas import LONGEST_NAME
from booking.tariffs.schemas.forms import Share

_DAY = timedelta(days=1)


class OwnPercentForm(FormSchema):
    """One row: another percentage for one instrument."""

    required: ClassVar[Mapping[str, Text]] = {
        "instrument": N_("请选择仪器。"),
        "percent": N_("请填写优惠。"),
    }
    instrument = QueryId(required=True)
    percent = Share(required=True)


class ClassTermsForm(FormSchema):
    """What a version says; days are those of the calendar, both included."""

    required: ClassVar[Mapping[str, Text]] = {
        "name": N_("请填写名称。"),
        "percent": N_("请填写优惠。"),
        "reason": N_("请填写依据，例如文件名称和文号；预约的单位会看到。"),
    }
    name = Line(max_length=LONGEST_NAME, required=True)
    percent = Share(required=True)
    reason = Line(max_length=200, required=True)
    first_day = fields.Date(load_default=None)
    last_day = fields.Date(load_default=None)
    version = QueryCount(most=2**31, load_default=None)


class NewClassForm(ClassTermsForm):
    """A new class, within which of the outside ones."""

    required: ClassVar[Mapping[str, Text]] = {
        **ClassTermsForm.required,
        "base_class": N_("请选择基本类别。"),
    }
    base_class = fields.Enum(
        CustomerClass, by_value=True, required=True, validate=validate.OneOf(BASES)
    )


class MemberForm(FormSchema):
    """Who belongs to it, by whole name or credit code, from day to day, both included."""

    required: ClassVar[Mapping[str, Text]] = {
        "organisation": N_("请填写单位名称或统一社会信用代码。"),
    }
    organisation = Line(max_length=200, required=True)
    since_day = fields.Date(load_default=None)
    until_day = fields.Date(load_default=None)
    version = QueryCount(most=2**31, load_default=None)


class SeenForm(FormSchema):
    """Nothing but the version that was seen."""

    version = QueryCount(most=2**31, load_default=None)


def begins(day: date | None) -> datetime | None:
    """Return when a day begins in China; None, for now, where it is today or not given."""
    return None if day is None or day == clock.today() else _midnight(day)


def ends(day: date | None) -> datetime | None:
    """Return when a day is over in China."""
    return None if day is None or day == date.max else _midnight(day + _DAY)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), clock.CHINA)
