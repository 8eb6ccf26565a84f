"""Series: the same time on recurring days, each date judged before all are confirmed at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from booking.accounts.rules import Caller
from booking.availability import queries as availability
from booking.kernel import clock
from booking.kernel.errors import InvalidField
from booking.kernel.text import N_
from booking.kernel.timeslot import LATEST, TimeSlot
from booking.registry import queries as registry
from booking.reservations.errors import SomeNotBookable, SomeTaken
from booking.reservations.queries import Grouped
from booking.reservations.rules import recurrence
from booking.reservations.service.grouping import Recurring, preview, reserve_all
from booking.reservations.service.judging import Judged, Wish
from booking.reservations.service.offers import with_buffers

# What somebody chose for a date by its number: None to leave it out, or another beginning.
Choices = Mapping[int, datetime | None]
_LONGEST = timedelta(days=31)
_FAR = timedelta(days=3)


@dataclass(frozen=True)
class Pattern:
    """A slot of an instrument and the rule by which it comes again."""

    instrument_id: int
    slot: TimeSlot
    rule: str
    samples: int = 1
    is_assisted: bool | None = None
    is_statutory: bool = False


@dataclass(frozen=True)
class Occurrence:
    """One date: what it would cost, what refuses it, and the nearest slot that would do."""

    judged: Judged
    shift: TimeSlot | None = None


@dataclass(frozen=True)
class Series:
    """All dates of a pattern, in order."""

    recurring: Recurring
    occurrences: Sequence[Occurrence]


def preview_series(
    pattern: Pattern, *, caller: Caller, organisation_id: int | None = None
) -> Series:
    """Return each date with what refuses it, and for those the nearest free slot near it.

    Raises NotFound, NotAllowed, WhichOrganisation, or InvalidField for a rule that cannot be used.
    """
    recurring, wishes = expand(pattern, caller)
    judged = preview(wishes, caller=caller, organisation_id=organisation_id)
    shifts = _shifts(judged, caller, organisation_id)
    return Series(recurring, [Occurrence(each, shifts.get(each.index)) for each in judged])


def reserve_series(
    pattern: Pattern,
    choices: Choices,
    *,
    caller: Caller,
    organisation_id: int | None = None,
    purpose: str = "",
) -> Grouped:
    """Reserve all dates but those left out, shifted ones at their other time; all or none.

    Raises as `preview_series` and `reserve_all`; refused dates are named by their number.
    """
    recurring, wishes = expand(pattern, caller)
    if unknown := [number for number in choices if number not in range(len(wishes))]:
        raise InvalidField("choices", N_("系列没有第 %(number)s 项。", number=unknown[0]))
    kept = [index for index in range(len(wishes)) if choices.get(index, clock.now())]
    if not kept:
        raise InvalidField("choices", N_("所有日期都跳过了，没有可预约的。"))
    chosen = [_chosen(wishes[index], choices.get(index)) for index in kept]
    try:
        return reserve_all(
            chosen,
            caller=caller,
            organisation_id=organisation_id,
            purpose=purpose,
            recurring=recurring,
        )
    except (SomeNotBookable, SomeTaken) as refused:
        for item in refused.details["items"]:
            item["index"] = kept[item["index"]]
        raise


def _chosen(wish: Wish, start: datetime | None) -> Wish:
    if start is None:
        return wish
    return replace(wish, slot=TimeSlot(start, start + wish.slot.duration), flaw=None)


def expand(pattern: Pattern, caller: Caller) -> tuple[Recurring, list[Wish]]:
    """Return the rule as it is kept, and a wish for each date at the same time of the lab's day.

    Raises NotFound, or InvalidField for a rule that cannot be used.
    """
    zone = registry.get_instrument(pattern.instrument_id, caller=caller).zone
    rule = recurrence.parse(pattern.rule)
    if pattern.slot.duration > _LONGEST or pattern.slot.ends_at > LATEST - _LONGEST:
        raise InvalidField("ends_at", N_("单次最长 31 天，系列须在 2099 年以前。"))
    wall = pattern.slot.starts_at.astimezone(zone).replace(tzinfo=None)
    wishes = [
        _wish(pattern, *recurrence.at_wall_once(day, wall, zone), wall=wall)
        for day in recurrence.dates(rule, wall.date())
    ]
    return Recurring(rule.text, zone.key), wishes


def _wish(pattern: Pattern, start: datetime, is_once: bool, *, wall: datetime) -> Wish:
    flaw = None
    if not is_once:
        flaw = recurrence.no_such_time(wall)
    slot = TimeSlot(start, start + pattern.slot.duration)
    return Wish(
        pattern.instrument_id,
        slot,
        pattern.samples,
        pattern.is_assisted,
        flaw,
        pattern.is_statutory,
    )


def _shifts(
    judged: Sequence[Judged], caller: Caller, organisation_id: int | None
) -> dict[int, TimeSlot]:
    """Return for refused dates the nearest free slot that breaks no rule beside the others."""
    taken = [_held(each, each.wish.slot) for each in judged if each.bookable]
    found: dict[int, TimeSlot] = {}
    for each in judged:
        if each.bookable or (slot := _nearest(each, taken)) is None:
            continue
        found[each.index] = slot
        taken.append(_held(each, slot))
    starts = {index: slot.starts_at for index, slot in found.items()}
    wishes = [_chosen(each.wish, starts.get(each.index)) for each in judged]
    kept = [index for index, each in enumerate(judged) if each.bookable or index in found]
    again = preview(
        [wishes[index] for index in kept], caller=caller, organisation_id=organisation_id
    )
    usable = {kept[each.index] for each in again if each.bookable}
    return {index: slot for index, slot in found.items() if index in usable}


def _held(each: Judged, slot: TimeSlot) -> TimeSlot:
    policy = each.offer.sheet.policy if each.offer else None
    return with_buffers(slot, policy) if policy else slot


def _nearest(each: Judged, taken: Sequence[TimeSlot]) -> TimeSlot | None:
    """Return the free slot nearest to a date: on that day, or soon before or after."""
    if each.offer is None or each.offer.sheet.policy is None:
        return None
    zone: ZoneInfo = each.offer.sheet.plan.zone
    wanted, today = each.wish.slot, clock.now().astimezone(zone).date()
    day = wanted.starts_at.astimezone(zone).date()
    week = availability.weeks(
        [each.wish.instrument_id],
        max(day - _FAR, today),
        now=clock.now(),
        minutes=wanted.minutes,
        customer=each.offer.sheet.customer,
    ).get(each.wish.instrument_id)
    if week is None or week.minutes != wanted.minutes:
        return None
    starts = [start for on in week.days for start in on.starts if abs(on.on - day) <= _FAR]
    slots = (TimeSlot(start, start + wanted.duration) for start in starts)
    free = [slot for slot in slots if not any(_held(each, slot).overlaps(h) for h in taken)]
    return min(free, key=lambda slot: _distance(slot, wanted, zone), default=None)


def _distance(slot: TimeSlot, wanted: TimeSlot, zone: ZoneInfo) -> tuple[bool, timedelta]:
    there, here = (each.starts_at.astimezone(zone).date() for each in (slot, wanted))
    return there != here, abs(slot.starts_at - wanted.starts_at)
