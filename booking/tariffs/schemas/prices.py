"""What comes in and goes out over the API for prices."""

from decimal import Decimal
from typing import Any

from marshmallow import fields, post_load, validate, validates_schema

from booking.accounts.rules import CustomerClass
from booking.kernel.money import Money
from booking.kernel.schema import (
    Count,
    Instant,
    Line,
    MoneyField,
    PageQuery,
    Percent,
    Schema,
    unusable,
)
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot, UnusableSlot
from booking.tariffs.rules import (
    HOLIDAY,
    MOST_WINDOWS,
    STEPS,
    ChargeUnit,
    Fee,
    Item,
    Terms,
    Window,
)
from booking.tariffs.schemas.fields import ClockTime, DayKinds


class WindowSchema(Schema):
    """Hours at which the list price is a percentage of itself; over midnight if it closes first."""

    name = Line(max_length=20, load_default="")
    days = DayKinds(load_default=lambda: tuple(range(HOLIDAY + 1)))
    opens_minute = ClockTime(required=True, data_key="from")
    closes_minute = ClockTime(required=True, data_key="to")
    percent = Count(most=1000, required=True)

    @post_load
    def to_window(self, data: dict[str, Any], **_: Any) -> Window:
        """Return the rule's own value."""
        return Window(**data)


