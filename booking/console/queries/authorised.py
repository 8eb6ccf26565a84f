"""What the pages of authorisations show beside them: own instruments, reservations ahead."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager, joinedload

from booking.accounts.rules import Caller, Permission, require
from booking.authorisations.models import Authorisation
from booking.kernel.db import db
from booking.registry.models import Instrument, Publication
from booking.reservations.models import Reservation, ReservationStatus

MOST = 100


def own_instruments(institution_id: int, *, caller: Caller) -> Sequence[Instrument]:
    """Return the published instruments of an institution the caller works the day for, by name."""
    require(caller, Permission.SEE_OWNER_SIDE, institution_id)
    query = select(Instrument).where(
        Instrument.institution_id == institution_id,
        Instrument.publication == Publication.PUBLISHED,
    )
    return db.session.scalars(query.order_by(Instrument.name, Instrument.id).limit(MOST)).all()


def self_operated_ahead(held: Authorisation, *, now: datetime) -> Sequence[Reservation]:
    """Return the person's coming reservations there that rest on an authorisation."""
    covers = (
        Instrument.id == held.instrument_id
        if held.instrument_id is not None
        else func.starts_with(Instrument.category_code, held.category_code or "")
    )
    query = (
        select(Reservation)
        .join(Reservation.instrument)
        .options(contains_eager(Reservation.instrument), joinedload(Reservation.organisation))
        .where(
            Reservation.user_id == held.user_id,
            Instrument.institution_id == held.institution_id,
            covers,
            ~Reservation.is_assisted,
            Reservation.ends_at > now,
            Reservation.status.in_((ReservationStatus.TENTATIVE, ReservationStatus.CONFIRMED)),
        )
        .order_by(Reservation.starts_at)
        .limit(MOST)
    )
    return db.session.scalars(query).all()
