"""The instruments: registered, opened, priced and published by their institutions."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from booking.accounts.rules import Caller, CustomerClass
from booking.authorisations.rules import Operation
from booking.availability import service as availability
from booking.demo import tables
from booking.demo.charges import TERMS
from booking.demo.hours import MANNERS, WEEKS
from booking.demo.tables import Instrument
from booking.kernel.money import Money
from booking.registry import service as registry
from booking.registry.models import RunningState
from booking.tariffs import service as tariffs
from booking.tariffs.rules import USUAL, ChargeUnit

_RESEARCH_PERCENT = 10
_DUTY_FREE = Decimal(250)  # 万元
_REASONS = {CustomerClass.SME: "支持中小微企业", CustomerClass.RESEARCH: "支持科研教学"}


def register(everybody: Mapping[str, Caller]) -> dict[int, int]:
    """Register and publish all instruments; returns their ids by their numbers in the table."""
    return {row.number: _instrument(row, everybody) for row in tables.instruments()}


def _instrument(row: Instrument, everybody: Mapping[str, Caller]) -> int:
    site, manner = tables.sites()[row.site], MANNERS[row.terms]
    owner = everybody[site.institution]
    created = registry.create_instrument(
        next(iter(owner.organisations)),
        {
            "inner_id": f"{row.site.upper()}-{row.number:03d}",
            "name": row.name,
            "model": row.model,
            "manufacturer": row.maker,
            "category_code": row.category,
            "technical": row.technical,
            "functions": row.functions,
            "requirement": manner.requirement,
            "standards": list(row.standards),
            "worth_wan": row.worth,
            # Registers say the day; the table keeps the year, so the month goes round.
            "commissioned_on": date(row.since, row.number % 12 + 1, 15),
            # The dearest came in duty-free.
            "customs_supervised": row.worth >= _DUTY_FREE,
            "running_state": RunningState(row.state),
            "region_code": site.region,
            "street": site.street,
            "department": site.department,
            "contact": "仪器管理室",
            "phone": site.phone,
            "units": row.units,
        },
        caller=owner,
    )
    registry.publish(created.id, caller=owner)
    availability.set_schedule(created.id, manner.terms, WEEKS[row.week], caller=owner)
    if manner.operation is not Operation.EITHER:
        availability.set_operation(created.id, manner.operation, caller=owner)
    if manner.approval.ever_needed:
        availability.set_approval(created.id, manner.approval, caller=owner)
    _prices(created.id, row, owner)
    return created.id


def _prices(instrument_id: int, row: Instrument, owner: Caller) -> None:
    discounts = {
        CustomerClass.SME: row.sme,
        CustomerClass.LARGE: 0,
        CustomerClass.RESEARCH: _RESEARCH_PERCENT,
    }
    terms = TERMS.get(row.number, USUAL)
    per_hour = Money.of(row.price) if terms.unit is ChargeUnit.HOUR else None
    for customer_class, percent in discounts.items():
        tariffs.publish_price(
            instrument_id,
            customer_class,
            per_hour,
            caller=owner,
            terms=terms,
            discount_percent=Decimal(percent),
            discount_reason=_REASONS.get(customer_class, ""),
        )
