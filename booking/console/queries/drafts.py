"""What somebody is still writing up."""

from collections.abc import Sequence

from sqlalchemy import select

from booking.accounts.rules import Caller, Permission
from booking.console.models import InstrumentDraft
from booking.kernel.db import db
from booking.kernel.errors import NotFound

MOST_DRAFTS = 20


def get_draft(draft_id: int, *, caller: Caller, for_update: bool = False) -> InstrumentDraft:
    """Return one's own draft for an institution one still manages, or raise NotFound."""
    query = select(InstrumentDraft).where(
        InstrumentDraft.id == draft_id,
        InstrumentDraft.created_by == caller.user_id,
        InstrumentDraft.institution_id.in_(
            caller.organisations_with(Permission.MANAGE_INSTRUMENTS)
        ),
    )
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def own_drafts(institution_id: int, *, caller: Caller) -> Sequence[InstrumentDraft]:
    """Return the caller's drafts for an institution, last saved first."""
    query = (
        select(InstrumentDraft)
        .where(
            InstrumentDraft.created_by == caller.user_id,
            InstrumentDraft.institution_id == institution_id,
        )
        .order_by(InstrumentDraft.saved_at.desc())
        .limit(MOST_DRAFTS)
    )
    return db.session.scalars(query).all()
