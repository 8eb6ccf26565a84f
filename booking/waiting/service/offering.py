"""Offering what is free to who is next, and ending what nobody answered.

Each call is one transaction's work on one instrument, queued for as movers and closers do: what
is held while waiting for more is never more than one offer.
"""

from datetime import timedelta

from booking.accounts import queries as accounts
from booking.availability import queries as calendars
from booking.availability import service as availability
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.kernel.timeslot import TimeSlot
from booking.reference import queries as reference
from booking.reservations import queries as reservations
from booking.reservations.queries import Sheet
from booking.reservations.service import would_be
from booking.waiting import queries, rules
from booking.waiting.models import WaitingEntry
from booking.waiting.rules import Standing
from booking.waiting.service.keeping import end, record, tell

_SOONEST, _SPREAD = 6, 6  # free slots of one window whose rules are asked


def tidy(instrument_id: int) -> int:
    """End offers nobody answered in time and wishes whose window passed; returns how many.

    Tells those whose offer a closure took back, too: they wait again, in their place.
    """
    availability.queue_for(instrument_id)
    now, ended = clock.now(), 0
    for entry in queries.open_on(instrument_id):
        is_held = entry.occupancy_id is not None
        if is_held and entry.answer_by is not None and entry.answer_by <= now:
            end(entry, Standing.LAPSED, None)
            tell("lapsed", entry)
            ended += 1
            continue
        if not is_held and entry.offered_at is not None:
            tell("withdrawn", entry)
            entry.offered_from = entry.offered_at = entry.answer_by = None
            entry.touch()
            db.session.flush()
            record("withdrawn", entry, None)
        if not is_held and entry.ends_at - timedelta(minutes=entry.minutes) <= now:
            end(entry, Standing.OVER, None)
            tell("over", entry)
            ended += 1
    return ended


def offer_next(instrument_id: int) -> WaitingEntry | None:
    """Hold a free slot for the first in the queue who may reserve one; None if there is none.

    Who may not reserve just now keeps their place and is passed over; so is a firm that has an
    unanswered offer there.
    """
    availability.queue_for(instrument_id)
    entries = queries.open_on(instrument_id)
    answering = {each.organisation_id for each in entries if each.occupancy_id is not None}
    for entry in entries:
        if entry.organisation_id in answering or entry.offered_at is not None:
            continue
        if not accounts.current_memberships(entry.organisation_id, entry.user_id):
            continue
        if _offer(entry):
            return entry
    return None


def _sheet(entry: WaitingEntry) -> Sheet | None:
    """Return what decides about it; None while the instrument is withdrawn."""
    try:
        return reservations.get_sheet(
            entry.instrument_id,
            entry.window,
            organisation_id=entry.organisation_id,
            user_id=entry.user_id,
        )
    except NotFound:
        return None


def _offer(entry: WaitingEntry) -> bool:
    now, today, sheet = clock.now(), clock.today(), _sheet(entry)
    if sheet is None or sheet.policy is None:
        return False
    free = calendars.free_slots_of(
        entry.instrument_id,
        entry.window,
        customer=sheet.customer,
        now=now,
        minutes=entry.minutes,
    )
    workdays = reference.workdays(today, today + timedelta(days=rules.CALENDAR_DAYS))
    # The soonest, and some from all over the window: a quota may refuse the whole first week.
    for slot in [*free[:_SOONEST], *rules.spread(free[_SOONEST:], _SPREAD)]:
        until = rules.answer_by(slot, sheet.policy.lead_minutes, workdays, now=now)
        if until is None or not _may_reserve(entry, slot):
            continue
        policy = sheet.policy
        held = availability.hold_offer(
            entry.instrument_id,
            slot.widened(
                before_minutes=policy.buffer_before_minutes,
                after_minutes=policy.buffer_after_minutes,
            ),
            units=sheet.units,
        )
        if held is None:  # somebody was faster
            continue
        entry.occupancy_id, entry.offered_from = held, slot.starts_at
        entry.offered_at, entry.answer_by = now, until
        entry.touch()
        db.session.flush()
        record("offered", entry, None)
        tell("offered", entry)
        return True
    return False


def _may_reserve(entry: WaitingEntry, slot: TimeSlot) -> bool:
    return would_be(
        slot,
        instrument_id=entry.instrument_id,
        organisation_id=entry.organisation_id,
        user_id=entry.user_id,
        samples=entry.samples,
        is_assisted=entry.is_assisted,
    ).bookable
