"""What comes in and goes out for packages and prepaid hours."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, pre_dump, validate

from booking.accounts.rules import CustomerClass
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
    QuerySchema,
    Schema,
    unusable,
)
from booking.kernel.text import N_, Text
from booking.packages.models import PrepaidBalance
from booking.packages.rules import MOST_HOURS, MOST_INSTRUMENTS, MOST_MONTHS, EntryKind
from booking.tariffs.schemas.forms import Yuan

BUYERS = [each for each in CustomerClass if each is not CustomerClass.INTERNAL]
MOST_MINUTES = MOST_HOURS * 60
_CATEGORY = validate.Regexp(r"^(\d{2}|\d{4}|\d{6})?\Z")
_HOURS = re.compile(r"([-−+]?)([0-9]{1,5})([.][0-9]{1,2})?", re.ASCII)


class PackageIn(Schema):
    """A package of hours for a class of customers.

    For `instrument_ids` of the institution, else for the instruments whose category's code begins
    with `category_code`, else for all. `price` is of the whole package, a whole number of 分 per
    hour, and no dearer per hour than the lists of these instruments. With `replaces` another
    version is withdrawn for it.
    """

    name = Line(min_length=1, max_length=60, required=True)
    customer_class = fields.Enum(
        CustomerClass, by_value=True, required=True, validate=validate.OneOf(BUYERS)
    )
    hours = Count(least=1, most=MOST_HOURS, required=True)
    price = MoneyField(required=True)
    valid_months = Count(least=1, most=MOST_MONTHS, required=True)
    instrument_ids = fields.List(
        Id(), load_default=list, validate=validate.Length(max=MOST_INSTRUMENTS)
    )
    category_code = Line(max_length=6, load_default="", validate=_CATEGORY)
    conditions = Paragraph(max_length=500, load_default="")
    replaces = Id(load_default=None, allow_none=True)


class PackageOut(Schema):
    """A published package; `withdrawn_at` is there once it is not sold any more."""

    id = fields.Integer()
    institution_id = fields.Integer()
    name = fields.String()
    customer_class = fields.Enum(CustomerClass, by_value=True)
    hours = fields.Integer()
    price = MoneyField()
    per_hour = MoneyField()
    valid_months = fields.Integer()
    instrument_ids = fields.List(fields.Integer())
    category_code = fields.String()
    conditions = fields.String()
    replaces_id = fields.Integer(allow_none=True)
    published_at = Instant()
    withdrawn_at = Instant(allow_none=True)


class PackageQuery(QuerySchema):
    """Of one institution: those that are sold, or not any more; all if not told."""

    is_sold = fields.Boolean(load_default=None, data_key="sold")


class PackageList(Schema):
    """All on one page."""

    items = fields.List(fields.Nested(PackageOut))
    next_cursor = fields.String(allow_none=True)


class PurchaseIn(Schema):
    """What a firm paid for, as the institution's finance records it."""

    uscc = Line(min_length=1, max_length=40, required=True)
    paid_on = fields.Date(required=True)
    reference = Line(min_length=1, max_length=100, required=True)


class BalanceOut(Schema):
    """A bought package: what is left of it and until when it can be booked with."""

    id = fields.Integer()
    number = fields.String()
    package_id = fields.Integer()
    package = fields.String()
    institution_id = fields.Integer()
    institution = fields.String()
    organisation_id = fields.Integer()
    organisation = fields.String()
    minutes = fields.Integer()
    left_minutes = fields.Integer()
    price = MoneyField()
    per_hour = MoneyField()
    paid_on = fields.Date()
    valid_until = fields.Date()
    reference = fields.String()
    recorded_at = Instant()

    @pre_dump
    def flat(self, balance: PrepaidBalance, **_: Any) -> dict[str, Any]:
        """Put names in the place of what they name."""
        named = {"package", "institution", "organisation"}
        kept = {name: getattr(balance, name) for name in self.fields if name not in named}
        return kept | {name: getattr(balance, name).name for name in named}


