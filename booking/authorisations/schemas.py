"""What comes in and goes out for authorisations and training."""

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import url_for
from marshmallow import ValidationError, fields, post_load, pre_dump, validate

from booking.authorisations.models import Authorisation
from booking.authorisations.rules import MOST_INSTRUMENTS, MOST_SEATS, Result, Standing
from booking.authorisations.service import Reach
from booking.kernel.forms import FormSchema
from booking.kernel.schema import (
    Count,
    Id,
    Instant,
    Line,
    PageQuery,
    Paragraph,
    QueryCount,
    QueryId,
    Schema,
    VersionIn,
    WallClock,
)
from booking.kernel.text import N_, Text
from booking.kernel.timeslot import TimeSlot, UnusableSlot

_REASON = N_("请写明原因，申请人会看到。")


class RequestIn(Schema):
    """A request to be allowed to operate an instrument."""

    instrument_id = Id(required=True)
    organisation_id = Id(load_default=None)
    note = Paragraph(max_length=500, load_default="")


class GrantIn(VersionIn):
    """From when to when it holds, why, and whether for more than the instrument asked for."""

    valid_from = fields.Date(load_default=None)
    valid_until = fields.Date(load_default=None)
    grounds = Line(min_length=1, max_length=200, required=True)
    reach = fields.Enum(Reach, by_value=True, load_default=Reach.INSTRUMENT)


class AnswerIn(VersionIn):
    """Why it is refused or suspended."""

    reason = Line(min_length=1, max_length=200, required=True)


class InviteIn(VersionIn):
    """To which training session."""

    session_id = Id(required=True)


class AuthorisationOut(Schema):
    """A request, or what became of it."""

    id = fields.Integer()
    standing = fields.Enum(Standing, by_value=True)
    institution_id = fields.Integer()
    instrument_id = fields.Integer(allow_none=True)
    category_code = fields.String(allow_none=True)
    user_id = fields.Integer()
    organisation_id = fields.Integer()
    person = fields.String()
    note = fields.String()
    session_id = fields.Integer(allow_none=True)
    valid_from = fields.Date(allow_none=True)
    valid_until = fields.Date(allow_none=True)
    grounds = fields.String()
    reason = fields.String()
    file_url = fields.String(allow_none=True)
    version = fields.Integer()
    created_at = Instant()

    @pre_dump
    def flat(self, found: Authorisation, **_: Any) -> dict[str, Any]:
        """Put the name and an address in the place of person and file."""
        kept = [name for name in self.fields if name not in {"person", "file_url"}]
        return {
            **{name: getattr(found, name) for name in kept},
            "person": found.user.name,
            "file_url": url_for("authorisations_pages.evidence", authorisation_id=found.id)
            if found.file_sha256
            else None,
        }


class AuthorisationPage(Schema):
    """A page of authorisations."""

    items = fields.List(fields.Nested(AuthorisationOut))
    next_cursor = fields.String(allow_none=True)


class AuthorisationQuery(PageQuery):
    """Filters of the list."""

    institution_id = QueryId(load_default=None, data_key="institution")
    instrument_id = QueryId(load_default=None, data_key="instrument")


def _to_slot(data: dict[str, Any]) -> dict[str, Any]:
    try:
        data["slot"] = TimeSlot(data.pop("starts_at"), data.pop("ends_at"))
    except UnusableSlot as exc:
        raise ValidationError([exc.reason], exc.field) from exc
    return data


class TrainingIn(Schema):
    """A training session with its assessment."""

    instrument_ids = fields.List(
        Id(), required=True, validate=validate.Length(min=1, max=MOST_INSTRUMENTS)
    )
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    location = Line(min_length=1, max_length=200, required=True)
    seats = Count(least=1, most=MOST_SEATS, required=True)
    note = Paragraph(max_length=500, load_default="")

    @post_load
    def to_slot(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put a TimeSlot in place of the two."""
        return _to_slot(data)


class TrainingOut(Schema):
    """A training session and how many seats are left."""

    id = fields.Integer(attribute="row.id")
    institution_id = fields.Integer(attribute="row.institution_id")
    instrument_ids = fields.List(fields.Integer(), attribute="row.instrument_ids")
    starts_at = Instant(attribute="row.starts_at")
    ends_at = Instant(attribute="row.ends_at")
    location = fields.String(attribute="row.location")
    seats = fields.Integer(attribute="row.seats")
    seats_left = fields.Integer(attribute="free")
    note = fields.String(attribute="row.note")
    cancelled_at = Instant(attribute="row.cancelled_at", allow_none=True)
    version = fields.Integer(attribute="row.version")


class TrainingPage(Schema):
    """The sessions to come."""

    items = fields.List(fields.Nested(TrainingOut))
    next_cursor = fields.String(allow_none=True)


class TrainingQuery(AuthorisationQuery):
    """Filters of the list."""


class SeatIn(Schema):
    """For which organisation."""

    organisation_id = Id(load_default=None)


class SeatOut(Schema):
    """A person's seat in a session."""

    id = fields.Integer()
    session_id = fields.Integer()
    user_id = fields.Integer()
    organisation_id = fields.Integer()
    result = fields.Enum(Result, by_value=True, allow_none=True)
    result_note = fields.String()


class AssessmentIn(Schema):
    """What the assessment found; passed, it holds for a year unless told."""

    result = fields.Enum(Result, by_value=True, required=True)
    note = Line(max_length=200, load_default="")
    valid_until = fields.Date(load_default=None)


class SeenForm(FormSchema):
    """A button; the version is the one that was seen."""

    version = QueryCount(least=1, most=2**31, load_default=None)


class RequestForm(FormSchema):
    """The page on which somebody asks."""

    note = Paragraph(max_length=500, load_default="")


class GrantForm(SeenForm):
    """The page on which the institution grants."""

    required: ClassVar[Mapping[str, Text]] = {
        "grounds": N_("请填写依据，例如培训考核记录或已有的上岗证。"),
    }
    grounds = Line(max_length=200, required=True)
    valid_until = fields.Date(load_default=None)
    reach = fields.Enum(Reach, by_value=True, load_default=Reach.INSTRUMENT)


class AnswerForm(SeenForm):
    """Why it is refused or suspended."""

    required: ClassVar[Mapping[str, Text]] = {"reason": _REASON}
    reason = Line(max_length=200, required=True)


class InviteForm(SeenForm):
    """To which training session."""

    required: ClassVar[Mapping[str, Text]] = {"session": N_("请选择培训场次。")}
    session = QueryId(required=True)


class TrainingForm(FormSchema):
    """The page on which a session is offered, by the clock in China."""

    lists = frozenset({"instrument_ids"})
    required: ClassVar[Mapping[str, Text]] = {
        "instrument_ids": N_("请至少选择一台仪器。"),
        "starts_at": N_("请填写开始时间。"),
        "ends_at": N_("请填写结束时间。"),
        "location": N_("请填写地点。"),
        "seats": N_("请填写整数。"),
    }
    instrument_ids = fields.List(
        QueryId(), required=True, validate=validate.Length(max=MOST_INSTRUMENTS)
    )
    starts_at = WallClock(required=True)
    ends_at = WallClock(required=True)
    location = Line(max_length=200, required=True)
    seats = QueryCount(least=1, most=MOST_SEATS, required=True)
    note = Paragraph(max_length=500, load_default="")


class AssessmentForm(FormSchema):
    """What the assessment found."""

    required: ClassVar[Mapping[str, Text]] = {"result": N_("请选择考核结果。")}
    result = fields.Enum(Result, by_value=True, required=True)
    note = Line(max_length=200, load_default="")
