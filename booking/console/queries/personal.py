"""What one person keeps in the console, for who asks for their own data."""

from typing import Any

from sqlalchemy import select

from booking.console.models import InstrumentDraft, InstrumentImport
from booking.kernel.db import db


def personal_data(user_id: int) -> dict[str, list[dict[str, Any]]]:
    """Return a person's drafts as typed, and which tables they uploaded, in order."""
    drafts = db.session.scalars(
        select(InstrumentDraft)
        .where(InstrumentDraft.created_by == user_id)
        .order_by(InstrumentDraft.id)
    )
    imports = db.session.scalars(
        select(InstrumentImport)
        .where(InstrumentImport.created_by == user_id)
        .order_by(InstrumentImport.id)
    )
    return {
        "instrument_drafts": [
            {"created_at": each.created_at, "saved_at": each.saved_at, "typed": each.typed}
            for each in drafts
        ],
        "instrument_imports": [
            {
                "file": each.name,
                "uploaded_at": each.created_at,
                "rows": each.rows,
                "state": each.state.value,
            }
            for each in imports
        ],
    }
