"""What notices say of reservations beyond what happened, and which visits to remind of."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, cast, func, literal_column, select
from sqlalchemy.orm import aliased

from booking.accounts.models import Organisation, User
from booking.availability.models import Schedule
from booking.kernel.db import db
from booking.notices.models import Notice
from booking.registry.models import Instrument
from booking.reservations.models import Reservation, ReservationStatus

_AHEAD = timedelta(days=2)  # tomorrow, wherever the instrument stands


def told(ids: Collection[int]) -> Mapping[int, Mapping[str, Any]]:
    """Return names, place and terms of these reservations, in one statement."""
    owner, customer = aliased(Organisation), aliased(Organisation)
    query = (
        select(
            Reservation,
            Instrument,
            owner,
            customer.name,
            User.name,
            Schedule.change_until_minutes,
        )
        .join(Instrument, Instrument.id == Reservation.instrument_id)
        .join(owner, owner.id == Instrument.institution_id)
        .join(customer, customer.id == Reservation.organisation_id)
        .join(User, User.id == Reservation.user_id)
        .outerjoin(Schedule, Schedule.instrument_id == Instrument.id)
        .where(Reservation.id.in_(ids))
    )
    return {
        reservation.id: {
            "number": reservation.number,
            "created_at": reservation.created_at.isoformat(),
            "purpose": reservation.purpose,
            "institution": institution.name,
            "customer": firm,
            "person": person,
            "change_until_minutes": change_until_minutes,
            **_place(instrument, institution),
        }
        for reservation, instrument, institution, firm, person, change_until_minutes in (
            db.session.execute(query)
        )
    }


def _place(instrument: Instrument, institution: Organisation) -> dict[str, str]:
    return {
        "instrument": instrument.name,
        "model": instrument.model,
        "zone": instrument.time_zone,
        "place": f"{instrument.place} {instrument.street}".strip() or institution.address,
        "contact": f"{instrument.contact} {instrument.phone}".strip(),
        "requirement": instrument.requirement,
    }


def reminder_key(reservation: Reservation) -> str:
    """Return what lets a visit be reminded of only once; moved, it is another visit."""
    return f"reminder:{reservation.id}:{int(reservation.starts_at.timestamp())}"


def to_remind_of(now: datetime) -> Sequence[Reservation]:
    """Return confirmed visits whose moment has come and that nobody was reminded of.

    The moment is 09:00 on the lab's wall the day before. Who booked or moved it after that has
    just been told.
    """
    wall = func.timezone(Instrument.time_zone, Reservation.starts_at)
    nine_the_day_before = func.date_trunc("day", wall) - literal_column("interval '15 hours'")
    moment = func.timezone(Instrument.time_zone, nine_the_day_before)
    start = cast(func.extract("epoch", Reservation.starts_at), BigInteger)
    known = select(Notice.id).where(
        Notice.key
        == func.concat(literal_column("'reminder:'"), Reservation.id, literal_column("':'"), start)
    )
    query = (
        select(Reservation)
        .join(Instrument, Instrument.id == Reservation.instrument_id)
        .where(
            Reservation.status == ReservationStatus.CONFIRMED,
            Reservation.starts_at > now,
            Reservation.starts_at < now + _AHEAD,
            moment <= now,
            Reservation.updated_at < moment,
            ~known.exists(),
        )
        .order_by(Reservation.starts_at, Reservation.id)
    )
    return db.session.scalars(query).all()
