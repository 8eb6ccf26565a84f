"""REST for prices: everybody reads them, the owner publishes."""

from typing import Any

from booking.accounts.auth import caller, caller_or_none
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.kernel.paging import Page
from booking.registry import queries as registry
from booking.tariffs import queries, service
from booking.tariffs.models import Price
from booking.tariffs.schemas import PriceIn, PriceOut, PricePage, PriceQuery

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
    """Publish a price for a customer class; it takes the place of the current one."""
    with transaction():
        return service.publish_price(instrument_id, **data, caller=caller())
