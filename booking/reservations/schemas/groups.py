"""What comes in and goes out over the API for several reservations made together."""

from typing import Any

from marshmallow import fields, post_load, pre_dump, validate

from booking.kernel.money import Money
from booking.kernel.schema import Count, Id, Instant, Line, MoneyField, Paragraph, Schema
from booking.reservations.models import GroupKind
from booking.reservations.rules import MOST_SAMPLES
from booking.reservations.rules.recurrence import MOST_OCCURRENCES
from booking.reservations.schemas.booking import ReservationListed, SlotIn, ViolationOut
from booking.reservations.service import Judged, Wish

MOST_ITEMS = 20


class WishIn(SlotIn):
    """One of several slots wanted together."""

    instrument_id = Id(required=True)
    samples = Count(least=1, most=MOST_SAMPLES, load_default=1)
    is_assisted = fields.Boolean(load_default=None, allow_none=True, truthy={True}, falsy={False})
    is_statutory = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class WishesIn(Schema):
    """Slots of one or several instruments that are wanted together."""

    items = fields.List(
        fields.Nested(WishIn), required=True, validate=validate.Length(min=1, max=MOST_ITEMS)
    )
    organisation_id = Id(load_default=None, allow_none=True)

    @post_load
    def to_wishes(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put them as the service takes them."""
        data["wishes"] = [Wish(**item) for item in data.pop("items")]
        return data


class GroupIn(WishesIn):
    """The same, to be reserved for one purpose, all or none."""

    purpose = Paragraph(max_length=200, load_default="")


class JudgedOut(Schema):
    """What one of them would cost, and every rule that would refuse it."""

    index = fields.Integer()
    instrument_id = fields.Integer(attribute="wish.instrument_id")
    starts_at = Instant(attribute="wish.slot.starts_at")
    ends_at = Instant(attribute="wish.slot.ends_at")
    bookable = fields.Boolean()
    taken = fields.Boolean(attribute="is_taken")
    violations = fields.List(fields.Nested(ViolationOut))
    list_price = MoneyField(attribute="offer.quote.list_price", dump_default=None, allow_none=True)
    price = MoneyField(attribute="offer.quote.price", dump_default=None, allow_none=True)
    saving = MoneyField(attribute="offer.quote.saving", dump_default=None, allow_none=True)
    needs_approval = fields.Boolean(attribute="offer.approval.needed", dump_default=False)


class GroupPreviewOut(Schema):
    """All of them, and what they cost together."""

    items = fields.List(fields.Nested(JudgedOut))
    bookable = fields.Boolean()
    price = MoneyField()

    @pre_dump
    def add_up(self, judged: list[Judged], **_: Any) -> dict[str, Any]:
        """Put the sum beside them."""
        return {
            "items": judged,
            "bookable": all(each.bookable for each in judged),
            "price": price_of(judged),
        }


def price_of(judged: list[Judged]) -> Money:
    """Return what all that has a price costs together."""
    quotes = (each.offer.quote for each in judged if each.offer and each.offer.quote)
    return sum((quote.price for quote in quotes), Money(0))


class GroupOut(Schema):
    """What was reserved together, as far as the caller may see it, in order of time."""

    id = fields.Integer()
    number = fields.String()
    kind = fields.Enum(GroupKind, by_value=True)
    organisation_id = fields.Integer()
    user_id = fields.Integer()
    rule = fields.String(allow_none=True)
    time_zone = fields.String(allow_none=True)
    created_at = Instant()
    reservations = fields.List(fields.Nested(ReservationListed))

    @pre_dump
    def flat(self, found: Any, **_: Any) -> dict[str, Any]:
        """Put the group's own fields beside its reservations."""
        own = {name: getattr(found.group, name) for name in self.fields if name != "reservations"}
        return own | {"reservations": found.reservations}


class SeriesIn(WishIn):
    """A slot and the rule (RFC 5545) by which it comes again on the instrument's wall clock.

    `FREQ` is DAILY, WEEKLY or MONTHLY, with `COUNT` or `UNTIL` (the last day, as 20261231), and
    perhaps `INTERVAL`, `BYDAY`, `BYMONTHDAY`; at most 60 dates.
    """

    rule = Line(required=True, max_length=200, metadata={"examples": ["FREQ=WEEKLY;COUNT=8"]})
    organisation_id = Id(load_default=None, allow_none=True)


class DateChoiceIn(Schema):
    """What to do with one date, by its number in the preview: leave it out, or another slot."""

    index = Count(most=MOST_OCCURRENCES, required=True)
    starts_at = Instant(load_default=None, allow_none=True)


class SeriesConfirmIn(SeriesIn):
    """The same, to be reserved but for the dates left out or shifted, all or none.

    A choice without `starts_at` leaves its date out.
    """

    purpose = Paragraph(max_length=200, load_default="")
    choices = fields.List(
        fields.Nested(DateChoiceIn),
        load_default=list,
        validate=validate.Length(max=MOST_OCCURRENCES),
    )


class ShiftOut(Schema):
    """The nearest free slot instead."""

    starts_at = Instant()
    ends_at = Instant()


class OccurrenceOut(JudgedOut):
    """One date of a series, and where it is refused the nearest slot that would do, if any."""

    shift = fields.Nested(ShiftOut, allow_none=True)

    @pre_dump
    def flat(self, found: Any, **_: Any) -> dict[str, Any]:
        """Put the date's own facts beside the shift."""
        names = ("index", "wish", "offer", "bookable", "is_taken", "violations")
        return {name: getattr(found.judged, name) for name in names} | {"shift": found.shift}


class SeriesOut(Schema):
    """All dates of a series, in order, and what those that can be booked cost together."""

    rule = fields.String(attribute="recurring.rule")
    time_zone = fields.String(attribute="recurring.time_zone")
    occurrences = fields.List(fields.Nested(OccurrenceOut))
    bookable = fields.Boolean()
    price = MoneyField()

    @pre_dump
    def add_up(self, series: Any, **_: Any) -> dict[str, Any]:
        """Put the sum beside them."""
        judged = [each.judged for each in series.occurrences]
        return {
            "recurring": series.recurring,
            "occurrences": series.occurrences,
            "bookable": all(each.bookable for each in judged),
            "price": price_of([each for each in judged if each.bookable]),
        }
