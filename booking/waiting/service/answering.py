"""Answering an offer, and leaving the queue."""

from booking.accounts.rules import Caller, Permission
from booking.availability import service as availability
from booking.kernel import clock
from booking.kernel.errors import NotAllowed, WrongState
from booking.reservations import queries as reservations
from booking.reservations import service as reserving
from booking.waiting import queries
from booking.waiting.errors import OfferLapsed
from booking.waiting.models import WaitingEntry
from booking.waiting.rules import Standing
from booking.waiting.service.keeping import QUEUE, end, let_go


def accept(entry_id: int, *, caller: Caller, version: int | None = None) -> WaitingEntry:
    """Reserve what is offered, for whoever accepts, through the same door as any reservation.

    All rules are asked again. Raises NotBookable with what broke since; the offer then stands
    until its end, so that it can still be met. Raises OfferLapsed, WrongState, NotFound,
    NotAllowed, Stale.
    """
    entry = _answering(entry_id, caller, version, "accept")
    assert entry.offered is not None  # noqa: S101 - the table's CHECK says so
    slot = entry.offered
    # Whoever reserves for the same firm waits before any time is let go: else each would wait
    # for the other.
    reservations.get_sheet(
        entry.instrument_id,
        slot,
        organisation_id=entry.organisation_id,
        user_id=caller.user_id,
        waits=True,
    )
    let_go(entry)
    made = reserving.reserve(
        entry.instrument_id,
        slot,
        caller=caller,
        organisation_id=entry.organisation_id,
        purpose=entry.purpose,
        is_assisted=entry.is_assisted,
        samples=entry.samples,
    )
    end(entry, Standing.ACCEPTED, caller, made.id)
    return entry


def decline(entry_id: int, *, caller: Caller, version: int | None = None) -> WaitingEntry:
    """Give up what is offered, and the place; the next in the queue has it.

    Raises OfferLapsed, WrongState, NotFound, NotAllowed, Stale.
    """
    entry = _answering(entry_id, caller, version, "decline")
    end(entry, Standing.DECLINED, caller)
    return entry


def leave(entry_id: int, *, caller: Caller, version: int | None = None) -> WaitingEntry:
    """Leave the queue; raises WrongState once it ended, NotFound, NotAllowed, Stale."""
    entry = _locked(entry_id, caller, version)
    if entry.ended_at is not None:
        raise WrongState(entry.standing, "leave")
    end(entry, Standing.LEFT, caller)
    return entry


def _answering(entry_id: int, caller: Caller, version: int | None, action: str) -> WaitingEntry:
    entry = _locked(entry_id, caller, version)
    if entry.standing is Standing.LAPSED:
        raise OfferLapsed
    if entry.standing is not Standing.OFFERED or entry.answer_by is None:
        raise WrongState(entry.standing, action)
    if clock.now() >= entry.answer_by:
        raise OfferLapsed
    return entry


def _locked(entry_id: int, caller: Caller, version: int | None) -> WaitingEntry:
    availability.queue_for(entry_id, instrument=QUEUE)
    entry = queries.get_entry(entry_id, caller=caller, for_update=True)
    _check_theirs(entry, caller)
    entry.check_version(version)
    return entry


def _check_theirs(entry: WaitingEntry, caller: Caller) -> None:
    is_own = entry.user_id == caller.user_id and caller.may(
        Permission.RESERVE, entry.organisation_id
    )
    if not (is_own or caller.may(Permission.CHANGE_CUSTOMER_SIDE, entry.organisation_id)):
        raise NotAllowed
