"""REST for quotes, reservations and closures: parse, open the transaction, call one use case."""

from typing import Any

from flask import url_for

from booking.accounts.auth import caller, caller_or_none
from booking.availability.models import Closure
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.paging import Page
from booking.kernel.schema import PageQuery, VersionIn
from booking.registry import queries as registry
from booking.reservations import queries, service
from booking.reservations.api.frame import Headers, bp
from booking.reservations.models import Fault, Override, Reservation
from booking.reservations.schemas import (
    CancelIn,
    ChangeIn,
    ClosedOut,
    ClosureIn,
    ClosureOut,
    ClosurePage,
    FaultAnswerIn,
    FaultIn,
    FaultOut,
    FeeIn,
    MomentIn,
    NoteIn,
    OverridePage,
    PolicyCheckIn,
    PolicyCheckOut,
    PriceHistory,
    QuoteIn,
    QuoteOut,
    ReasonIn,
    ReservationIn,
    ReservationOut,
    ReservationPage,
    ReservationQuery,
    ReservationWhole,
    SettlementIn,
    UsageIn,
)


@bp.post("/quotes")
@login_required
@bp.arguments(QuoteIn)
@bp.response(200, QuoteOut)
def quote(data: dict[str, Any]) -> service.Offer:
    """Say what a slot costs, what it saves, and every rule that would refuse it."""
    return service.with_rise(service.quote(**data, caller=caller()))


@bp.post("/instruments/<id:instrument_id>/policy-check")
@login_required
@bp.arguments(PolicyCheckIn)
@bp.response(200, PolicyCheckOut)
def policy_check(data: dict[str, Any], instrument_id: int) -> service.Examined:
    """Tell its owner's people what a customer would be quoted, and every rule, kept or broken."""
    return service.check_for(instrument_id, **data, caller=caller())


@bp.get("/instruments/<id:instrument_id>/prices/history")
@bp.doc(security=[])
@bp.response(200, PriceHistory)
def price_history(instrument_id: int) -> dict[str, Any]:
    """List the versions of twelve months, and which of them rose too fast to go unseen."""
    registry.get_instrument(instrument_id, caller=caller_or_none())
    return {"items": queries.price_history(instrument_id)}


@bp.post("/reservations")
@login_required
@idempotent
@bp.arguments(ReservationIn)
@bp.response(201, ReservationOut)
def create(data: dict[str, Any]) -> tuple[Reservation, Headers]:
    """Reserve an instrument; 409 with alternatives if taken, 422 with all broken rules."""
    with transaction():
        reservation = service.reserve(**data, caller=caller())
    return reservation, {"Location": url_for(".show", reservation_id=reservation.id)}


@bp.get("/reservations")
@login_required
@bp.arguments(ReservationQuery, location="query")
@bp.response(200, ReservationPage)
def index(query: dict[str, Any]) -> Page[Reservation]:
    """List the reservations the caller may see, latest made first."""
    return queries.list_reservations(caller=caller(), **query)


@bp.get("/reservations/<id:reservation_id>")
@login_required
@bp.response(200, ReservationWhole)
def show(reservation_id: int) -> Reservation:
    """Show one reservation."""
    return queries.get_reservation(reservation_id, caller=caller())


@bp.get("/reservations/<id:reservation_id>/overrides")
@login_required
@bp.response(200, OverridePage)
def overrides(reservation_id: int) -> Page[Override]:
    """List the rules that were set aside for a reservation, to the owner's people."""
    return Page(queries.overrides_of(reservation_id, caller=caller()))


@bp.patch("/reservations/<id:reservation_id>")
@login_required
@bp.arguments(ChangeIn)
@bp.response(200, ReservationOut)
def change(data: dict[str, Any], reservation_id: int) -> Reservation:
    """Move a reservation, under the same guarantees as a new one, or change its purpose."""
    with transaction():
        return service.change(reservation_id, **data, caller=caller())


@bp.post("/reservations/<id:reservation_id>/cancel")
@login_required
@idempotent
@bp.arguments(CancelIn)
@bp.response(200, ReservationOut)
def cancel(data: dict[str, Any], reservation_id: int) -> Reservation:
    """Cancel a reservation and free its time."""
    with transaction():
        return service.cancel(reservation_id, **data, caller=caller())


@bp.post("/reservations/<id:reservation_id>/approve")
@login_required
@idempotent
@bp.arguments(NoteIn)
@bp.response(200, ReservationWhole)
def approve(data: dict[str, Any], reservation_id: int) -> Reservation:
    """Approve as the owner what is held; the rules are asked again, 422 names what broke since."""
    with transaction():
        return service.approve(reservation_id, **data, caller=caller())


@bp.post("/reservations/<id:reservation_id>/decline")
@login_required
@idempotent
@bp.arguments(ReasonIn)
@bp.response(200, ReservationWhole)
def decline(data: dict[str, Any], reservation_id: int) -> Reservation:
    """Decline as the owner what is held, and free its time."""
    with transaction():
        return service.decline(reservation_id, **data, caller=caller())


@bp.post("/reservations/<id:reservation_id>/check-in")
@login_required
@idempotent
@bp.arguments(MomentIn)
@bp.response(200, ReservationWhole)
def check_in(data: dict[str, Any], reservation_id: int) -> Reservation:
    """Begin the use, from a quarter of an hour before the slot on."""
    with transaction():
        return service.check_in(reservation_id, **data, caller=caller())


