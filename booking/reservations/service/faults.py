"""Faults: reported during a use, answered by who runs the instrument."""

from booking.accounts.rules import Caller, Permission, require
from booking.availability.models import Closure
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import NotFound, WrongState
from booking.notices.rules import Kind
from booking.reservations import queries
from booking.reservations.models import Fault, Reservation, ReservationStatus
from booking.reservations.service.changing import changeable
from booking.reservations.service.telling import tell
from booking.reservations.service.using import check_out


def report_fault(
    reservation_id: int,
    what: str,
    *,
    caller: Caller,
    stops_use: bool,
    version: int | None = None,
) -> Fault:
    """Tell who runs the instrument what is wrong with it; ends the use where it cannot go on.

    Nobody's time is taken: whether and for how long it is closed is for the owner to say. Raises
    WrongState unless the reservation is in use, or as `changeable`.
    """
    reservation = changeable(reservation_id, caller, version)
    if reservation.status is not ReservationStatus.IN_USE:
        raise WrongState(reservation.status, "report-fault")
    fault = Fault(
        instrument_id=reservation.instrument_id,
        unit=reservation.unit,
        reservation_id=reservation.id,
        reported_by=caller.user_id,
        what=what,
        stopped_use=stops_use,
    )
    db.session.add(fault)
    db.session.flush()
    if stops_use:
        check_out(reservation_id, caller=caller)
    _record("fault.reported", fault, reservation, caller)
    told = {"fault_id": fault.id, "what": what, "stopped_use": stops_use}
    tell(Kind.FAULT, reservation, owner=reservation.instrument.institution_id, **told)
    return fault


def dismiss_fault(fault_id: int, answer: str, *, caller: Caller) -> Fault:
    """Answer that it can go on: nothing was wrong, or it is mended. Raises WrongState."""
    fault = queries.get_fault(fault_id, caller=caller, for_update=True)
    require(caller, Permission.RUN_INSTRUMENTS, fault.reservation.instrument.institution_id)
    if fault.answered_at is not None:
        raise WrongState("answered", "dismiss")
    answer_fault(fault, caller, answer)
    return fault


def get_open_fault(fault_id: int, instrument_id: int) -> Fault:
    """Return an instrument's fault, locked; raises NotFound, or WrongState if it was answered."""
    fault = queries.find_fault_of(fault_id, instrument_id)
    if fault is None:
        raise NotFound
    if fault.answered_at is not None:
        raise WrongState("answered", "close")
    return fault


def answer_fault(
    fault: Fault, caller: Caller, answer: str, *, closure: Closure | None = None
) -> None:
    """Keep who answered a fault, with what or by which closure."""
    fault.answered_at, fault.answered_by = clock.now(), caller.user_id
    fault.answer = answer
    fault.closure_id = closure.id if closure is not None else None
    db.session.flush()
    _record("fault.answered", fault, fault.reservation, caller)


def _record(action: str, fault: Fault, reservation: Reservation, caller: Caller) -> None:
    journal.record(
        action,
        "fault",
        fault.id,
        by=caller.user_id,
        organisation_id=reservation.instrument.institution_id,
        new={
            "instrument_id": fault.instrument_id,
            "unit": fault.unit,
            "reservation_id": fault.reservation_id,
            "what": fault.what,
            "stopped_use": fault.stopped_use,
            "closure_id": fault.closure_id,
            "answer": fault.answer,
        },
    )
