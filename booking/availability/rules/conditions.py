"""What an owner asks of bookings besides time: who, how far apart, how much, at night. Pure."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from booking.accounts.rules import CustomerClass
from booking.availability.rules.plans import WeekPlan, at_wall, minute_after
from booking.kernel.text import N_, Text
from booking.kernel.timeslot import TimeSlot

Classes = tuple[CustomerClass, ...]

CLASSES = {
    CustomerClass.SME: N_("中小微企业"),
    CustomerClass.LARGE: N_("大型企业"),
    CustomerClass.RESEARCH: N_("高校和科研院所"),
    CustomerClass.INTERNAL: N_("本机构"),
}


class Period(StrEnum):
    """Over which time a quota counts."""

    DAY = "day"
    WEEK = "week"
    OPEN = "open"  # what is ahead, until the horizon


@dataclass(frozen=True)
class Quota:
    """How much a firm, or each of its people, may book of an instrument."""

    name: str
    of_user: bool
    in_hours: bool
    period: Period
    most: int  # that may be set


def _quotas() -> Iterable[Quota]:
    largest = {Period.DAY: (48, 24), Period.WEEK: (200, 168), Period.OPEN: (500, 8784)}
    for of_user in (False, True):
        for period, (most_bookings, most_hours) in largest.items():
            who = "user" if of_user else "firm"
            yield Quota(f"{who}_{period}_bookings", of_user, False, period, most_bookings)
            yield Quota(f"{who}_{period}_hours", of_user, True, period, most_hours)


QUOTAS: Mapping[str, Quota] = {quota.name: quota for quota in _quotas()}


@dataclass(frozen=True)
class Unattended:
    """What is asked of bookings that reach into the night, or into days nobody works."""

    classes: Classes | None = None  # who may; None: everybody who may book at all
    lead_minutes: int | None = None
    longest_minutes: int | None = None

    def admits(self, classes: Iterable[CustomerClass]) -> bool:
        """Tell whether somebody of one of these classes may come then."""
        return self.classes is None or any(each in self.classes for each in classes)


@dataclass(frozen=True)
class Night(Unattended):
    """The same with when the night begins and ends, on the instrument's wall."""

    begins_minute: int = 1080
    ends_minute: int = 480

    def meets(self, slot: TimeSlot, zone: ZoneInfo) -> bool:
        """Tell whether a part of the slot lies in the night."""
        day = slot.starts_at.astimezone(zone).date()
        dawn, dusk = at_wall(zone, day, self.ends_minute), at_wall(zone, day, self.begins_minute)
        return slot.starts_at.timestamp() < dawn * 60 or slot.ends_at.timestamp() > dusk * 60


class DaysOff(Unattended):
    """The same for weekends and public holidays, exchanged days (调休) reckoned with."""

    def meets(self, slot: TimeSlot, plan: WeekPlan) -> bool:
        """Tell whether a part of the slot lies on a day nobody works."""
        last = _last_day(slot, plan.zone)
        return any(not plan.works(day) for day in plan.local_dates(slot) if day <= last)


def _last_day(slot: TimeSlot, zone: ZoneInfo) -> date:
    return (slot.ends_at - timedelta(microseconds=1)).astimezone(zone).date()


@dataclass(frozen=True)
class Conditions:
    """All of it; nothing set asks nothing."""

    classes: Classes | None = None
    gap_minutes: int = 0
    quotas: Mapping[str, int] = field(default_factory=dict)
    night: Night | None = None
    days_off: DaysOff | None = None

    def admits(self, classes: Iterable[CustomerClass]) -> bool:
        """Tell whether somebody of one of these classes may book at all."""
        return self.classes is None or any(each in self.classes for each in classes)

    def plan_for(self, classes: Collection[CustomerClass], plan: WeekPlan) -> WeekPlan:
        """Return what is left of the hours for somebody of one of these classes."""
        night = self.night if self.night and not self.night.admits(classes) else None
        days_off = self.days_off and not self.days_off.admits(classes)
        if night is None and not days_off:
            return plan
        daytime = (night.ends_minute, night.begins_minute) if night else None
        return replace(plan, daytime=daytime, workdays_only=bool(days_off))

    def document(self) -> dict[str, Any]:
        """Return it as it is kept and sent; `of_document` reads it back."""
        return {
            "classes": None if self.classes is None else [str(each) for each in self.classes],
            "gap_minutes": self.gap_minutes,
            "quotas": dict(self.quotas),
            "night": _kept(self.night),
            "days_off": _kept(self.days_off),
        }


NONE = Conditions()
CONDITIONS = tuple(vars(NONE))  # the names of its parts
COUNTING = ("gap_minutes", "quotas")  # those that ask what the firm has booked already


