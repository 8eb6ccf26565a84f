"""What comes in and goes out over the API for savings."""

from datetime import date, datetime
from typing import Any

from marshmallow import fields, post_load

from booking.accounts.rules import SizeClass
from booking.kernel import clock
from booking.kernel.schema import (
    Count,
    Instant,
    Line,
    MoneyField,
    PageQuery,
    QueryInstant,
    Schema,
    unusable,
)
from booking.kernel.text import N_
from booking.savings.queries import Period
from booking.savings.rules import NotCounted, Reason, Service, Unit

MOST_QUANTITY = 10**7


class QueryDay(QueryInstant):
    """A day in the address, `2026-11-25`; of an instant the day it is in China."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and len(value) == len("2026-11-25"):
            try:
                return date.fromisoformat(value)
            except ValueError:
                raise unusable(N_("请写作 2026-11-25。")) from None
        instant: datetime = super()._deserialize(value, attr, data, **kwargs)
        return instant.astimezone(clock.CHINA).date()


class NamedOut(Schema):
    """Enough to show what it is."""

    id = fields.Integer()
    name = fields.String()


class SavingsOut(Schema):
    """A line, or a signed correction of one; `baseline` = `cash` + `relief` + `subsidy`."""

    id = fields.Integer()
    service = fields.Enum(Service, by_value=True)
    number = fields.String()
    reservation_id = fields.Integer(attribute="subject_id")
    organisation = fields.Nested(NamedOut)
    institution = fields.Nested(NamedOut)
    instrument = fields.Nested(NamedOut, allow_none=True)
    customer_class = fields.String()
    size_class = fields.Enum(SizeClass, by_value=True, allow_none=True)
    quantity = fields.Integer()
    unit = fields.Enum(Unit, by_value=True)
    baseline = MoneyField(allow_none=True)
    baseline_rank = fields.Integer(allow_none=True)
    price = MoneyField()
    cash = MoneyField()
    relief = MoneyField()
    subsidy = MoneyField()
    saved = MoneyField()
    not_counted = fields.Enum(NotCounted, by_value=True, allow_none=True)
    counted_on = fields.Date()
    settled_on = fields.Date()
    corrects_id = fields.Integer(allow_none=True)
    reason = fields.Enum(Reason, by_value=True, allow_none=True)
    note = fields.String()
    method = fields.String()
    evidence = fields.Dict()
    written_at = Instant()


class TotalsOut(Schema):
    """Sums over all lines that meet the filters, not over one page."""

    services = fields.Integer()
    counted = fields.Integer()
    without_baseline = fields.Integer()
    excluded = fields.Integer()
    smallest = fields.Integer()
    smallest_saved = MoneyField()
    baseline = MoneyField()
    price = MoneyField()
    cash = MoneyField()
    relief = MoneyField()
    subsidy = MoneyField()
    saved = MoneyField()


class SavingsPage(Schema):
    """A page of lines, and what all of them come to."""

    items = fields.List(fields.Nested(SavingsOut))
    next_cursor = fields.String(allow_none=True)
    totals = fields.Nested(TotalsOut)


class SavingsQuery(PageQuery):
    """Lines counted from one day to another, both included."""

    first = QueryDay(data_key="from", load_default=None)
    last = QueryDay(data_key="to", load_default=None)
    counted = fields.Boolean(load_default=None, truthy={"true"}, falsy={"false"})

    @post_load
    def to_period(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put the pair in place of the two."""
        first, last = data.pop("first"), data.pop("last")
        if first and last and last < first:
            raise unusable(N_("结束日期不能早于开始日期。"), "to")
        data["period"] = Period(first, last)
        return data


class CorrectionIn(Schema):
    """Why a line is corrected, and by how much; `note` says on which document that rests."""

    reason = fields.Enum(Reason, by_value=True, required=True)
    amount = MoneyField(load_default=None)
    quantity = Count(most=MOST_QUANTITY, load_default=0)
    note = Line(min_length=1, max_length=200, required=True)

    @post_load
    def to_minor(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put 分 in place of the money."""
        data["amount"] = data["amount"].minor if data["amount"] else 0
        return data
