"""How much of ours stands under each code of a list."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import func, select

from booking.accounts.models import Organisation
from booking.kernel.db import db
from booking.registry.models import Instrument


def organisations_within(codes: Collection[str]) -> dict[str, int]:
    """Return how many organisations lie in each region, with all that lies under it."""
    rows = db.session.execute(
        select(Organisation.region_code, func.count())
        .where(Organisation.region_code.is_not(None))
        .group_by(Organisation.region_code)
    )
    return _within(codes, rows.all())


def instruments_within(codes: Collection[str]) -> dict[str, int]:
    """Return how many instruments stand in each region, with all that lies under it."""
    rows = db.session.execute(
        select(Instrument.region_code, func.count())
        .where(Instrument.region_code.is_not(None))
        .group_by(Instrument.region_code)
    )
    return _within(codes, rows.all())


def instruments_of(codes: Collection[str]) -> dict[str, int]:
    """Return how many instruments are of each category."""
    rows = db.session.execute(
        select(Instrument.category_code, func.count())
        .where(Instrument.category_code.in_(codes))
        .group_by(Instrument.category_code)
    )
    return dict(rows.all())


def _within(codes: Collection[str], rows: Iterable[Any]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for code, count in rows:
        for part in {code, f"{code[:4]}00", f"{code[:2]}0000"}:
            counted[part] += count
    return {code: counted[code] for code in codes}
