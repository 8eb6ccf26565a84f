"""What comes in and goes out over the API for calendar feeds."""

from marshmallow import fields

from booking.calendars.rules import FeedKind
from booking.kernel.schema import Id, Instant, Line, QuerySchema, Schema


class FeedIn(Schema):
    """A new feed: one's own, or that of an organisation one manages."""

    kind = fields.Enum(FeedKind, by_value=True, required=True)
    organisation_id = Id(load_default=None)
    name = Line(max_length=80, load_default="")


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
