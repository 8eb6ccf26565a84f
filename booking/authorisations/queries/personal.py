"""What is kept of one person, for who asks for their own data."""

from typing import Any

from sqlalchemy import select

from booking.authorisations.models import Authorisation
from booking.authorisations.queries.reading import WHOLE
from booking.authorisations.queries.training import own_seats
from booking.kernel.db import db


def personal_data(user_id: int) -> dict[str, list[dict[str, Any]]]:
    """Return what is kept of a person's authorisations and training, in plain values."""
    held = db.session.scalars(
        select(Authorisation)
        .where(Authorisation.user_id == user_id)
        .options(*WHOLE)
        .order_by(Authorisation.id)
    ).all()
    return {
        "authorisations": [_plain(each) for each in held],
        "training": [
            {
                "institution": each.session.institution.name,
                "starts_at": each.session.starts_at,
                "result": each.result.value if each.result else None,
                "result_note": each.result_note,
            }
            for each in own_seats(user_id)
        ],
    }


def _plain(each: Authorisation) -> dict[str, Any]:
    kept = ("note", "file_name", "granted_at", "valid_from", "valid_until", "grounds", "reason")
    return {
        "institution": each.institution.name,
        "instrument": each.instrument.name if each.instrument else None,
        "category_code": each.category_code,
        "standing": each.standing.value,
        "asked_at": each.created_at,
        **{name: getattr(each, name) for name in kept},
    }


def ids_of(user_id: int) -> list[int]:
    """Return the ids of what a person asked for or was granted."""
    return list(
        db.session.scalars(select(Authorisation.id).where(Authorisation.user_id == user_id))
    )
