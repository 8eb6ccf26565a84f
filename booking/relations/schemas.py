"""What comes in and goes out for declarations of related organisations."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, post_load, validate

from booking.accounts.schemas.fields import passes
from booking.kernel.forms import FormSchema
from booking.kernel.names import clean_uscc
from booking.kernel.schema import (
    Id,
    Instant,
    Line,
    PageQuery,
    QueryCount,
    Schema,
    VersionIn,
)
from booking.kernel.text import N_, Text
from booking.relations.rules import MOST_MEMBERS, Party


class RelatedPartyIn(Schema):
    """An organisation by its credit code, on the platform or not."""

    uscc = Line(required=True, max_length=40, validate=passes(clean_uscc))
    name = Line(required=True, min_length=1, max_length=100)

    @post_load
    def to_party(self, data: dict[str, Any], **_: Any) -> Party:
        """Return it as the rules have it."""
        return Party(**data)


class RelatedIn(Schema):
    """Who is related since when, by which document.

    Without `organisation_id` the platform says so of all `members`; with it an organisation of
    itself and those named.
    """

    organisation_id = Id(load_default=None)
    name = Line(max_length=100, load_default="")
    source = Line(min_length=1, max_length=200, required=True)
    since = fields.Date(required=True)
    parties = fields.List(
        fields.Nested(RelatedPartyIn),
        data_key="members",
        required=True,
        validate=validate.Length(min=1, max=MOST_MEMBERS),
    )


class RelatedEndIn(VersionIn):
    """The last day on which they are related."""

    until = fields.Date(required=True)


class RelatedMemberOut(Schema):
    """A member, dated."""

    uscc = fields.String()
    name = fields.String()
    since = fields.Date()
    until = fields.Date(allow_none=True)


class RelatedOut(Schema):
    """A declaration; `organisation_id` is who declared it of itself, null the platform."""

    id = fields.Integer()
    name = fields.String()
    source = fields.String()
    organisation_id = fields.Integer(allow_none=True)
    members = fields.List(fields.Nested(RelatedMemberOut))
    version = fields.Integer()
    created_at = Instant()


class RelatedPage(Schema):
    """A page of them."""

    items = fields.List(fields.Nested(RelatedOut))
    next_cursor = fields.String(allow_none=True)


class RelatedQuery(PageQuery):
    """The declarations the caller may see."""


class OwnRelatedForm(FormSchema):
    """A manager's page: one other organisation, since when, by which document."""

    required: ClassVar[Mapping[str, Text]] = {
        "uscc": N_("请填写对方的统一社会信用代码。"),
        "name": N_("请填写对方的单位名称。"),
        "since": N_("请填写起始日期。"),
        "source": N_("请写明依据的文件，例如工商登记、年报或股东名册。"),
    }
    uscc = Line(required=True, max_length=40, validate=passes(clean_uscc))
    name = Line(required=True, max_length=100)
    since = fields.Date(required=True)
    source = Line(required=True, max_length=200)


class RelatedEndForm(FormSchema):
    """The last day."""

    required: ClassVar[Mapping[str, Text]] = {"until": N_("请填写结束日期。")}
    until = fields.Date(required=True)
    version = QueryCount(least=1, most=2**31, load_default=None)
