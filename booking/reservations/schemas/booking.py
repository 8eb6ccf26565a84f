"""What comes in and goes out over the API for quotes, reservations and closures."""

from typing import Any

from marshmallow import ValidationError, fields, post_load, pre_dump, validate, validates_schema

from booking.authorisations.rules import Operation
from booking.availability.models import CLOSURE_KINDS, OccupancyKind
from booking.availability.rules import Reason
from booking.kernel.schema import (
    Count,
    Id,
    Instant,
    Line,
    MoneyField,
    PageQuery,
    Paragraph,
    QueryId,
    QueryInstant,
    Schema,
    Sentence,
    unusable,
)
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot, UnusableSlot
from booking.pricegroups.schemas import ConcessionOut
from booking.reservations.models import ReservationStatus
from booking.reservations.rules import MOST_SAMPLES, Reach
from booking.tariffs.schemas import Percent, PriceOut, QuoteLineOut


class SlotIn(Schema):
    """Two instants that make a slot."""

    starts_at = Instant(required=True)
    ends_at = Instant(required=True)

    @post_load
    def to_slot(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put a TimeSlot in place of the two."""
        if "starts_at" in data:
            try:
                data["slot"] = TimeSlot(data.pop("starts_at"), data.pop("ends_at"))
            except UnusableSlot as exc:
                raise ValidationError([exc.reason], exc.field) from exc
        return data


class QuoteIn(SlotIn):
    """What would it cost, and may I; unless told, by oneself where the instrument allows it.

    `prepaid` names a balance of the firm with which the hours are to be paid.
    """

    instrument_id = Id(required=True)
    organisation_id = Id(load_default=None)
    is_assisted = fields.Boolean(load_default=None, allow_none=True, truthy={True}, falsy={False})
    samples = Count(least=1, most=MOST_SAMPLES, load_default=1)
    is_statutory = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    prepaid = Id(load_default=None, allow_none=True)


class ReservationIn(QuoteIn):
    """A new reservation.

    With an `override_reason` whoever manages the instrument sets its rules aside, also for a firm
    the institution knows and somebody of it.
    """

    purpose = Paragraph(max_length=200, load_default="")
    override_reason = Line(max_length=200, load_default=None, allow_none=True)
    user_id = Id(load_default=None, allow_none=True)


class ChangeIn(SlotIn):
    """Another slot for a reservation, another way of operating, another purpose, or all of them.

    Another slot or way of operating is priced anew.
    """

    starts_at = Instant()
    ends_at = Instant()
    purpose = Paragraph(max_length=200)
    is_assisted = fields.Boolean(allow_none=True, truthy={True}, falsy={False})
    version = Count(least=1, most=2**31, load_default=None)
    override_reason = Line(max_length=200, load_default=None, allow_none=True)
    scope = fields.Enum(Reach, by_value=True, load_default=Reach.THIS)

    @validates_schema
    def check_both(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse half a slot, and a change of nothing."""
        for given, missing in (("starts_at", "ends_at"), ("ends_at", "starts_at")):
            if given in data and missing not in data:
                raise unusable(N_("改期须同时给出开始和结束时间。"), missing)
        if not {"starts_at", "purpose", "is_assisted"} & data.keys():
            raise unusable(N_("请给出新的时间、使用方式或用途。"), "starts_at")


class CancelIn(Schema):
    """Why, and which version was seen."""

    reason = Line(max_length=200, load_default="")
    version = Count(least=1, most=2**31, load_default=None)
    scope = fields.Enum(Reach, by_value=True, load_default=Reach.THIS)


class ClosureIn(SlotIn):
    """Time the owner takes back; `cancel` names the reservations that give way."""

    kind = fields.Enum(
        OccupancyKind, by_value=True, required=True, validate=validate.OneOf(CLOSURE_KINDS)
    )
    unit = Count(least=1, most=99, load_default=None)
    reason = Line(max_length=200, load_default="")
    cancel = fields.List(Id(), load_default=list, validate=validate.Length(max=200))
    fault = Id(load_default=None)


class ViolationOut(Schema):
    """A broken rule."""

    rule = fields.String()
    detail = Sentence()


class OverrideOut(Schema):
    """Rules that were set aside for a reservation, by whom and why."""

    at = Instant()
    user_id = fields.Integer()
    reason = fields.String()
    rules = fields.List(fields.Nested(ViolationOut))


class OverridePage(Schema):
    """All of a reservation, oldest first."""

    items = fields.List(fields.Nested(OverrideOut))
    next_cursor = fields.String(allow_none=True)


class InstrumentRef(Schema):
    """Enough to show which instrument it is."""

    id = fields.Integer()
    name = fields.String()
    model = fields.String()


class OrganisationRef(Schema):
    """Enough to show which organisation it is."""

    id = fields.Integer()
    name = fields.String()
    uscc = fields.String(allow_none=True)


class BaselineOut(Schema):
    """What the price is compared with, and where that comes from (domain §4.3).

    `rise_percent` is there if the list rose by more than 20 % within the 90 days before its first
    use.
    """

    amount = MoneyField()
    rank = fields.Integer()
    source = fields.String()
    price_id = fields.Integer(allow_none=True)
    published_at = Instant(allow_none=True)
    rise_percent = fields.Integer(allow_none=True)


class DatedPriceOut(PriceOut):
    """A version that held within twelve months, or is announced.

    `rise_percent` is there if its list rose by more than 20 % within the 90 days before its first
    use (against a price raised to be discounted).
    """

    rise_percent = fields.Integer(allow_none=True)

    @pre_dump
    def flat(self, dated: Any, **_: Any) -> Any:
        """Put the version's own fields beside what is said of it."""
        own = {name.partition(".")[0] for name in _sources(PriceOut())}
        found = {name: getattr(dated.price, name) for name in own}
        return found | {"rise_percent": dated.rise_percent}


def _sources(schema: Schema) -> list[str]:
    return [field.attribute or name for name, field in schema.fields.items()]


class PriceHistory(Schema):
    """Versions, latest first."""

    items = fields.List(fields.Nested(DatedPriceOut))


class ApprovalOut(Schema):
    """Whether the owner has to approve it, why, and until when it would be held for that."""

    needed = fields.Boolean()
    reasons = fields.List(fields.Enum(Reason, by_value=True))
    expires_at = Instant(allow_none=True)


class CoveredOut(Schema):
    """What a balance pays: so many minutes at the price they were bought for."""

    id = fields.Integer()
    minutes = fields.Integer()
    per_hour = MoneyField()
    amount = MoneyField()


class QuoteOut(Schema):
    """Price, baseline and its source, expected saving, and every rule that would refuse it.

    `saving` is expected only: it counts once use is confirmed and settled.
    """

    instrument_id = fields.Integer(attribute="sheet.instrument_id")
    organisation_id = fields.Integer(attribute="sheet.organisation_id")
    starts_at = Instant(attribute="slot.starts_at")
    ends_at = Instant(attribute="slot.ends_at")
    minutes = fields.Integer(attribute="slot.minutes")
    customer_class = fields.String(attribute="sheet.customer_class")
    samples = fields.Integer(attribute="quote.usage.samples", dump_default=1)
    per_hour = MoneyField(attribute="quote.per_hour", dump_default=None, allow_none=True)
    lines = fields.List(fields.Nested(QuoteLineOut), attribute="quote.lines", dump_default=[])
    discount_percent = Percent(
        attribute="quote.discount_percent", dump_default=None, allow_none=True
    )
    price_group = fields.Nested(
        ConcessionOut, attribute="quote.group", dump_default=None, allow_none=True
    )
    list_price = MoneyField(attribute="quote.list_price", dump_default=None, allow_none=True)
    price = MoneyField(attribute="quote.price", dump_default=None, allow_none=True)
    prepaid = fields.Nested(
        CoveredOut, attribute="quote.prepaid", dump_default=None, allow_none=True
    )
    to_pay = MoneyField(attribute="quote.to_pay", dump_default=None, allow_none=True)
    baseline = fields.Nested(BaselineOut, allow_none=True)
    no_baseline = fields.String(attribute="quote.no_baseline", dump_default=None, allow_none=True)
    saving = MoneyField(attribute="quote.saving", dump_default=None, allow_none=True)
    late_cancel_fee = MoneyField(
        attribute="quote.late_cancel_fee", dump_default=None, allow_none=True
    )
    no_show_fee = MoneyField(attribute="quote.no_show_fee", dump_default=None, allow_none=True)
    deposit = MoneyField(attribute="quote.deposit", dump_default=None, allow_none=True)
    bookable = fields.Boolean()
    violations = fields.List(fields.Nested(ViolationOut))
    operation = fields.Enum(Operation, by_value=True, attribute="sheet.operation")
    is_assisted = fields.Boolean()
    is_statutory = fields.Boolean()
    approval = fields.Nested(ApprovalOut)


class PolicyCheckIn(SlotIn):
    """For whom the owner's people ask: an organisation the institution knows, and who there."""

    organisation_id = Id(required=True)
    user_id = Id(load_default=None, allow_none=True)
    samples = Count(least=1, most=MOST_SAMPLES, load_default=1)
    is_assisted = fields.Boolean(load_default=None, allow_none=True, truthy={True}, falsy={False})


class CheckedOut(Schema):
    """A rule in words, null for those of the platform, and what the slot breaks of it."""

    words = Sentence(allow_none=True)
    kept = fields.Boolean()
    broken = fields.List(fields.Nested(ViolationOut))


class PolicyCheckOut(Schema):
    """The quote that the customer would get, every rule, and whether a reason could set aside."""

    quote = fields.Nested(QuoteOut, attribute="offer")
    checks = fields.List(fields.Nested(CheckedOut))
    can_be_set_aside = fields.Boolean()


class ReservationOut(Schema):
    """A reservation as either side sees it."""

    id = fields.Integer()
    number = fields.String()
    status = fields.Enum(ReservationStatus, by_value=True)
    instrument_id = fields.Integer()
    organisation_id = fields.Integer()
    user_id = fields.Integer()
    group_id = fields.Integer(allow_none=True)
    unit = fields.Integer()
    starts_at = Instant()
    ends_at = Instant()
    purpose = fields.String()
    customer_class = fields.String()
    samples = fields.Integer()
    list_price = MoneyField()
    price = MoneyField()
    lines = fields.List(fields.Nested(QuoteLineOut), attribute="price_lines")
    fee = MoneyField(allow_none=True)
    prepaid = fields.Nested(CoveredOut, allow_none=True)
    baseline = MoneyField(allow_none=True)
    baseline_rank = fields.Integer(allow_none=True)
    expected_saving = MoneyField(allow_none=True)
    is_assisted = fields.Boolean()
    is_statutory = fields.Boolean()
    approval_reasons = fields.List(fields.Enum(Reason, by_value=True))
    expires_at = Instant(allow_none=True)
    decided_at = Instant(allow_none=True)
    decision_note = fields.String()
    cancelled_at = Instant(allow_none=True)
    cancel_reason = fields.String()
    version = fields.Integer()
    created_at = Instant()
    updated_at = Instant()


class ReservationListed(ReservationOut):
    """In lists and single reads: with names."""

    instrument = fields.Nested(InstrumentRef)
    institution = fields.Nested(OrganisationRef, attribute="instrument.institution")
    organisation = fields.Nested(OrganisationRef)


class ReservationPage(Schema):
    """A page of reservations."""

    items = fields.List(fields.Nested(ReservationListed))
    next_cursor = fields.String(allow_none=True)


class ReservationQuery(PageQuery):
    """Filters of the list: those that meet the time from `from` to `to`."""

    status = fields.Enum(ReservationStatus, by_value=True, load_default=None)
    instrument_id = QueryId(load_default=None, data_key="instrument")
    starts_at = QueryInstant(data_key="from", load_default=None)
    ends_at = QueryInstant(data_key="to", load_default=None)

    @post_load
    def to_window(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put the pair in place of the two."""
        starts_at, ends_at = data.pop("starts_at"), data.pop("ends_at")
        if starts_at and ends_at and ends_at <= starts_at:
            raise unusable(N_("结束时间须晚于开始时间。"), "to")
        data["window"] = (starts_at, ends_at)
        return data


class ClosureOut(Schema):
    """A closure as the owner's people see it."""

    id = fields.Integer()
    instrument_id = fields.Integer()
    unit = fields.Integer(allow_none=True)
    kind = fields.Enum(OccupancyKind, by_value=True)
    starts_at = Instant()
    ends_at = Instant()
    reason = fields.String()
    lifted_at = Instant(allow_none=True)
    version = fields.Integer()
    created_at = Instant()


class ClosedOut(ClosureOut):
    """A new closure, with the reservations that gave way."""

    cancelled = fields.List(fields.Nested(ReservationOut))
    moved = fields.List(fields.Nested(ReservationOut))

    @pre_dump
    def flat(self, closed: Any, **_: Any) -> dict[str, Any]:
        """Put the closure's own fields beside what gave way to it."""
        own = {name: getattr(closed.closure, name) for name in ClosureOut().fields}
        return {**own, "cancelled": closed.cancelled, "moved": closed.moved}


class ClosurePage(Schema):
    """A page of closures."""

    items = fields.List(fields.Nested(ClosureOut))
    next_cursor = fields.String(allow_none=True)
