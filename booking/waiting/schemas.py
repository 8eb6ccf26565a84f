"""What comes in and goes out for the waiting list."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, post_load, pre_dump

from booking.kernel.forms import FormSchema
from booking.kernel.schema import (
    Count,
    Id,
    Instant,
    Line,
    MoneyField,
    PageQuery,
    Paragraph,
    QueryCount,
    QueryId,
    Schema,
    WallClock,
)
from booking.kernel.text import N_, Text
from booking.kernel.timeslot import TimeSlot, UnusableSlot
from booking.reservations.rules import MOST_SAMPLES
from booking.reservations.schemas import ViolationOut
from booking.waiting.queries import Placed
from booking.waiting.rules import MOST_MINUTES, Standing


def _window(data: dict[str, Any]) -> dict[str, Any]:
    try:
        data["window"] = TimeSlot(data.pop("starts_at"), data.pop("ends_at"))
    except UnusableSlot as exc:
        raise ValidationError([exc.reason], exc.field) from exc
    return data


class WaitingIn(Schema):
    """A wish for so many minutes at some time between two instants."""

    instrument_id = Id(required=True)
    organisation_id = Id(load_default=None)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    minutes = Count(least=5, most=MOST_MINUTES, required=True)
    purpose = Paragraph(max_length=200, load_default="")
    is_assisted = fields.Boolean(load_default=None, allow_none=True, truthy={True}, falsy={False})
    samples = Count(least=1, most=MOST_SAMPLES, load_default=1)

    @post_load
    def to_window(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put a TimeSlot in place of the two instants."""
        return _window(data)


class WaitingForm(FormSchema):
    """The same from a page; the times are those on the instrument's wall."""

    required: ClassVar[Mapping[str, Text]] = {
        "starts_at": N_("请填写最早何时。"),
        "ends_at": N_("请填写最晚何时。"),
        "minutes": N_("请填写时长。"),
    }
    starts_at = WallClock(required=True)
    ends_at = WallClock(required=True)
    minutes = QueryCount(least=5, most=MOST_MINUTES, required=True)
    purpose = Line(max_length=200, load_default="")
    samples = QueryCount(least=1, most=MOST_SAMPLES, load_default=1)
    assisted = fields.Boolean(load_default=None, truthy={"1"}, falsy={"0"})


class SeenForm(FormSchema):
    """Which version the page showed."""

    version = QueryCount(least=1, most=2**31, load_default=None)


class OfferedOut(Schema):
    """The slot that is offered."""

    starts_at = Instant()
    ends_at = Instant()


class WaitingOut(Schema):
    """A place on the waiting list.

    `place` counts those who want some of the same time; it is null once the entry ended.
    `price` is what accepting an open offer costs now, `refusals` what would refuse it.
    """

    id = fields.Integer()
    standing = fields.Enum(Standing, by_value=True)
    place = fields.Integer(allow_none=True)
    instrument_id = fields.Integer()
    instrument = fields.String()
    organisation_id = fields.Integer()
    user_id = fields.Integer()
    starts_at = Instant()
    ends_at = Instant()
    minutes = fields.Integer()
    purpose = fields.String()
    is_assisted = fields.Boolean(allow_none=True)
    samples = fields.Integer()
    offered = fields.Nested(OfferedOut, allow_none=True)
    answer_by = Instant(allow_none=True)
    price = MoneyField(allow_none=True)
    refusals = fields.List(fields.Nested(ViolationOut))
    reservation_id = fields.Integer(allow_none=True)
    ended_at = Instant(allow_none=True)
    created_at = Instant()
    version = fields.Integer()

    @pre_dump
    def flat(self, found: Placed, **_: Any) -> dict[str, Any]:
        """Put entry and place beside each other."""
        others = {"place", "instrument", "price", "refusals"}
        kept = [name for name in self.fields if name not in others]
        entry = found.entry
        return {
            **{name: getattr(entry, name) for name in kept},
            "instrument": entry.instrument.name,
            "place": found.place,
            "price": found.price,
            "refusals": found.refusals,
        }


class WaitingPage(Schema):
    """A page of places."""

    items = fields.List(fields.Nested(WaitingOut))
    next_cursor = fields.String(allow_none=True)


class WaitingQuery(PageQuery):
    """Which places."""

    instrument_id = QueryId(load_default=None)
    standing = fields.Enum(Standing, by_value=True, load_default=None)


class WaitingCount(Schema):
    """How many firms wait."""

    firms = fields.Integer()
