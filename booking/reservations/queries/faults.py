"""Faults somebody reported, for who runs the instrument and who reported them."""

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager

from booking.accounts.rules import Caller, Permission
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.registry.models import Instrument
from booking.reservations.models import Fault, Reservation


def _faults() -> Select[Fault]:
    return (
        select(Fault)
        .join(Fault.reservation)
        .join(Reservation.instrument)
        .join(Reservation.organisation)
        .options(
            contains_eager(Fault.reservation).contains_eager(Reservation.instrument),
            contains_eager(Fault.reservation).contains_eager(Reservation.organisation),
        )
    )


def get_fault(fault_id: int, *, caller: Caller, for_update: bool = False) -> Fault:
    """Return a fault of an instrument the caller's institution runs, or raise NotFound."""
    owners = caller.organisations_with(Permission.SEE_OWNER_SIDE)
    query = _faults().where(Fault.id == fault_id, Instrument.institution_id.in_(owners))
    return _one(query, for_update=for_update)


def find_fault_of(fault_id: int, instrument_id: int) -> Fault | None:
    """Return a fault of this instrument, locked, or None."""
    query = _faults().where(Fault.id == fault_id, Fault.instrument_id == instrument_id)
    return db.session.scalar(query.with_for_update(of=Fault))


def open_faults(institution_id: int) -> Sequence[Fault]:
    """Return what nobody has answered yet at an institution, oldest first."""
    query = (
        _faults()
        .where(Instrument.institution_id == institution_id, Fault.answered_at.is_(None))
        .order_by(Fault.id)
        .limit(200)
    )
    return db.session.scalars(query).all()


def faults_of(reservation_id: int) -> Sequence[Fault]:
    """Return what was reported during a reservation's use, in order."""
    query = select(Fault).where(Fault.reservation_id == reservation_id).order_by(Fault.id)
    return db.session.scalars(query).all()


def _one(query: Select[Fault], *, for_update: bool) -> Fault:
    if for_update:
        query = query.with_for_update(of=Fault).execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found
