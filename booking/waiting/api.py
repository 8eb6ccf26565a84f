"""REST for the waiting list."""

from dataclasses import replace
from typing import Any

from flask import url_for

from booking.accounts.auth import caller
from booking.accounts.rules import Permission, require
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.kernel.paging import Page
from booking.kernel.schema import VersionIn
from booking.registry import queries as registry
from booking.waiting import queries, service
from booking.waiting.queries import Placed
from booking.waiting.schemas import WaitingCount, WaitingIn, WaitingOut, WaitingPage, WaitingQuery

bp = Blueprint("waiting", __name__, description="候补")
Headers = dict[str, str]


@bp.get("/waiting-entries")
@login_required
@bp.arguments(WaitingQuery, location="query")
@bp.response(200, WaitingPage)
def index(query: dict[str, Any]) -> Page[Placed]:
    """List the places on waiting lists the caller may see, the latest first."""
    found = queries.list_entries(caller=caller(), **query)
    return replace(found, items=service.priced(found.items, caller=caller()))


@bp.post("/waiting-entries")
@login_required
@idempotent
@bp.arguments(WaitingIn)
@bp.response(201, WaitingOut)
def join(data: dict[str, Any]) -> tuple[Placed, Headers]:
    """Wait for time on an instrument; 409 if some is free, 422 if it could never be reserved."""
    with transaction():
        made = service.join(**data, caller=caller())
    return _shown(made.id), {"Location": url_for(".show", entry_id=made.id)}


@bp.get("/waiting-entries/<id:entry_id>")
@login_required
@bp.response(200, WaitingOut)
def show(entry_id: int) -> Placed:
    """Show one place: how many are before it, what is offered, and until when."""
    return _shown(entry_id)


@bp.post("/waiting-entries/<id:entry_id>/leave")
@login_required
@idempotent
@bp.arguments(VersionIn)
@bp.response(200, WaitingOut)
def leave(data: dict[str, Any], entry_id: int) -> Placed:
    """Leave the waiting list."""
    with transaction():
        service.leave(entry_id, **data, caller=caller())
    return _shown(entry_id)


@bp.post("/waiting-entries/<id:entry_id>/accept")
@login_required
@idempotent
@bp.arguments(VersionIn)
@bp.response(200, WaitingOut)
def accept(data: dict[str, Any], entry_id: int) -> Placed:
    """Reserve what is offered, under the same rules as any reservation; 422 names what broke."""
    with transaction():
        service.accept(entry_id, **data, caller=caller())
    return _shown(entry_id)


@bp.post("/waiting-entries/<id:entry_id>/decline")
@login_required
@idempotent
@bp.arguments(VersionIn)
@bp.response(200, WaitingOut)
def decline(data: dict[str, Any], entry_id: int) -> Placed:
    """Give up what is offered; the next in order has it."""
    with transaction():
        service.decline(entry_id, **data, caller=caller())
    return _shown(entry_id)


@bp.get("/instruments/<id:instrument_id>/waiting")
@login_required
@bp.response(200, WaitingCount)
def count(instrument_id: int) -> dict[str, int]:
    """Say how many firms wait for an instrument, to those who work at its owner."""
    instrument = registry.get_instrument(instrument_id, caller=caller())
    require(caller(), Permission.SEE_OWNER_SIDE, instrument.institution_id)
    return {"firms": queries.firms_waiting([instrument_id]).get(instrument_id, 0)}


def _shown(entry_id: int) -> Placed:
    [found] = service.priced([queries.get_placed(entry_id, caller=caller())], caller=caller())
    return found
