"""REST for schedules, availability and the search for free time; most of it public."""

from itertools import islice
from typing import Any

from booking.accounts.auth import caller, caller_or_none
from booking.availability import queries, service
from booking.availability.models import Schedule
from booking.availability.schemas import (
    ApprovalRuleIn,
    ApprovalRuleOut,
    AvailabilityOut,
    FreeSlotPage,
    FreeSlotQuery,
    InstrumentPage,
    InstrumentQuery,
    OperationIn,
    OperationOut,
    ScheduleIn,
    ScheduleOut,
    WindowQuery,
)
from booking.availability.schemas.policies import (
    DefaultsIn,
    DefaultsOut,
    PolicyIn,
    PolicyOut,
    shown_parts,
)
from booking.kernel import clock
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.kernel.paging import Page
from booking.registry import queries as registry
from booking.tariffs import queries as tariffs

bp = Blueprint("availability", __name__, description="开放时间、忙闲与空档查询")


@bp.get("/instruments")
@bp.doc(security=[])
@bp.arguments(InstrumentQuery, location="query")
@bp.response(200, InstrumentPage)
def instruments(query: dict[str, Any]) -> Page[queries.Listed]:
    """Find instruments by what they are, what they cost and when they are free."""
    return queries.list_instruments(**query, caller=caller_or_none(), now=clock.now())


@bp.get("/instruments/<id:instrument_id>/schedule")
@bp.doc(security=[])
@bp.response(200, ScheduleOut)
def schedule(instrument_id: int) -> queries.ScheduleSheet:
    """Show when an instrument is open and how it may be booked."""
    instrument = registry.get_instrument(instrument_id, caller=caller_or_none())
    return queries.get_schedule(instrument)


@bp.put("/instruments/<id:instrument_id>/schedule")
@login_required
@bp.arguments(ScheduleIn)
@bp.response(200, ScheduleOut)
def set_schedule(data: dict[str, Any], instrument_id: int) -> queries.ScheduleSheet:
    """Set opening hours and booking rules; reservations already made stay."""
    with transaction():
        return service.set_schedule(instrument_id, **data, caller=caller())


@bp.get("/instruments/<id:instrument_id>/policy")
@bp.doc(security=[])
@bp.response(200, PolicyOut)
def policy(instrument_id: int) -> queries.PolicySheet:
    """Show every booking rule of an instrument, also in words, and which ones it inherits."""
    return queries.get_policy(registry.get_instrument(instrument_id, caller=caller_or_none()))


@bp.put("/instruments/<id:instrument_id>/policy")
@login_required
@bp.arguments(PolicyIn)
@bp.response(200, PolicyOut)
def set_policy(data: dict[str, Any], instrument_id: int) -> queries.PolicySheet:
    """Set the rules the instrument decides itself; those left out are its institution's."""
    with transaction():
        return service.set_policy(instrument_id, **data, caller=caller())


@bp.get("/organisations/<id:organisation_id>/policy")
@login_required
@bp.response(200, DefaultsOut)
def defaults(organisation_id: int) -> dict[str, Any]:
    """Show the booking rules that hold where an instrument decides nothing itself."""
    if organisation_id not in caller().organisations:
        raise NotFound
    return _defaults(organisation_id)


@bp.put("/organisations/<id:organisation_id>/policy")
@login_required
@bp.arguments(DefaultsIn)
@bp.response(200, DefaultsOut)
def set_defaults(data: dict[str, Any], organisation_id: int) -> dict[str, Any]:
    """Set them; every instrument that inherits follows at once, or nothing changes."""
    if organisation_id not in caller().organisations:
        raise NotFound
    with transaction():
        service.set_defaults(organisation_id, **data, caller=caller())
        return _defaults(organisation_id)


def _defaults(organisation_id: int) -> dict[str, Any]:
    found = queries.find_defaults(organisation_id)
    return {
        **shown_parts(queries.defaults_of(organisation_id)),
        "institution_id": organisation_id,
        "decides": list(found.given) if found else [],
        "version": found.version if found else 0,
    }


@bp.get("/instruments/<id:instrument_id>/approval")
@bp.doc(security=[])
@bp.response(200, ApprovalRuleOut)
def approval(instrument_id: int) -> Schedule:
    """Show which reservations of an instrument need its owner's approval."""
    instrument = registry.get_instrument(instrument_id, caller=caller_or_none())
    return queries.get_schedule(instrument).schedule


@bp.put("/instruments/<id:instrument_id>/approval")
@login_required
@bp.arguments(ApprovalRuleIn)
@bp.response(200, ApprovalRuleOut)
def set_approval(data: dict[str, Any], instrument_id: int) -> Schedule:
    """Set which reservations need approval; those already made stay as they are."""
    with transaction():
        return service.set_approval(instrument_id, **data, caller=caller())


@bp.get("/instruments/<id:instrument_id>/operation")
@bp.doc(security=[])
@bp.response(200, OperationOut)
def operation(instrument_id: int) -> Schedule:
    """Show whether an instrument is used by oneself, with an authorisation, or with assistance."""
    instrument = registry.get_instrument(instrument_id, caller=caller_or_none())
    return queries.get_schedule(instrument).schedule


@bp.put("/instruments/<id:instrument_id>/operation")
@login_required
@bp.arguments(OperationIn)
@bp.response(200, OperationOut)
def set_operation(data: dict[str, Any], instrument_id: int) -> Schedule:
    """Set how an instrument may be used; reservations already made stay."""
    with transaction():
        return service.set_operation(instrument_id, **data, caller=caller())


@bp.get("/instruments/<id:instrument_id>/availability")
@bp.doc(security=[])
@bp.arguments(WindowQuery, location="query")
@bp.response(200, AvailabilityOut)
def availability(query: dict[str, Any], instrument_id: int) -> queries.Availability:
    """Show open, busy and free time; nothing about other customers."""
    who = caller_or_none()
    return queries.availability(
        registry.get_instrument(instrument_id, caller=who),
        query["window"],
        customer=tariffs.customer_of(who),
        caller=who,
        now=clock.now(),
    )


@bp.get("/free-slots")
@bp.doc(security=[])
@bp.arguments(FreeSlotQuery, location="query")
@bp.response(200, FreeSlotPage)
def free_slots(query: dict[str, Any]) -> Page[queries.FreeSlot]:
    """Find the earliest free slot of each instrument, soonest first."""
    limit = query.pop("limit")
    found = queries.find_free_slots(
        **query, customer=tariffs.customer_of(caller_or_none()), now=clock.now()
    )
    return Page(list(islice(found, limit)))