def of_document(given: Mapping[str, Any]) -> Conditions:
    """Return what a document says; what it leaves out asks nothing."""
    return Conditions(
        classes=_classes(given.get("classes")),
        gap_minutes=given.get("gap_minutes") or 0,
        quotas=dict(given.get("quotas") or {}),
        night=_read(Night, given.get("night")),
        days_off=_read(DaysOff, given.get("days_off")),
    )


@lru_cache(maxsize=1024)
def of_text(text: str | None) -> Conditions:
    """Return what a document in JSON says: hundreds of instruments share a few of them."""
    return NONE if text is None else of_document(json.loads(text))


def _classes(given: Iterable[str] | None) -> Classes | None:
    return None if given is None else tuple(CustomerClass(each) for each in given)


U = TypeVar("U", bound=Unattended)


def _read(kind: type[U], given: Mapping[str, Any] | None) -> U | None:
    return None if given is None else kind(**{**given, "classes": _classes(given.get("classes"))})


def _kept(unattended: Unattended | None) -> dict[str, Any] | None:
    if unattended is None:
        return None
    classes = unattended.classes
    return vars(unattended) | {"classes": None if classes is None else [str(c) for c in classes]}


class Held(NamedTuple):
    """A reservation that the firm has of the instrument, in minutes since 1970."""

    user_id: int
    starts: int
    ends: int


def total(
    quota: Quota, slot: TimeSlot, held: Sequence[Held], *, zone: ZoneInfo, now: datetime
) -> tuple[int, int, date | None]:
    """Return what the quota counts with and without the slot, and of which day or week.

    Hours are in minutes. A booking counts on the day it begins, its hours where they lie. Of
    several days or weeks that the slot meets, the fullest is told.
    """
    starts, ends = minute_after(slot.starts_at), minute_after(slot.ends_at)
    wanted = [Held(0, starts, ends)]
    if quota.period is Period.OPEN:
        since = minute_after(now)
        coming = [each for each in held if each[2] > since]
        before, mine = (sum(_amounts(quota, each)) for each in (coming, wanted))
        return before + mine, before, None
    found = []
    for first, begins, until in _periods(quota, slot, zone):
        before, mine = (_within(quota, each, begins, until) for each in (held, wanted))
        found.append((before + mine, before, first))
    return max(found)


# Lists and unpacked rows: a firm may have hundreds, on the busiest path.
def _amounts(quota: Quota, held: Sequence[Held]) -> list[int]:
    return [ends - starts if quota.in_hours else 1 for _, starts, ends in held]


def _within(quota: Quota, held: Sequence[Held], begins: int, until: int) -> int:
    if quota.in_hours:
        parts = [
            min(ends, until) - max(starts, begins)
            for _, starts, ends in held
            if ends > begins and starts < until
        ]
        return sum(parts)
    return len([starts for _, starts, _ in held if begins <= starts < until])


def _periods(quota: Quota, slot: TimeSlot, zone: ZoneInfo) -> Iterable[tuple[date, int, int]]:
    """Yield the local days or weeks in which the slot counts, with where they begin and end."""
    day = slot.starts_at.astimezone(zone).date()
    last = _last_day(slot, zone) if quota.in_hours else day
    step = timedelta(days=1)
    if quota.period is Period.WEEK:
        day, step = day - timedelta(days=day.weekday()), timedelta(days=7)
    while day <= last:
        yield day, at_wall(zone, day, 0), at_wall(zone, day + step, 0)
        day += step


class Pairing(StrEnum):
    """How the bookings of two instruments depend on each other."""

    NEEDS = "needs"  # the firm has the other at the same time
    NEEDED_BY = "needed_by"  # the same, seen from the other
    APART = "apart"  # the firm does not have both at the same time
    APART_ALL = "apart_all"  # nobody has one while anybody has the other


MIRRORED = {
    Pairing.NEEDS: Pairing.NEEDED_BY,
    Pairing.NEEDED_BY: Pairing.NEEDS,
    Pairing.APART: Pairing.APART,
    Pairing.APART_ALL: Pairing.APART_ALL,
}


@dataclass(frozen=True)
class Pair:
    """Another instrument whose bookings matter, and whether it is booked in the slot."""

    instrument_id: int
    name: str
    pairing: Pairing
    is_booked: bool = False


def listed(classes: Collection[CustomerClass]) -> Text:
    """Return the classes of customers as a list in words."""
    first, *others = (CLASSES[each] for each in CLASSES if each in classes)
    for other in others:
        first = N_("%(first)s、%(other)s", first=first, other=other)
    return first


def only_for(classes: Collection[CustomerClass]) -> Text:
    """Say that an instrument is for others only."""
    return N_(
        "这台仪器仅限%(classes)s预约。请改约同类仪器，或与机构联系。", classes=listed(classes)
    )
