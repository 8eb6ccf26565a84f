"""What comes in and goes out for the use of a reservation and its settlement."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, post_load, validate

from booking.kernel.forms import FormSchema
from booking.kernel.schema import (
    Count,
    Instant,
    Line,
    MoneyField,
    QueryCount,
    Schema,
    VersionIn,
    WallClock,
)
from booking.kernel.text import N_, Text
from booking.reservations.models import FeeEnd, Settlement
from booking.reservations.rules import MOST_MINUTES, MOST_SAMPLES, Flag, PassedOn, PassThrough
from booking.reservations.schemas.booking import CoveredOut, ReservationListed
from booking.savings.rules import NotCounted
from booking.tariffs.schemas import QuoteLineOut
from booking.tariffs.schemas.forms import Yuan


class PassedOnIn(Schema):
    """What is due beside the price list and passed on at cost; once of each kind."""

    kind = fields.Enum(PassThrough, by_value=True, required=True)
    amount = MoneyField(required=True)

    @post_load
    def to_charge(self, data: dict[str, Any], **_: Any) -> PassedOn:
        """Return it as the rules have it."""
        return PassedOn(data["kind"], data["amount"].minor)


class PassedOnOut(Schema):
    """What is due beside the price list; on neither side of a saving."""

    kind = fields.Enum(PassThrough, by_value=True)
    amount = MoneyField()


class FeeSettlementOut(Schema):
    """How a fee for cancelling late or not coming ended."""

    settlement = fields.Enum(FeeEnd, by_value=True)
    settled_on = fields.Date()
    reference = fields.String()
    reason = fields.String()


class UseOut(Schema):
    """How it was really used, what is due for it, and how that was settled.

    `minutes`, `price` and `baseline` are there once the operator confirmed the use; `due` is the
    price with what is `passed_on` at cost, which no saving counts.
    """

    started_at = Instant()
    ended_at = Instant(allow_none=True)
    minutes = fields.Integer(allow_none=True)
    samples = fields.Integer(allow_none=True)
    lines = fields.List(fields.Nested(QuoteLineOut), attribute="price_lines")
    list_price = MoneyField(allow_none=True)
    price = MoneyField(allow_none=True)
    passed_on = fields.List(fields.Nested(PassedOnOut), attribute="charges")
    due = MoneyField(allow_none=True)
    not_counted = fields.Enum(NotCounted, by_value=True, allow_none=True)
    baseline = MoneyField(allow_none=True)
    saving = MoneyField(allow_none=True)
    note = fields.String()
    confirmed_at = Instant(allow_none=True)
    objection_until = Instant(allow_none=True)
    agreed_at = Instant(allow_none=True)
    objected_at = Instant(allow_none=True)
    objection = fields.String()
    settlement = fields.Enum(Settlement, by_value=True, allow_none=True)
    settled_on = fields.Date(allow_none=True)
    reference = fields.String()


class ReservationWhole(ReservationListed):
    """One reservation with names, how it was used, and how that differed from the plan.

    `prepaid` is what was agreed to be paid by a balance, `prepaid_now` what it pays of the
    confirmed use once it is; `to_pay` is due besides.
    """

    use = fields.Nested(UseOut, allow_none=True)
    fee_settlement = fields.Nested(FeeSettlementOut, allow_none=True)
    flags = fields.List(fields.Enum(Flag, by_value=True))
    prepaid_now = fields.Nested(CoveredOut, allow_none=True)
    to_pay = MoneyField(allow_none=True)


class MomentIn(VersionIn):
    """When it was, if not now: a phone that was without network, an operator's log."""

    at = Instant(load_default=None)


class NoteIn(VersionIn):
    """What is to be said of it."""

    note = Line(max_length=200, load_default="")


class UsageIn(VersionIn):
    """What counts; without it the time used, rounded up to the grid, and all samples."""

    minutes = Count(most=MOST_MINUTES, load_default=None)
    samples = Count(most=MOST_SAMPLES, load_default=None)
    is_statutory = fields.Boolean(load_default=None, allow_none=True, truthy={True}, falsy={False})
    passed_on = fields.List(
        fields.Nested(PassedOnIn), load_default=None, validate=validate.Length(max=4)
    )
    note = Line(max_length=200, load_default="")


class ReasonIn(VersionIn):
    """Why not: what is not right, or why it is declined."""

    reason = Line(min_length=1, max_length=200, required=True)


class FaultIn(VersionIn):
    """What is wrong with the instrument, and whether the use ends with it."""

    what = Line(min_length=1, max_length=500, required=True)
    stops_use = fields.Boolean(required=True)


