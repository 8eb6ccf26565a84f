"""An institution's instruments by the numbers it calls them by."""

from collections.abc import Collection

from sqlalchemy import select

from booking.kernel.db import db
from booking.registry.models import Instrument, Publication

MOST_SUGGESTED = 300


def numbers(institution_id: int, *, but: int) -> list[tuple[str, str]]:
    """Return numbers and names of what is published, but of one, to choose from while typing."""
    rows = db.session.execute(
        select(Instrument.inner_id, Instrument.name)
        .where(
            Instrument.institution_id == institution_id,
            Instrument.publication == Publication.PUBLISHED,
            Instrument.id != but,
        )
        .order_by(Instrument.inner_id)
        .limit(MOST_SUGGESTED)
    )
    return [(number, name) for number, name in rows]


def ids_by_number(institution_id: int, of: Collection[str]) -> dict[str, int]:
    """Return the instruments that have these numbers."""
    rows = db.session.execute(
        select(Instrument.inner_id, Instrument.id).where(
            Instrument.institution_id == institution_id, Instrument.inner_id.in_(of)
        )
    )
    return {each.inner_id: each.id for each in rows}


def numbers_by_id(ids: Collection[int]) -> dict[int, str]:
    """Return the numbers of these instruments."""
    rows = db.session.execute(
        select(Instrument.id, Instrument.inner_id).where(Instrument.id.in_(ids))
    )
    return {each.id: each.inner_id for each in rows}