class BalancePage(Schema):
    """A page of balances."""

    items = fields.List(fields.Nested(BalanceOut))
    next_cursor = fields.String(allow_none=True)


class BalanceQuery(PageQuery):
    """Of an institution, of a firm, or all that the caller may see."""

    institution_id = QueryId(load_default=None, data_key="institution")
    organisation_id = QueryId(load_default=None, data_key="organisation")


class EntryOut(Schema):
    """Minutes that came to a balance (positive) or left it (negative), and for what."""

    id = fields.Integer()
    kind = fields.Enum(EntryKind, by_value=True)
    minutes = fields.Integer()
    reservation_id = fields.Integer(allow_none=True)
    reason = fields.String()
    at = Instant()


class EntryList(Schema):
    """All of a balance, latest first; their sum is what is left."""

    items = fields.List(fields.Nested(EntryOut))
    next_cursor = fields.String(allow_none=True)


class PrepaidCorrectionIn(Schema):
    """Minutes to add (positive) or take (negative), and why; the firm sees it."""

    minutes = Count(least=-MOST_MINUTES, most=MOST_MINUTES, required=True)
    reason = Line(min_length=1, max_length=200, required=True)


class PackageForm(FormSchema):
    """The page on which a package is published."""

    lists: ClassVar[frozenset[str]] = frozenset({"instrument_ids"})
    required: ClassVar[Mapping[str, Text]] = {
        "name": N_("请填写名称。"),
        "customer_class": N_("请选择客户类别。"),
        "hours": N_("请填写小时数。"),
        "price": N_("请填写总价。"),
        "valid_months": N_("请填写有效月数。"),
    }
    name = Line(max_length=60, required=True)
    customer_class = fields.Enum(
        CustomerClass, by_value=True, required=True, validate=validate.OneOf(BUYERS)
    )
    hours = QueryCount(least=1, most=MOST_HOURS, required=True)
    price = Yuan(required=True)
    valid_months = QueryCount(least=1, most=MOST_MONTHS, required=True)
    category_code = Line(max_length=6, load_default="", validate=_CATEGORY)
    instrument_ids = fields.List(
        QueryId(), load_default=list, validate=validate.Length(max=MOST_INSTRUMENTS)
    )
    conditions = Paragraph(max_length=500, load_default="")
    replaces = QueryId(load_default=None)


class PurchaseForm(FormSchema):
    """The page on which finance records what a firm paid for."""

    required: ClassVar[Mapping[str, Text]] = {
        "package_id": N_("请选择机时包。"),
        "uscc": N_("请填写统一社会信用代码。"),
        "paid_on": N_("请填写日期。"),
        "reference": N_("请填写回单号。"),
    }
    package_id = QueryId(required=True)
    uscc = Line(max_length=40, required=True)
    paid_on = fields.Date(required=True)
    reference = Line(max_length=100, required=True)


class HoursTyped(fields.Field[int]):
    """Hours as people type them, `-1.5` to take one and a half; in minutes."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        found = _HOURS.fullmatch(re.sub(r"\s", "", unicodedata.normalize("NFKC", str(value)[:40])))
        hundredths = int(found[2]) * 100 + int((found[3] or ".")[1:].ljust(2, "0")) if found else 0
        minutes, rest = divmod(hundredths * 60, 100)
        if found is None or rest or minutes > MOST_MINUTES:
            raise unusable(N_("请填写小时数，减少写负数，例如 2 或 -1.5。"))
        return -minutes if found[1] in {"-", "−"} else minutes


class CorrectionForm(FormSchema):
    """The page on which finance corrects a balance."""

    required: ClassVar[Mapping[str, Text]] = {
        "minutes": N_("请填写增加或减少的小时数。"),
        "reason": N_("请写明原因，企业会看到。"),
    }
    minutes = HoursTyped(required=True, data_key="hours")
    reason = Line(max_length=200, required=True)


class SeenForm(FormSchema):
    """A button."""
