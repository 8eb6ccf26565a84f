"""REST for instruments: everybody reads what is published, the owner institution writes."""

from typing import Any

from flask import url_for

from booking.accounts.auth import caller, caller_or_none
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.kernel.schema import VersionIn
from booking.registry import queries, service
from booking.registry.models import Instrument
from booking.registry.queries import Described
from booking.registry.schemas import InstrumentIn, InstrumentOut, InstrumentPatch

bp = Blueprint("registry", __name__, description="仪器：登记、更改、发布、撤回")
Headers = dict[str, str]


@bp.post("/instruments")
@login_required
@idempotent
@bp.arguments(InstrumentIn)
@bp.response(201, InstrumentOut)
def create(data: dict[str, Any]) -> tuple[Described, Headers]:
    """Register an instrument; it stays a draft until it is published."""
    with transaction():
        instrument = service.create_instrument(**data, caller=caller())
    return _described(instrument), {"Location": url_for(".show", instrument_id=instrument.id)}


@bp.get("/instruments/<id:instrument_id>")
@bp.doc(security=[])
@bp.response(200, InstrumentOut)
def show(instrument_id: int) -> Described:
    """Show an instrument; strangers see the contact's phone only in part."""
    return _described(queries.get_instrument(instrument_id, caller=caller_or_none()))


@bp.patch("/instruments/<id:instrument_id>")
@login_required
@bp.arguments(InstrumentPatch)
@bp.response(200, InstrumentOut)
def change(data: dict[str, Any], instrument_id: int) -> Described:
    """Change what is given of an instrument; the rest stays."""
    with transaction():
        instrument = service.update_instrument(instrument_id, **data, caller=caller())
    return _described(instrument)


@bp.post("/instruments/<id:instrument_id>/publish")
@login_required
@idempotent
@bp.arguments(VersionIn)
@bp.response(200, InstrumentOut)
def publish(data: dict[str, Any], instrument_id: int) -> Described:
    """Let everybody find an instrument, once the institution is verified."""
    with transaction():
        instrument = service.publish(instrument_id, **data, caller=caller())
    return _described(instrument)


@bp.post("/instruments/<id:instrument_id>/withdraw")
@login_required
@idempotent
@bp.arguments(VersionIn)
@bp.response(200, InstrumentOut)
def withdraw(data: dict[str, Any], instrument_id: int) -> Described:
    """Take an instrument out of everybody's sight; its reservations stay."""
    with transaction():
        instrument = service.withdraw(instrument_id, **data, caller=caller())
    return _described(instrument)


def _described(instrument: Instrument) -> Described:
    [found] = queries.described([instrument], caller=caller_or_none())
    return found
