"""Exporting an institution's instruments as a table that can be imported again unchanged."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import undefer

from booking.kernel.db import db
from booking.registry.models import Instrument
from booking.registry.service.formats import Column, Format

BATCH = 1000


def export_instruments(institution_id: int, format_: Format) -> Iterator[list[str]]:
    """Yield the rows below the format's headings, in the order of registration.

    Cells that were imported in this format and still say the same come out as they came in, so
    what was cut for show is whole again.
    """
    last = 0
    while found := _batch(institution_id, last):
        for instrument in found:
            yield [_cell(instrument, column, format_) for column in format_.columns]
        last = found[-1].id
        db.session.expunge_all()


def _batch(institution_id: int, after: int) -> list[Instrument]:
    query = (
        select(Instrument)
        .where(Instrument.institution_id == institution_id, Instrument.id > after)
        .options(undefer(Instrument.source_row))
        .order_by(Instrument.id)
        .limit(BATCH)
    )
    return list(db.session.scalars(query))


def _cell(instrument: Instrument, column: Column, format_: Format) -> str:
    given = _given(instrument, column, format_)
    if column.name is None:
        return given or ""
    value: Any = getattr(instrument, column.name)
    written = "" if value in (None, "", []) else column.write(value)
    return given if given is not None and _still_said(given, written, column, value) else written


def _given(instrument: Instrument, column: Column, format_: Format) -> str | None:
    """Return what stood in the imported row's cell, or None."""
    if instrument.source_format != format_.key or instrument.source_row is None:
        return None
    cells: dict[str, str] = instrument.source_row
    return next((text for heading, text in cells.items() if column.is_called(heading)), "")


def _still_said(given: str, written: str, column: Column, value: Any) -> bool:
    """Tell whether the imported cell still means what the instrument says now."""
    if given == written or (written and given.startswith(written)):
        return True
    try:
        return bool(given) and column.read(given) == value
    except ValueError:
        return False
