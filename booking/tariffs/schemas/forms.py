"""What the pages of prices send: amounts and hours as people type them."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, post_load, validate

from booking.accounts.rules import CustomerClass
from booking.kernel.forms import FormSchema
from booking.kernel.money import Money
from booking.kernel.schema import AMOUNT, Line, QueryCount, WallClock, unusable
from booking.kernel.text import N_, Text
from booking.tariffs.rules import STEPS, ChargeUnit, Fee, Terms, Window
from booking.tariffs.schemas.fields import DAYS

LONGEST_TYPED = 400
_SHARE = re.compile(r"[0-9]{1,3}([.][0-9]{1,2})?", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):([0-5]\d)", re.ASCII)


def _plain(value: Any) -> str:
    return re.sub(r"[\s,¥元]", "", unicodedata.normalize("NFKC", str(value)[:LONGEST_TYPED]))


class Yuan(fields.Field[Money]):
    """An amount as people type it: `1,200.50`, with or without ￥ or 元."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Money:
        plain = _plain(value)
        if not AMOUNT.fullmatch(plain):
            raise unusable(N_("请填写金额，最多两位小数，例如 180 或 180.00。"))
        return Money.of(plain)


class Share(fields.Field[Decimal]):
    """A percentage as people type it, with or without %."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Decimal:
        plain = _plain(value).rstrip("%")
        if not _SHARE.fullmatch(plain) or Decimal(plain) > 100:
            raise unusable(N_("请填写 0 到 100，最多两位小数，例如 20 或 12.5。"))
        return Decimal(plain)


class FeeTyped(fields.Field[Fee | None]):
    """A fee as people type it: `50%` of what was agreed, or `100` yuan."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Fee | None:
        plain = _plain(value)
        if plain.endswith("%"):
            number = plain[:-1]
            if not (number.isascii() and number.isdigit() and 0 < int(number[:4]) <= 100):
                raise unusable(N_("请填写应付的百分比或金额，例如 50% 或 100。"))
            return Fee(percent=int(number))
        if not AMOUNT.fullmatch(plain):
            raise unusable(N_("请填写应付的百分比或金额，例如 50% 或 100。"))
        minor = Money.of(plain).minor
        return Fee(minor=minor) if minor else None


class WallTime(fields.Field[int]):
    """A time of day as people type it, `8:00` to `24:00`; in minutes since midnight."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        found = _TIME.fullmatch(_plain(value))
        minute = int(found[1]) * 60 + int(found[2]) if found else 9999
        if minute > 1440:
            raise unusable(N_("请写作 22:00，最晚 24:00。"))
        return minute


class WindowForm(FormSchema):
    """One row of hours at another price."""

    lists = frozenset({"days"})
    required: ClassVar[Mapping[str, Text]] = {
        "days": N_("请为每个时段选择适用的日子。"),
        "from": N_("请填写时段的开始和结束。"),
        "to": N_("请填写时段的开始和结束。"),
        "percent": N_("请填写为平时价格的百分之几。"),
    }
    name = Line(max_length=20, load_default="")
    days = fields.List(
        fields.String(validate=validate.OneOf(DAYS)), required=True, validate=validate.Length(max=8)
    )
    opens_minute = WallTime(required=True, data_key="from")
    closes_minute = WallTime(required=True, data_key="to")
    percent = QueryCount(most=1000, required=True)

    @post_load
    def to_window(self, data: dict[str, Any], **_: Any) -> Window:
        """Return the rule's own value."""
        days = tuple(sorted({DAYS.index(each) for each in data.pop("days")}))
        return Window(days=days, **data)


