"""What comes in and goes out over the API for prices."""

from decimal import Decimal
from typing import Any

from marshmallow import fields

from booking.accounts.rules import CustomerClass
from booking.kernel.schema import Instant, Line, MoneyField, PageQuery, Schema, unusable
from booking.kernel.text import N_


class Percent(fields.Field[Decimal]):
    """A percentage as text, e.g. "20" or "12.5"; two decimals, never a float."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{Decimal(value).normalize():f}"

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Decimal:
        whole, _, rest = value.partition(".") if isinstance(value, str) else ("", "", "")
        digits = whole + rest
        if not (digits.isascii() and digits.isdigit() and 0 < len(whole) <= 3 and len(rest) <= 2):
            raise unusable(N_('折扣须为文本，例如 "20" 或 "12.5"。'))
        if (percent := Decimal(value)) > 100:
            raise unusable(N_("折扣须在 0 到 100 之间。"))
        return percent


class PriceIn(Schema):
    """What a class pays per hour from now on."""

    customer_class = fields.Enum(CustomerClass, by_value=True, required=True)
    per_hour = MoneyField(required=True)
    discount_percent = Percent(load_default=Decimal(0))
    discount_reason = Line(max_length=200, load_default="")


class PriceOut(Schema):
    """A published version; `superseded_at` is null while it is the current one."""

    id = fields.Integer()
    instrument_id = fields.Integer()
    customer_class = fields.Enum(CustomerClass, by_value=True)
    per_hour = MoneyField()
    discount_percent = Percent()
    discounted_per_hour = MoneyField()
    discount_reason = fields.String()
    published_at = Instant()
    superseded_at = Instant(allow_none=True)


class PricePage(Schema):
    """A page of price versions."""

    items = fields.List(fields.Nested(PriceOut))
    next_cursor = fields.String(allow_none=True)


class PriceQuery(PageQuery):
    """All versions, or the current ones only."""

    current = fields.Boolean(load_default=False, truthy={"true"}, falsy={"false"})
