"""REST for savings: everybody reads their own, the institution's bookkeeper corrects."""

from typing import Any

from booking.accounts.auth import caller
from booking.kernel import clock
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.savings import queries, rules, service
from booking.savings.models import SavingsLine
from booking.savings.schemas import (
    AvoidedOut,
    AvoidedQuery,
    CorrectionIn,
    SavingsOut,
    SavingsPage,
    SavingsQuery,
    shown,
)

bp = Blueprint("savings", __name__, description="节约费用：明细、依据、更正")


@bp.get("/savings")
@login_required
@bp.arguments(SavingsQuery, location="query")
@bp.response(200, SavingsPage)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List the savings the caller may see, latest written first, with the totals of all."""
    page = queries.list_lines(**query, caller=caller())
    totals = queries.totals(caller=caller(), period=query["period"], counted=query["counted"])
    return {"items": page.items, "next_cursor": page.next_cursor, "totals": totals}


@bp.get("/savings/avoided-purchase")
@login_required
@bp.arguments(AvoidedQuery, location="query")
@bp.response(200, AvoidedOut)
def avoided_purchase(query: dict[str, Any]) -> dict[str, Any]:
    """Say what one's hours of a year would have cost on instruments of one's own.

    A reference value only: an alternative to the savings on the same hours, never
    added to them, and by nobody to anything.
    """
    year = query["year"] or clock.today().year
    classes, left_out = rules.avoided(queries.hours_used(caller=caller(), year=year))
    return {
        "year": year,
        "parameters": rules.PARAMETERS,
        "items": [shown(each) for each in classes],
        "left_out": [{"id": each.instrument_id, "name": each.name} for each in left_out],
    }


@bp.get("/savings/<id:line_id>")
@login_required
@bp.response(200, SavingsOut)
def show(line_id: int) -> SavingsLine:
    """Show one line with its evidence."""
    return queries.get_line(line_id, caller=caller())


@bp.post("/savings/<id:line_id>/corrections")
@login_required
@idempotent
@bp.arguments(CorrectionIn)
@bp.response(201, SavingsOut)
def correct(data: dict[str, Any], line_id: int) -> SavingsLine:
    """Add a signed correction with its reason; the line itself never changes."""
    with transaction():
        line = service.correct(line_id, **data, caller=caller())
    return queries.get_line(line.id, caller=caller())