class TermsForm(FormSchema):
    """The page on which an institution publishes a new version, or tries it on a slot."""

    lists = frozenset({"classes"})
    required: ClassVar[Mapping[str, Text]] = {
        "classes": N_("请至少选择一类客户。"),
        "amount": N_("请填写价格。"),
    }
    classes = fields.List(fields.Enum(CustomerClass, by_value=True), required=True)
    unit = fields.Enum(ChargeUnit, by_value=True, load_default=ChargeUnit.HOUR)
    amount = Yuan(required=True)
    block_minutes = QueryCount(most=1440, load_default=0)
    step_minutes = QueryCount(most=60, load_default=1, validate=validate.OneOf(sorted(STEPS)))
    discount_percent = Share(load_default=Decimal(0))
    discount_reason = Line(max_length=200, load_default="")
    minimum_minutes = QueryCount(most=1440, load_default=0)
    minimum = Yuan(load_default=Money(0))
    startup = Yuan(load_default=Money(0))
    operator_per_hour = Yuan(load_default=Money(0))
    late_cancel = FeeTyped(load_default=None)
    no_show = FeeTyped(load_default=None)
    deposit = Yuan(load_default=Money(0))
    effective_from = WallClock(load_default=None)
    slot_start = WallClock(load_default=None)
    slot_minutes = QueryCount(least=5, most=44640, load_default=120)
    samples = QueryCount(least=1, most=10_000, load_default=1)
    assisted = fields.Boolean(load_default=False, truthy={"1"}, falsy={"0"})

    @post_load
    def to_terms(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put Terms, still without windows, in place of their fields."""
        amount, is_hourly = data.pop("amount"), data["unit"] is ChargeUnit.HOUR
        amounts = {
            f"{name}_minor": data.pop(name).minor for name in ("minimum", "startup", "deposit")
        }
        rest = {name: data.pop(name) for name in _REST}
        data["terms"] = Terms(
            **rest,
            **amounts,
            unit_minor=0 if is_hourly else amount.minor,
            operator_minor=data.pop("operator_per_hour").minor,
        )
        data["per_hour"] = amount if is_hourly else None
        return data


_REST = ("unit", "block_minutes", "step_minutes", "minimum_minutes", "late_cancel", "no_show")
# Fields of the rules by the names this form has for them.
TYPED_AS = {"per_hour": "amount", "unit_price": "amount"}


def typed_window(given: Mapping[str, Any]) -> Window:
    """Return the window that a row describes; raises ValidationError."""
    window: Window = WindowForm().load(given)
    return window


def typed_terms(per_hour: Money, terms: Terms) -> dict[str, list[str]]:
    """Return a version as its form shows it, each field with its values."""
    values = {
        "unit": terms.unit.value,
        "amount": per_hour.amount if terms.unit is ChargeUnit.HOUR else _yuan(terms.unit_minor),
        "block_minutes": str(terms.block_minutes or ""),
        "step_minutes": str(terms.step_minutes),
        "minimum_minutes": str(terms.minimum_minutes or ""),
        "minimum": _yuan(terms.minimum_minor),
        "startup": _yuan(terms.startup_minor),
        "operator_per_hour": _yuan(terms.operator_minor),
        "late_cancel": _fee(terms.late_cancel),
        "no_show": _fee(terms.no_show),
        "deposit": _yuan(terms.deposit_minor),
    }
    found = {name: [value] for name, value in values.items() if value}
    for n, window in enumerate(terms.windows):
        row = {
            "name": [window.name],
            "days": [DAYS[day] for day in window.days],
            "from": [_wall(window.opens_minute)],
            "to": [_wall(window.closes_minute)],
            "percent": [str(window.percent)],
        }
        found |= {f"window-{n}-{name}": texts for name, texts in row.items()}
    return found


def _yuan(minor: int) -> str:
    return Money(minor).amount if minor else ""


def _fee(fee: Fee | None) -> str:
    if fee is None:
        return ""
    return f"{fee.percent}%" if fee.percent else _yuan(fee.minor)


def _wall(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def refuse_row(n: int, refused: ValidationError, *, prefix: str = "window") -> ValidationError:
    """Return the refusal with its fields named as the row's."""
    messages = refused.normalized_messages()  # type: ignore[no-untyped-call]
    return ValidationError({f"{prefix}-{n}-{name}": words for name, words in messages.items()})
