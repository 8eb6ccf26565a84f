"""What comes in and goes out for calendar feeds, over the API and from the page's form."""

from typing import Any

from marshmallow import ValidationError, fields, post_load

from booking.calendars.rules import FeedKind
from booking.kernel.forms import FormSchema
from booking.kernel.schema import Id, Instant, Line, QuerySchema, Schema
from booking.kernel.text import N_


class FeedIn(Schema):
    """A new feed: one's own, or that of an organisation one manages."""

    kind = fields.Enum(FeedKind, by_value=True, required=True)
    organisation_id = Id(load_default=None)
    name = Line(max_length=80, load_default="")


class FeedForm(FormSchema):
    """The form for a new feed; whose it is comes as one choice: `user` or `enterprise:12`."""

    calendar = Line(required=True, max_length=40)
    name = Line(max_length=80, load_default="")

    @post_load
    def told_apart(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return what the choice means."""
        kind, _colon, organisation = data.pop("calendar").partition(":")
        is_id = organisation.isascii() and organisation.isdigit()
        if kind not in set(FeedKind) or not (is_id or organisation == ""):
            raise ValidationError([N_("请从列出的日历中选择。")], "calendar")
        held = int(organisation[:18]) if is_id else None
        return data | {"kind": FeedKind(kind), "organisation_id": held}


class FeedOrganisation(Schema):
    """Whose feed it is."""

    id = fields.Integer()
    name = fields.String()


class FeedOut(Schema):
    """A feed without its address, which nobody can read back."""

    id = fields.Integer()
    kind = fields.Enum(FeedKind, by_value=True)
    name = fields.String()
    user_id = fields.Integer()
    organisation = fields.Nested(FeedOrganisation, allow_none=True)
    created_at = Instant()
    revoked_at = Instant(allow_none=True)


class FeedCreated(FeedOut):
    """A new feed with its address: shown this once, null when an answer is replayed."""

    url = fields.String(allow_none=True)


class FeedPage(Schema):
    """A page of feeds."""

    items = fields.List(fields.Nested(FeedOut))
    next_cursor = fields.String(allow_none=True)


class FreeBusyQuery(QuerySchema):
    """From when to when."""

    starts_at = Instant(data_key="from", load_default=None)
    ends_at = Instant(data_key="to", load_default=None)
