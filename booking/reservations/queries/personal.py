"""What one person booked, for who asks for their own data."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from booking.kernel.db import db
from booking.reservations.models import Reservation, Use


def personal_data(user_id: int) -> list[dict[str, Any]]:
    """Return the reservations a person made, in plain values, in order."""
    found = db.session.scalars(
        select(Reservation)
        .where(Reservation.user_id == user_id)
        .options(
            joinedload(Reservation.instrument),
            joinedload(Reservation.organisation),
            joinedload(Reservation.use),
        )
        .order_by(Reservation.id)
    )
    return [
        {
            "number": each.number,
            "instrument": each.instrument.name,
            "organisation": each.organisation.name,
            "starts_at": each.starts_at,
            "ends_at": each.ends_at,
            "status": each.status.value,
            "purpose": each.purpose,
            "is_assisted": each.is_assisted,
            "price": {"amount": each.price.amount, "currency": each.currency},
            "made_at": each.created_at,
            "approval": _approval(each),
            "cancelled_at": each.cancelled_at,
            "cancel_reason": each.cancel_reason,
            "use": _use(each.use),
        }
        for each in found
    ]


def _approval(each: Reservation) -> dict[str, Any] | None:
    if not each.approval_rules:
        return None
    kept = ("approval_reasons", "expires_at", "decided_at", "decision_note")
    return {name: getattr(each, name) for name in kept}


def _use(use: Use | None) -> dict[str, Any] | None:
    if use is None:
        return None
    kept = ("started_at", "ended_at", "minutes", "note", "objection", "agreed_at", "settled_on")
    return {name: getattr(use, name) for name in kept}


def ids_of(user_id: int) -> list[int]:
    """Return the ids of the reservations a person made."""
    return list(db.session.scalars(select(Reservation.id).where(Reservation.user_id == user_id)))


def count_of(user_id: int) -> int:
    """Return how many reservations a person made."""
    mine = select(func.count()).where(Reservation.user_id == user_id)
    return db.session.scalar(mine) or 0
