"""The forms of the operator's pages."""

from collections.abc import Mapping
from typing import ClassVar

from booking.kernel.forms import FormSchema
from booking.kernel.schema import Line, QueryCount
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
