"""What one person waited for, for who asks for their own data."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from booking.kernel.db import db
from booking.waiting.models import WaitingEntry


def personal_data(user_id: int) -> list[dict[str, Any]]:
    """Return what a person waited for, in plain values, in order."""
    found = db.session.scalars(
        select(WaitingEntry)
        .where(WaitingEntry.user_id == user_id)
        .options(joinedload(WaitingEntry.instrument), joinedload(WaitingEntry.organisation))
        .order_by(WaitingEntry.id)
    )
    kept = ("starts_at", "ends_at", "minutes", "purpose", "offered_at", "answer_by", "ended_at")
    return [
        {
            "instrument": each.instrument.name,
            "organisation": each.organisation.name,
            "standing": each.standing.value,
            "joined_at": each.created_at,
            **{name: getattr(each, name) for name in kept},
        }
        for each in found
    ]


def count_of(user_id: int) -> int:
    """Return how many places a person ever had."""
    query = select(func.count()).select_from(WaitingEntry).where(WaitingEntry.user_id == user_id)
    return db.session.scalar(query) or 0