class FeeSchema(Schema):
    """Either a fixed amount or a percentage of the agreed price; never more than the price."""

    percent = Count(least=1, most=100)
    amount = MoneyField()

    @validates_schema
    def check_one(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse both and neither."""
        if len(data) != 1:
            raise unusable(N_("请填写固定金额或应付的百分比，二者之一。"))

    @post_load
    def to_fee(self, data: dict[str, Any], **_: Any) -> Fee:
        """Return the rule's own value."""
        if "amount" in data:
            return Fee(minor=data["amount"].minor)
        return Fee(percent=data["percent"])


class FeeOut(Schema):
    """What is due though nothing was used."""

    percent = fields.Function(
        lambda fee: fee.percent or None, metadata={"type": ["integer", "null"]}
    )
    amount = fields.Function(
        lambda fee: {"amount": Money(fee.minor).amount, "currency": "CNY"} if fee.minor else None,
        metadata={"type": ["object", "null"]},
    )


_AMOUNTS = {
    "unit_price": "unit_minor",
    "minimum": "minimum_minor",
    "startup": "startup_minor",
    "operator_per_hour": "operator_minor",
    "deposit": "deposit_minor",
}
_REST = (
    "unit",
    "block_minutes",
    "step_minutes",
    "minimum_minutes",
    "windows",
    "late_cancel",
    "no_show",
)


class PriceOfClassIn(Schema):
    """What is paid from now on, or from `effective_from`.

    `per_hour` is the list price of an hour; for the other units it is `unit_price`, and
    `block_minutes` says how long a block is.
    """

    unit = fields.Enum(ChargeUnit, by_value=True, load_default=ChargeUnit.HOUR)
    per_hour = MoneyField(load_default=None)
    unit_price = MoneyField(load_default=None)
    block_minutes = Count(most=1440, load_default=0)
    step_minutes = Count(most=60, load_default=1, validate=validate.OneOf(sorted(STEPS)))
    minimum_minutes = Count(most=1440, load_default=0)
    minimum = MoneyField(load_default=None)
    startup = MoneyField(load_default=None)
    operator_per_hour = MoneyField(load_default=None)
    windows = fields.List(
        fields.Nested(WindowSchema), load_default=list, validate=validate.Length(max=MOST_WINDOWS)
    )
    late_cancel = fields.Nested(FeeSchema, load_default=None, allow_none=True)
    no_show = fields.Nested(FeeSchema, load_default=None, allow_none=True)
    deposit = MoneyField(load_default=None)
    discount_percent = Percent(load_default=Decimal(0))
    discount_reason = Line(max_length=200, load_default="")
    effective_from = Instant(load_default=None)

    @validates_schema(skip_on_field_errors=False)
    def check_price(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a unit without its price."""
        if data.get("unit", ChargeUnit.HOUR) is ChargeUnit.HOUR:
            return
        if data.get("unit_price") is None:
            raise unusable(N_("请填写一个计费单位的价格。"), "unit_price")

    @post_load
    def to_terms(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put Terms in place of their fields."""
        amounts = {name: data.pop(field) for field, name in _AMOUNTS.items()}
        given = {name: data.pop(name) for name in _REST}
        given |= {name: amount.minor if amount else 0 for name, amount in amounts.items()}
        data["terms"] = Terms(**given | {"windows": tuple(given["windows"])})
        return data


class PriceIn(PriceOfClassIn):
    """The same, and who pays it."""

    customer_class = fields.Enum(CustomerClass, by_value=True, required=True)


class PreviewIn(PriceIn):
    """A price, and the slot it is tried on."""

    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    samples = Count(least=1, most=10_000, load_default=1)
    assisted = fields.Boolean(load_default=False, truthy={True}, falsy={False})

    @post_load
    def to_slot(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put a TimeSlot in place of the two."""
        try:
            data["slot"] = TimeSlot(data.pop("starts_at"), data.pop("ends_at"))
        except UnusableSlot as exc:
            raise unusable(exc.reason, exc.field) from exc
        return data


class Nothing(Schema):
    """No fields."""


class PriceOut(Schema):
    """A published version; `superseded_at` is when the next one holds, null while none is known.

    `per_hour` of a unit other than an hour is what an hour comes to.
    """

    id = fields.Integer()
    instrument_id = fields.Integer()
    customer_class = fields.Enum(CustomerClass, by_value=True)
    unit = fields.Enum(ChargeUnit, by_value=True, attribute="terms.unit")
    per_hour = MoneyField()
    unit_price = MoneyField()
    block_minutes = fields.Integer(attribute="terms.block_minutes")
    step_minutes = fields.Integer(attribute="terms.step_minutes")
    minimum_minutes = fields.Integer(attribute="terms.minimum_minutes")
    minimum = MoneyField(allow_none=True)
    startup = MoneyField(allow_none=True)
    operator_per_hour = MoneyField(allow_none=True)
    windows = fields.List(fields.Nested(WindowSchema), attribute="terms.windows")
    late_cancel = fields.Nested(FeeOut, attribute="terms.late_cancel", allow_none=True)
    no_show = fields.Nested(FeeOut, attribute="terms.no_show", allow_none=True)
    deposit = MoneyField(allow_none=True)
    discount_percent = Percent()
    discounted_per_hour = MoneyField()
    discount_reason = fields.String()
    published_at = Instant()
    effective_from = Instant()
    superseded_at = Instant(allow_none=True)


class QuoteLineOut(Schema):
    """A line of a price; the amounts of all lines add up to what is due.

    `quantity` counts minutes where `per_minutes` says for how many the unit price is, else uses
    or samples. `percent` is what the hours make of the unit price; of a discount its own share.
    """

    item = fields.Enum(Item, by_value=True)
    quantity = fields.Integer()
    unit_price = MoneyField(allow_none=True)
    per_minutes = fields.Integer()
    percent = Percent()
    name = fields.String()
    amount = MoneyField()


class PreviewOut(Schema):
    """What the slot would cost, line by line."""

    list_price = MoneyField()
    price = MoneyField()
    lines = fields.List(fields.Nested(QuoteLineOut))
    late_cancel_fee = MoneyField(allow_none=True)
    no_show_fee = MoneyField(allow_none=True)
    deposit = MoneyField(allow_none=True)


class PricePage(Schema):
    """A page of price versions."""

    items = fields.List(fields.Nested(PriceOut))
    next_cursor = fields.String(allow_none=True)


class PriceQuery(PageQuery):
    """All versions, or the current ones only."""

    current = fields.Boolean(load_default=False, truthy={"true"}, falsy={"false"})
