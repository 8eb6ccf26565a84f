"""What comes in and goes out over the API for savings."""

from datetime import date, datetime
from typing import Any

from marshmallow import fields, post_load

from booking.accounts.rules import SizeClass
from booking.kernel import clock
from booking.kernel.money import Money, round_half_up
from booking.kernel.schema import (
    Count,
    Instant,
    Line,
    MoneyField,
    PageQuery,
    QueryCount,
    QueryInstant,
    Schema,
    unusable,
)
from booking.kernel.text import N_
from booking.savings.queries import Period
from booking.savings.rules import (
    Avoided,
    NotCounted,
    Reason,
    Service,
    Unit,
)

MOST_QUANTITY = 10**7
FIRST_YEAR = 2021  # of the notice


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


class AvoidedQuery(Schema):
    """Of which year; this one unless told."""

    year = QueryCount(least=FIRST_YEAR, most=2099, load_default=None)


class ParametersOut(Schema):
    """By what owning is reckoned: shares as decimals, years as a number."""

    version = fields.String()
    residual = fields.Function(lambda by: str(float(by.residual)))
    years = fields.Integer()
    upkeep = fields.Function(lambda by: str(float(by.upkeep)))


class OwnedOut(Schema):
    """An instrument of the class: what it cost, its rated hours a year, and how long it was used.

    `per_hour` is [原值 × (1 − 残值率) ÷ 年限 + 原值 × 年运维率] ÷ 额定机时.
    """

    id = fields.Integer(attribute="instrument_id")
    name = fields.String()
    worth = MoneyField()
    rated_hours = fields.Integer()
    minutes = fields.Integer()
    per_hour = MoneyField()
    cash = MoneyField()


class AvoidedClassOut(Schema):
    """One class of instruments: what owning the hours would cost, what was paid, the difference."""

    organisation_id = fields.Integer()
    category_code = fields.String()
    minutes = fields.Integer()
    owning = MoneyField()
    cash = MoneyField()
    value = MoneyField()
    instruments = fields.List(fields.Nested(OwnedOut))


class AvoidedOut(Schema):
    """Reference values of a year; `left_out` are instruments whose original value is not known."""

    year = fields.Integer()
    parameters = fields.Nested(ParametersOut)
    items = fields.List(fields.Nested(AvoidedClassOut))
    left_out = fields.List(fields.Nested(NamedOut))


def shown(found: Avoided) -> dict[str, Any]:
    """Return a class with its amounts as money."""
    return {
        "organisation_id": found.organisation_id,
        "category_code": found.category,
        "minutes": found.minutes,
        "owning": Money(found.owning),
        "cash": Money(found.cash),
        "value": Money(found.value),
        "instruments": [
            {
                "instrument_id": each.instrument_id,
                "name": each.name,
                "worth": Money(each.worth or 0),
                "rated_hours": each.rated_hours,
                "minutes": each.minutes,
                "per_hour": Money(round_half_up(each.per_hour())),
                "cash": Money(each.cash),
            }
            for each in found.instruments
        ],
    }


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
