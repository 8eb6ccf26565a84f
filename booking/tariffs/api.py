"""REST for prices: everybody reads them, the owner publishes."""

from typing import Any

from booking.accounts.auth import caller, caller_or_none
from booking.accounts.rules import CustomerClass
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.kernel.paging import Page
from booking.registry import queries as registry
from booking.tariffs import queries, service
from booking.tariffs.models import Price
from booking.tariffs.rules import Quote
from booking.tariffs.schemas import (
    Nothing,
    PreviewIn,
    PreviewOut,
    PriceIn,
    PriceOfClassIn,
    PriceOut,
    PricePage,
    PriceQuery,
)

bp = Blueprint("tariffs", __name__, description="公示价格")


@bp.get("/instruments/<id:instrument_id>/prices")
@bp.doc(security=[])
@bp.arguments(PriceQuery, location="query")
@bp.response(200, PricePage)
def index(query: dict[str, Any], instrument_id: int) -> Page[Price]:
    """List an instrument's published prices and their history, latest first."""
    registry.get_instrument(instrument_id, caller=caller_or_none())
    return queries.list_prices(instrument_id, **query)


@bp.post("/instruments/<id:instrument_id>/prices")
@login_required
@idempotent
@bp.arguments(PriceIn)
@bp.response(201, PriceOut)
def publish(data: dict[str, Any], instrument_id: int) -> Price:
    """Publish a price for a customer class; it takes the place of the current one.

    With `effective_from` it does so on a day to come; 409 `price_overlaps` if another one is
    announced already. What was agreed keeps the price it was agreed on.
    """
    with transaction():
        return service.publish_price(instrument_id, **data, caller=caller())


@bp.put("/instruments/<id:instrument_id>/prices/<string:customer_class>")
@login_required
@bp.arguments(PriceOfClassIn)
@bp.response(200, PriceOut)
def put(data: dict[str, Any], instrument_id: int, customer_class: str) -> Price:
    """Let a class's price be so; said again, it changes nothing."""
    if customer_class not in list(CustomerClass):
        raise NotFound
    with transaction():
        return service.publish_price(
            instrument_id, CustomerClass(customer_class), **data, caller=caller()
        )


@bp.post("/prices/<id:price_id>/withdraw")
@login_required
@idempotent
@bp.arguments(Nothing)
@bp.response(200, PriceOut)
def withdraw(data: dict[str, Any], price_id: int) -> Price:
    """Take back a version that does not hold yet; 409 `price_in_force` once it does."""
    with transaction():
        return service.withdraw_price(price_id, **data, caller=caller())


@bp.post("/instruments/<id:instrument_id>/prices/preview")
@login_required
@bp.arguments(PreviewIn)
@bp.response(200, PreviewOut)
def preview(data: dict[str, Any], instrument_id: int) -> Quote:
    """Show its owner what any slot would cost by a price, line by line; nothing is published."""
    return service.preview(instrument_id, **data, caller=caller())
