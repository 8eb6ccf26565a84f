"""What comes in and goes out for photos and documents."""

from typing import Any

from flask import url_for
from marshmallow import fields, pre_dump, validates_schema

from booking.attachments.models import Attachment
from booking.attachments.rules import LONGEST_CAPTION, MOST, AttachmentKind
from booking.files.rules import LONGEST_NAME, MediaType
from booking.kernel.forms import FormSchema
from booking.kernel.schema import Count, Instant, Line, QuerySchema, Schema, unusable
from booking.kernel.text import N_


class AttachmentQuery(QuerySchema):
    """What the body is: it is the file itself."""

    kind = fields.Enum(AttachmentKind, by_value=True, required=True)
    name = Line(max_length=2 * LONGEST_NAME, required=True)
    caption = Line(max_length=LONGEST_CAPTION, load_default="")


class AttachmentPatch(Schema):
    """Other words, another place among its kind (the first is 1), or both."""

    caption = Line(max_length=LONGEST_CAPTION)
    place = Count(least=1, most=max(MOST.values()))
    version = Count(least=1, most=2**31, load_default=None)

    @validates_schema
    def changes_something(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a change of nothing."""
        if not set(data) - {"version"}:
            raise unusable(N_("请给出要更改的内容。"))


class AttachmentOut(Schema):
    """A photo or document with the addresses to fetch it from."""

    id = fields.Integer()
    kind = fields.Enum(AttachmentKind, by_value=True)
    name = fields.String()
    caption = fields.String()
    place = fields.Integer()
    media_type = fields.Enum(MediaType, by_value=True)
    size = fields.Integer()
    width = fields.Integer(allow_none=True)
    height = fields.Integer(allow_none=True)
    sha256 = fields.String()
    url = fields.String()
    small_url = fields.String(allow_none=True)
    version = fields.Integer()
    created_at = Instant()

    @pre_dump
    def flat(self, found: Attachment, **_: Any) -> dict[str, Any]:
        """Put the file's facts beside the attachment's."""
        return {
            **{name: getattr(found, name) for name in ("id", "kind", "name", "caption", "place")},
            **{name: getattr(found.file, name) for name in ("media_type", "size", "sha256")},
            "width": found.file.width,
            "height": found.file.height,
            "url": _address(found),
            "small_url": _address(found, size="small") if found.small_sha256 else None,
            "version": found.version,
            "created_at": found.created_at,
        }


def _address(found: Attachment, **asked: str) -> str:
    return url_for(
        "attachments_pages.download",
        instrument_id=found.instrument_id,
        attachment_id=found.id,
        **asked,  # type: ignore[arg-type]
    )


class AttachmentsOut(Schema):
    """All of an instrument: photos first, in order."""

    items = fields.List(fields.Nested(AttachmentOut))


class CaptionForm(FormSchema):
    """The words under a photo, or what a document is."""

    caption = Line(max_length=LONGEST_CAPTION, load_default="")
