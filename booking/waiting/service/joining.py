"""Joining the waiting list: only for what could be booked, is all taken, and not too often."""

from datetime import timedelta
from functools import partial
from typing import Any

from booking.accounts.rules import Caller, acting_for
from booking.availability import queries as calendars
from booking.kernel import clock, driver
from booking.kernel.db import db
from booking.kernel.errors import InvalidField
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.reservations import queries as reservations
from booking.reservations.errors import NotBookable
from booking.reservations.service import would_be
from booking.waiting import queries, rules
from booking.waiting.errors import AlreadyWaiting, StillFree, TooManyWaiting
from booking.waiting.models import WaitingEntry
from booking.waiting.service.keeping import record

_LOOKED_AT = 8  # slots of a window whose rules are asked
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(1463897428, hashint8(%(firm)s::bigint))"


def join(
    instrument_id: int,
    window: TimeSlot,
    *,
    minutes: int,
    caller: Caller,
    organisation_id: int | None = None,
    purpose: str = "",
    is_assisted: bool | None = None,
    samples: int = 1,
) -> WaitingEntry:
    """Take a place in the queue for so many minutes within the window.

    Raises NotBookable where no slot of the window could ever be reserved, StillFree where one can
    be now, AlreadyWaiting, TooManyWaiting, InvalidField, NotFound, or as `acting_for`.
    """
    firm = acting_for(caller, organisation_id)
    now = clock.now()
    rules.check_wish(window, minutes, now=now)
    driver.first(_ONE_AT_A_TIME, {"firm": firm})
    entry = WaitingEntry(
        instrument_id=instrument_id,
        organisation_id=firm,
        user_id=caller.user_id,
        window=window,
        minutes=minutes,
        purpose=purpose,
        is_assisted=is_assisted,
        samples=samples,
    )
    _check_wanted(entry)
    _check_places(entry)
    db.session.add(entry)
    db.session.flush()
    record("joined", entry, caller)
    return entry


def _check_places(entry: WaitingEntry) -> None:
    held = queries.open_of_firm(entry.organisation_id)
    there = [each for each in held if each.instrument_id == entry.instrument_id]
    if any(each.window.overlaps(entry.window) for each in there):
        raise AlreadyWaiting
    if sum(each.user_id == entry.user_id for each in held) >= rules.MOST_OF_PERSON:
        raise TooManyWaiting(rules.MOST_OF_PERSON, of_firm=False)
    for many, most in ((there, rules.MOST_OF_FIRM_THERE), (held, rules.MOST_OF_FIRM)):
        if len(many) >= most:
            raise TooManyWaiting(most, of_firm=True)


def _check_wanted(entry: WaitingEntry) -> None:
    """Raise unless the window has slots that could be reserved, and all are taken."""
    first = TimeSlot(entry.starts_at, entry.starts_at + timedelta(minutes=entry.minutes))
    sheet = reservations.get_sheet(
        entry.instrument_id,
        first,
        organisation_id=entry.organisation_id,
        user_id=entry.user_id,
    )
    slots = partial(
        calendars.free_slots_of,
        entry.instrument_id,
        entry.window,
        customer=sheet.customer,
        now=clock.now(),
        minutes=entry.minutes,
    )
    possible = slots(whatever_is_taken=True)
    looked_at = rules.spread(possible, _LOOKED_AT) or [first]
    found = [would_be(each, **_of(entry)).violations for each in looked_at]
    if all(found):
        raise NotBookable(min(found, key=len))
    if not possible:
        raise InvalidField("ends_at", N_("这段时间里没有可以预约的时段。"))
    for free in rules.spread(slots(), _LOOKED_AT):
        if would_be(free, **_of(entry)).bookable:
            raise StillFree(free)


def _of(entry: WaitingEntry) -> dict[str, Any]:
    names = ("instrument_id", "organisation_id", "user_id", "samples", "is_assisted")
    return {name: getattr(entry, name) for name in names}
