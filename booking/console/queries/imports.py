"""Files of instruments that were uploaded."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import undefer

from booking.accounts.rules import Caller, Permission
from booking.console.models import InstrumentImport
from booking.kernel.db import db
from booking.kernel.errors import NotFound

SHOWN = 10


def get_import(import_id: int, *, caller: Caller, for_update: bool = False) -> InstrumentImport:
    """Return it with what was found in it, for who manages the institution, or raise NotFound."""
    managed = caller.organisations_with(Permission.MANAGE_INSTRUMENTS)
    query = (
        select(InstrumentImport)
        .where(InstrumentImport.id == import_id, InstrumentImport.institution_id.in_(managed))
        .options(undefer(InstrumentImport.findings))
    )
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def latest_imports(institution_id: int) -> Sequence[InstrumentImport]:
    """Return the latest ones of an institution, last first."""
    query = (
        select(InstrumentImport)
        .where(InstrumentImport.institution_id == institution_id)
        .order_by(InstrumentImport.id.desc())
        .limit(SHOWN)
    )
    return db.session.scalars(query).all()
