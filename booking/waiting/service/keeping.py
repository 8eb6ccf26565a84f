"""Each change of a place on the waiting list: kept, journalled, told."""

from booking.accounts.rules import Caller, Permission
from booking.availability import service as availability
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.notices import service as notices
from booking.notices.rules import Kind, Side, To
from booking.waiting.models import WaitingEntry
from booking.waiting.rules import Standing

PATH = "/waiting-list"
QUEUE = "SELECT instrument_id FROM waiting_entries WHERE id = %(id)s"


def facts(entry: WaitingEntry) -> dict[str, object]:
    """Return what the journal keeps of an entry."""
    instants = ("starts_at", "ends_at", "offered_from", "answer_by")
    found = {name: getattr(entry, name) for name in instants}
    return {
        "standing": entry.standing,
        "instrument_id": entry.instrument_id,
        "minutes": entry.minutes,
        "reservation_id": entry.reservation_id,
        **{name: each.isoformat() if each else None for name, each in found.items()},
    }


def record(action: str, entry: WaitingEntry, caller: Caller | None, **data: object) -> None:
    """Write a change into the journal; without a caller it was a job's."""
    journal.record(
        f"waiting.{action}",
        "waiting_entry",
        entry.id,
        by=caller.user_id if caller else None,
        organisation_id=entry.organisation_id,
        new=facts(entry),
        **data,
    )


def let_go(entry: WaitingEntry) -> None:
    """Give back what is held for it; whoever calls has queued for the instrument."""
    held, entry.occupancy_id = entry.occupancy_id, None
    db.session.flush()
    if held is not None:
        availability.release(held)


def end(
    entry: WaitingEntry,
    standing: Standing,
    caller: Caller | None,
    reservation_id: int | None = None,
) -> None:
    """End it; what is held for it goes back."""
    let_go(entry)
    entry.ended_as, entry.ended_at = standing, clock.now()
    entry.reservation_id = reservation_id
    entry.touch()
    db.session.flush()
    record(standing.value, entry, caller)


def tell(event: str, entry: WaitingEntry) -> None:
    """Tell the person and who manages the firm."""
    slot = entry.offered if event != "over" and entry.offered else entry.window
    manages = Permission.CHANGE_CUSTOMER_SIDE.value
    notices.post(
        Kind.WAITING,
        ("waiting_entry", entry.id),
        to=[
            To(Side.CUSTOMER, user_id=entry.user_id, organisation_id=entry.organisation_id),
            To(Side.CUSTOMER, organisation_id=entry.organisation_id, permission=manages),
        ],
        facts={
            "event": event,
            "instrument": entry.instrument.name,
            "institution": entry.instrument.institution.name,
            "starts_at": slot.starts_at,
            "ends_at": slot.ends_at,
            "answer_by": entry.answer_by,
            "path": PATH,
        },
    )