@bp.post("/reservations/<id:reservation_id>/check-out")
@login_required
@idempotent
@bp.arguments(MomentIn)
@bp.response(200, ReservationWhole)
def check_out(data: dict[str, Any], reservation_id: int) -> Reservation:
    """End the use and give back the time that is left."""
    with transaction():
        return service.check_out(reservation_id, **data, caller=caller())


@bp.post("/reservations/<id:reservation_id>/no-show")
@login_required
@idempotent
@bp.arguments(NoteIn)
@bp.response(200, ReservationWhole)
def no_show(data: dict[str, Any], reservation_id: int) -> Reservation:
    """Record that nobody came, half an hour after the start at the earliest."""
    with transaction():
        return service.no_show(reservation_id, **data, caller=caller())


@bp.post("/reservations/<id:reservation_id>/report-fault")
@login_required
@idempotent
@bp.arguments(FaultIn)
@bp.response(201, FaultOut)
def report_fault(data: dict[str, Any], reservation_id: int) -> tuple[Fault, Headers]:
    """Report a fault during a use; who runs the instrument is told and decides what follows."""
    with transaction():
        fault = service.report_fault(reservation_id, **data, caller=caller())
    return fault, {"Location": url_for(".show_fault", fault_id=fault.id)}


@bp.get("/faults/<id:fault_id>")
@login_required
@bp.response(200, FaultOut)
def show_fault(fault_id: int) -> Fault:
    """Show a fault to the people of the instrument's owner."""
    return queries.get_fault(fault_id, caller=caller())


@bp.post("/faults/<id:fault_id>/dismiss")
@login_required
@idempotent
@bp.arguments(FaultAnswerIn)
@bp.response(200, FaultOut)
def dismiss_fault(data: dict[str, Any], fault_id: int) -> Fault:
    """Answer that it can go on; a closure with `fault` answers that it cannot."""
    with transaction():
        return service.dismiss_fault(fault_id, **data, caller=caller())


@bp.post("/reservations/<id:reservation_id>/confirm-usage")
@login_required
@idempotent
@bp.arguments(UsageIn)
@bp.response(200, ReservationWhole)
def confirm_usage(data: dict[str, Any], reservation_id: int) -> Reservation:
    """Confirm how long it was used and so what is due; again, to answer an objection."""
    with transaction():
        return service.confirm_usage(reservation_id, **data, caller=caller())


@bp.post("/reservations/<id:reservation_id>/agree")
@login_required
@idempotent
@bp.arguments(VersionIn)
@bp.response(200, ReservationWhole)
def agree(data: dict[str, Any], reservation_id: int) -> Reservation:
    """Say as the firm that what was confirmed is right."""
    with transaction():
        return service.agree(reservation_id, **data, caller=caller())


@bp.post("/reservations/<id:reservation_id>/object")
@login_required
@idempotent
@bp.arguments(ReasonIn)
@bp.response(200, ReservationWhole)
def object_to(data: dict[str, Any], reservation_id: int) -> Reservation:
    """Object as the firm to what was confirmed, within three working days."""
    with transaction():
        return service.object_to(reservation_id, **data, caller=caller())


@bp.post("/reservations/<id:reservation_id>/settle")
@login_required
@idempotent
@bp.arguments(SettlementIn)
@bp.response(200, ReservationWhole)
def settle(data: dict[str, Any], reservation_id: int) -> Reservation:
    """Record as the institution's finance how it was paid; writes what it saved."""
    with transaction():
        return service.settle(reservation_id, **data, caller=caller())


@bp.post("/reservations/<id:reservation_id>/settle-fee")
@login_required
@idempotent
@bp.arguments(FeeIn)
@bp.response(200, ReservationWhole)
def settle_fee(data: dict[str, Any], reservation_id: int) -> Reservation:
    """Record as the institution's finance how the fee of one that came to nothing was dealt with.

    `waived` needs a `reason`, the others the `reference` of a document. It saves nothing.
    """
    with transaction():
        return service.settle_fee(reservation_id, **data, caller=caller())


@bp.post("/instruments/<id:instrument_id>/closures")
@login_required
@idempotent
@bp.arguments(ClosureIn)
@bp.response(201, ClosedOut)
def close(data: dict[str, Any], instrument_id: int) -> tuple[service.Closed, Headers]:
    """Close an instrument for a while; 409 names the reservations in the way.

    Those listed in `cancel` give way in the same transaction.
    """
    with transaction():
        done = service.close(instrument_id, **data, caller=caller())
    return done, {"Location": url_for(".show_closure", closure_id=done.closure.id)}


@bp.get("/instruments/<id:instrument_id>/closures")
@login_required
@bp.arguments(PageQuery, location="query")
@bp.response(200, ClosurePage)
def closures(query: dict[str, Any], instrument_id: int) -> Page[Closure]:
    """List an instrument's closures for its owner's people, latest made first."""
    registry.get_instrument(instrument_id, caller=caller())
    return queries.list_closures(instrument_id, caller=caller(), **query)


@bp.get("/closures/<id:closure_id>")
@login_required
@bp.response(200, ClosureOut)
def show_closure(closure_id: int) -> Closure:
    """Show one closure to its owner's people."""
    return queries.get_closure(closure_id, caller=caller())


@bp.post("/closures/<id:closure_id>/lift")
@login_required
@idempotent
@bp.arguments(VersionIn)
@bp.response(200, ClosureOut)
def lift(data: dict[str, Any], closure_id: int) -> Closure:
    """End a closure now and give back what is left of it."""
    with transaction():
        return service.lift(closure_id, **data, caller=caller())
