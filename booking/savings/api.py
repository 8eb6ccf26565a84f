"""REST for savings: everybody reads their own, the institution's bookkeeper corrects."""

from typing import Any

from booking.accounts.auth import caller
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.savings import queries, service
from booking.savings.models import SavingsLine
from booking.savings.schemas import CorrectionIn, SavingsOut, SavingsPage, SavingsQuery

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
