"""Contributing one instrument: kept as typed, then registered, opened, priced and published."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete

from booking.accounts.rules import Caller, CustomerClass, Permission, require
from booking.availability import service as availability
from booking.console import queries
from booking.console.models import InstrumentDraft
from booking.kernel import clock
from booking.kernel.db import db
from booking.registry import service as registry
from booking.registry.models import Instrument
from booking.tariffs import service as tariffs

LONGEST_TYPED = 4_000  # of a field; its own limit is looked at in the end


def start_draft(institution_id: int, *, caller: Caller) -> InstrumentDraft:
    """Begin to write up an instrument; raises NotAllowed."""
    require(caller, Permission.MANAGE_INSTRUMENTS, institution_id)
    draft = InstrumentDraft(institution_id=institution_id, created_by=caller.user_id, typed={})
    db.session.add(draft)
    db.session.flush()
    return draft


def keep_typed(
    draft_id: int, typed: Mapping[str, Sequence[str]], *, caller: Caller
) -> InstrumentDraft:
    """Keep what was typed into some of the fields, right or wrong; raises NotFound."""
    draft = queries.get_draft(draft_id, caller=caller, for_update=True)
    kept = {name: [text[:LONGEST_TYPED] for text in texts] for name, texts in typed.items()}
    draft.typed = draft.typed | kept
    draft.saved_at = clock.now()
    db.session.flush()
    return draft


def note_try(draft_id: int, *, caller: Caller) -> None:
    """From now on the draft is shown with what is wrong in it; raises NotFound."""
    queries.get_draft(draft_id, caller=caller, for_update=True).was_tried = True
    db.session.flush()


def drop_draft(draft_id: int, *, caller: Caller) -> None:
    """Throw it away; raises NotFound."""
    db.session.delete(queries.get_draft(draft_id, caller=caller, for_update=True))
    db.session.flush()


def forget_person(user_id: int) -> dict[str, int]:
    """Delete a person's drafts, which nobody else has seen; returns how many."""
    mine = delete(InstrumentDraft).where(InstrumentDraft.created_by == user_id)
    gone = db.session.scalars(mine.returning(InstrumentDraft.id)).all()
    return {"instrument_drafts": len(gone)}


def contribute(
    draft_id: int,
    *,
    caller: Caller,
    values: Mapping[str, Any],
    hours: Mapping[str, Any] | None,
    price: Mapping[str, Any] | None,
    is_public: bool,
) -> Instrument:
    """Make an instrument of the draft with its hours and price, published or not, all or nothing.

    Raises what registering, setting hours, pricing and publishing raise.
    """
    draft = queries.get_draft(draft_id, caller=caller, for_update=True)
    made = registry.create_instrument(draft.institution_id, values, caller=caller)
    if hours is not None:
        availability.set_schedule(made.id, hours["terms"], hours["week"], caller=caller)
    if price is not None:
        _publish_prices(made.id, price, caller)
    if is_public:
        registry.publish(made.id, caller=caller)
    db.session.delete(draft)
    db.session.flush()
    return made


def _publish_prices(instrument_id: int, price: Mapping[str, Any], caller: Caller) -> None:
    rest = {name: value for name, value in price.items() if name != "classes"}
    classes: Sequence[CustomerClass] = price["classes"]
    for customer_class in classes:
        tariffs.publish_price(instrument_id, customer_class, **rest, caller=caller)
