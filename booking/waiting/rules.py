"""Who may wait how long for how much, and until when an offer stands. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from booking.kernel.errors import InvalidField
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.reference.rules import after_working_hours

# What nobody can hoard: places of one person, and of one firm on all instruments and on one.
MOST_OF_PERSON, MOST_OF_FIRM, MOST_OF_FIRM_THERE = 5, 10, 3
LONGEST_WINDOW = timedelta(days=14)
MOST_MINUTES = 20160
# An offer stands for four working hours (9:00 to 17:00 on working days), but ends before the slot
# could no longer be reserved; who would have less than a quarter of an hour is not offered it.
OFFER_WORKING_HOURS = 4
LEAST_TO_ANSWER = timedelta(minutes=15)
CALENDAR_DAYS = 21  # within which four working hours surely pass


class Standing(StrEnum):
    """How it stands with a place: the first two are views of what is open, the others its end."""

    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"
    LEFT = "left"
    OVER = "over"  # its window passed


ENDS = frozenset(Standing) - {Standing.WAITING, Standing.OFFERED}


def check_wish(window: TimeSlot, minutes: int, *, now: datetime) -> None:
    """Raise InvalidField for a window in which so many minutes cannot be waited for."""
    if window.duration > LONGEST_WINDOW:
        days = LONGEST_WINDOW.days
        raise InvalidField("ends_at", N_("候补的时间范围最长 %(days)s 天。", days=days))
    if window.duration < timedelta(minutes=minutes):
        raise InvalidField("minutes", N_("时长超过了候补的时间范围。"))
    if window.ends_at - timedelta(minutes=minutes) <= now:
        raise InvalidField("ends_at", N_("这段时间已经过去或剩余不足。"))


def answer_by(
    slot: TimeSlot, lead_minutes: int, workdays: Mapping[date, bool], *, now: datetime
) -> datetime | None:
    """Return until when an offer of the slot stands; None if that leaves no time to answer."""
    latest = slot.starts_at - timedelta(minutes=lead_minutes)
    until = min(after_working_hours(now, OFFER_WORKING_HOURS, workdays), latest)
    return until if until - now >= LEAST_TO_ANSWER else None


def spread(slots: Sequence[TimeSlot], most: int) -> Sequence[TimeSlot]:
    """Return at most so many of them, the first among them, from all over the window."""
    return slots[:: max(1, -(-len(slots) // most))]