class FaultAnswerIn(Schema):
    """Why the instrument can go on."""

    answer = Line(min_length=1, max_length=200, required=True)


class FaultOut(Schema):
    """A fault, and how it was answered."""

    id = fields.Integer()
    instrument_id = fields.Integer()
    unit = fields.Integer()
    reservation_id = fields.Integer()
    reported_at = Instant()
    what = fields.String()
    stopped_use = fields.Boolean()
    closure_id = fields.Integer(allow_none=True)
    answered_at = Instant(allow_none=True)
    answer = fields.String()


class SettlementIn(VersionIn):
    """How it was paid, on which day, and by which document."""

    settlement = fields.Enum(Settlement, by_value=True, required=True)
    settled_on = fields.Date(required=True)
    reference = Line(max_length=100, load_default="")


class FeeIn(VersionIn):
    """How the fee was paid and by which document, or why it is waived."""

    settlement = fields.Enum(FeeEnd, by_value=True, required=True)
    settled_on = fields.Date(required=True)
    reference = Line(max_length=100, load_default="")
    reason = Line(max_length=200, load_default="")


class VersionForm(FormSchema):
    """A button; the version is the one that was seen."""

    version = QueryCount(least=1, most=2**31, load_default=None)


class MomentForm(VersionForm):
    """The button that begins or ends a use; `at` is when it was pressed without network."""

    at = Instant(load_default=None)


class RecordForm(VersionForm):
    """The operator's page on which a use is recorded afterwards, by the clock on the wall."""

    required: ClassVar[Mapping[str, Text]] = {"ended_at": N_("请填写结束时间。")}
    started_at = WallClock(load_default=None)
    ended_at = WallClock(required=True)


class UsageForm(VersionForm):
    """The operator's page on which a use is confirmed."""

    required: ClassVar[Mapping[str, Text]] = {"minutes": N_("请填写核定的分钟数。")}
    minutes = QueryCount(most=MOST_MINUTES, required=True)
    samples = QueryCount(most=MOST_SAMPLES, load_default=None)
    is_statutory = fields.Boolean(load_default=None)
    consumables = Yuan(load_default=None)
    rush = Yuan(load_default=None)
    postage = Yuan(load_default=None)
    travel = Yuan(load_default=None)
    note = Line(max_length=200, load_default="")

    @post_load
    def to_charges(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put the charges in place of the four fields."""
        typed = {kind: data.pop(kind.value, None) for kind in PassThrough}
        data["passed_on"] = [
            PassedOn(kind, money.minor) for kind, money in typed.items() if money and money.minor
        ]
        return data


class FeeForm(VersionForm):
    """Finance's page on which a fee is dealt with."""

    required: ClassVar[Mapping[str, Text]] = {
        "settlement": N_("请选择结算方式。"),
        "settled_on": N_("请填写日期。"),
    }
    settlement = fields.Enum(FeeEnd, by_value=True, required=True)
    settled_on = fields.Date(required=True)
    reference = Line(max_length=100, load_default="")
    reason = Line(max_length=200, load_default="")


class NoteForm(VersionForm):
    """A note to go with it."""

    note = Line(max_length=200, load_default="")


class FaultForm(VersionForm):
    """What somebody found broken while they used it."""

    required: ClassVar[Mapping[str, Text]] = {
        "what": N_("请写明故障现象。"),
        "stops_use": N_("请选择是否还能继续使用。"),
    }
    what = Line(max_length=500, required=True)
    stops_use = fields.Boolean(required=True)


class FaultAnswerForm(FormSchema):
    """Why the instrument can go on."""

    required: ClassVar[Mapping[str, Text]] = {"answer": N_("请写明检查结果。")}
    answer = Line(max_length=200, required=True)


class DeclineForm(VersionForm):
    """Why the owner does not approve it."""

    required: ClassVar[Mapping[str, Text]] = {"reason": N_("请写明原因，企业会看到。")}
    reason = Line(max_length=200, required=True)


class ObjectionForm(VersionForm):
    """What the firm says is not right."""

    required: ClassVar[Mapping[str, Text]] = {"reason": N_("请写明哪里不对。")}
    reason = Line(max_length=200, required=True)


class SettlementForm(VersionForm):
    """Finance's page on which a payment is recorded."""

    required: ClassVar[Mapping[str, Text]] = {
        "settlement": N_("请选择结算方式。"),
        "settled_on": N_("请填写日期。"),
    }
    settlement = fields.Enum(Settlement, by_value=True, required=True)
    settled_on = fields.Date(required=True)
    reference = Line(max_length=100, load_default="")
