"""The marshmallow ground of every schema: strict, clean, and in the formats of the contract."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from flask_babel import gettext
from marshmallow import RAISE, ValidationError, fields, missing, validate
from marshmallow import Schema as MarshmallowSchema

from booking.kernel.money import Money
from booking.kernel.names import UNPRINTABLE
from booking.kernel.paging import DEFAULT, LARGEST, LONGEST_CURSOR
from booking.kernel.text import N_, Text
from booking.kernel.timeslot import EARLIEST, LATEST

BIGGEST_ID = 2**63 - 1
WHOLE = re.compile(r"-?[0-9]{1,19}")
RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.]\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
WALL = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:00)?", re.ASCII)
AMOUNT = re.compile(r"[0-9]{1,12}([.][0-9]{1,2})?")


def unusable(reason: Text, field: str = "_schema") -> ValidationError:
    """Return the error for a field that a rule of a schema refuses; the edge translates it."""
    return ValidationError([reason], field)


class Schema(MarshmallowSchema):
    """Refuses unknown fields, keeps the order of declaration."""

    class Meta:
        """Contract §2: unknown fields are refused."""

        unknown = RAISE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._going_out = [
            (name, field.data_key or name, _source(name, field), _as_it_is(field), field)
            for name, field in self.dump_fields.items()
        ]

    def _serialize(self, obj: Any, *, many: bool = False) -> Any:
        """Do as marshmallow, only shorter: a list of instruments asks this a thousand times.

        What the fields are is looked up once, and what JSON carries as it is goes out so.
        """
        if many and obj is not None:
            return [self._serialize(each) for each in obj]
        read = obj.get if isinstance(obj, dict) else partial(getattr, obj)
        found: dict[str, Any] = {}
        for name, key, source, plain, field in self._going_out:
            value = read(source, missing) if source else missing
            if type(value) is not plain:
                value = (
                    field.serialize(name, obj)
                    if value is missing
                    else field._serialize(value, name, obj)
                )
            if value is not missing:
                found[key] = value
        return found


def _source(name: str, field: fields.Field[Any]) -> str | None:
    """Return the attribute that the field shows; None where marshmallow has to look for it."""
    source = name if field.attribute is None else field.attribute
    return source if field._CHECK_ATTRIBUTE and "." not in source else None


def _as_it_is(field: fields.Field[Any]) -> type | None:
    """Return the type whose values the field leaves as they are."""
    if isinstance(field, fields.Integer) and field.as_string:
        return None
    return _PLAIN.get(type(field)._serialize)


_PLAIN: dict[Any, type] = {
    fields.String._serialize: str,
    fields.Integer._serialize: int,
    fields.Boolean._serialize: bool,
}


class QuerySchema(MarshmallowSchema):
    """Arguments in the address: the same strictness."""

    class Meta:
        """Contract §2: unknown fields are refused."""

        unknown = RAISE


class Line(fields.String):
    """One line of text: NFC, trimmed, without control characters; lengths in characters."""

    multiline = False

    def __init__(self, *, max_length: int = 200, min_length: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators.insert(0, validate.Length(min=min_length or None, max=max_length))

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = unicodedata.normalize("NFC", super()._deserialize(value, attr, data, **kwargs))
        allowed = "\n\r\t\u2028\u2029" if self.multiline else ""
        if any(unicodedata.category(char) in UNPRINTABLE and char not in allowed for char in text):
            raise unusable(
                N_("不能含有控制字符。") if self.multiline else N_("不能含有换行或控制字符。")
            )
        return text.replace("\r\n", "\n").strip()


class Paragraph(Line):
    """Several lines of text."""

    multiline = True


class Id(fields.Integer):
    """A key: a positive 64-bit integer, not its text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)
        self.validators.insert(0, validate.Range(min=1, max=BIGGEST_ID))


class Count(fields.Integer):
    """A whole number within stated bounds."""

    def __init__(self, *, least: int = 0, most: int, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)
        self.validators.insert(0, validate.Range(min=least, max=most))


class QueryCount(fields.Integer):
    """A whole number in the address, where everything is text."""

    def __init__(self, *, least: int = 0, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators.insert(0, validate.Range(min=least, max=most))

    def _validated(self, value: Any) -> int:
        # int() would also take "1_0", " 1 " and Arabic digits.
        if isinstance(value, str) and not WHOLE.fullmatch(value):
            raise self.make_error("invalid")
        return super()._validated(value)


class QueryId(QueryCount):
    """A key in the address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(least=1, most=BIGGEST_ID, **kwargs)


class Instant(fields.AwareDateTime):
    """RFC 3339 with offset in, `…Z` out; between 2000 and 2099."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else rfc3339(value)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> datetime:
        # fromisoformat() knows more than RFC 3339: weeks, dates alone, offsets with seconds.
        if not isinstance(value, str) or not RFC3339.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type="datetime")
        instant = super()._deserialize(value.upper(), attr, data, **kwargs)
        if not EARLIEST <= instant <= LATEST:
            raise unusable(N_("时间须在 2000 年到 2099 年之间。"))
        return instant.astimezone(UTC)


class QueryInstant(Instant):
    """An instant in the address, where a bare `+` of an offset arrives as a space."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> datetime:
        if isinstance(value, str):
            value = re.sub(r"(:\d\d(?:[.]\d+)?) (\d\d:\d\d)$", r"\1+\2", value)
        return super()._deserialize(value, attr, data, **kwargs)


class WallClock(fields.Field[datetime]):
    """A day and a time on the instrument's wall, as `datetime-local` sends it; without a zone."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> datetime:
        found = WALL.fullmatch(str(value).strip())
        try:
            return datetime.fromisoformat(f"{found[1]}T{found[2]}" if found else "")
        except ValueError:
            raise unusable(N_("请写作 2026-11-25 14:00。")) from None


class Sentence(fields.String):
    """A sentence for people, in the caller's language; only goes out."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return value.render(gettext) if isinstance(value, Text) else value


class MoneyField(fields.Field[Money]):
    """`{"amount": "12.50", "currency": "CNY"}`; amounts are text, never floats."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        if value is None:
            return None
        return {"amount": value.amount, "currency": value.currency}

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Money:
        if not isinstance(value, dict) or set(value) - {"amount", "currency"}:
            raise unusable(N_('金额须写作 {"amount": "12.50", "currency": "CNY"}。'))
        amount, currency = value.get("amount"), value.get("currency", "CNY")
        if not isinstance(amount, str) or not AMOUNT.fullmatch(amount):
            raise unusable(N_('金额须为文本，最多两位小数，例如 "12.50"。'))
        if currency != "CNY":
            raise unusable(N_("币种只能是 CNY。"))
        return Money.of(amount, currency)


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


def rfc3339(instant: datetime) -> str:
    """Return the instant as `2026-11-25T06:00:00Z`; fractions only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


class PageQuery(QuerySchema):
    """`limit` and `cursor` of every list."""

    limit = QueryCount(least=1, most=LARGEST, load_default=DEFAULT)
    cursor = Line(load_default=None, max_length=LONGEST_CURSOR)


class VersionIn(Schema):
    """Actions that need nothing but the version the caller saw."""

    version = Count(least=1, most=2**31, load_default=None)
