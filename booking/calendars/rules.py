"""Who may have which feed, what time it shows, and the words of its events. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from booking.accounts.rules import Caller, Permission, Scope, require, require_scope
from booking.kernel.clock import CHINA
from booking.kernel.errors import InvalidField
from booking.kernel.money import Money
from booking.kernel.text import N_, Text
from booking.kernel.timeslot import TimeSlot, UnusableSlot

BEFORE, AFTER = timedelta(days=90), timedelta(days=365)
CANCELLED_KEPT = timedelta(days=30)
LONGEST_FREE_BUSY, USUAL_FREE_BUSY = timedelta(days=92), timedelta(days=60)
_DAY = timedelta(days=1)


class FeedKind(StrEnum):
    """Whose calendar it is."""

    USER = "user"
    ENTERPRISE = "enterprise"
    INSTITUTION = "institution"


class Audience(StrEnum):
    """Who reads an event's text."""

    PUBLIC = "public"
    CUSTOMER = "customer"
    OWNER = "owner"


# Making a feed is the manager's, as it shows all to whoever has the address; and it shows no more
# than its maker may see.
_NEEDED = {
    FeedKind.ENTERPRISE: (Permission.MANAGE_ORGANISATION, Permission.SEE_CUSTOMER_SIDE),
    FeedKind.INSTITUTION: (Permission.MANAGE_ORGANISATION, Permission.SEE_OWNER_SIDE),
}

AUDIENCE_OF = {
    FeedKind.USER: Audience.CUSTOMER,
    FeedKind.ENTERPRISE: Audience.CUSTOMER,
    FeedKind.INSTITUTION: Audience.OWNER,
}

# As the public may know them: why an instrument stands still, not what is done on it.
_CLOSED = {
    "maintenance": N_("停机维护"),
    "calibration": N_("仪器校准"),
    "fault": N_("故障停用"),
    "own_use": N_("机构自用"),
}
_MARKED = {
    "tentative": N_("待审批：%(what)s"),
    "cancelled": N_("已取消：%(what)s"),
    "declined": N_("未获批准：%(what)s"),
    "expired": N_("逾期未答复：%(what)s"),
}
_OFF = frozenset({"cancelled", "declined", "expired"})


@dataclass(frozen=True)
class Window:
    """What a feed shows on a day: from `since` to `until`, cancelled ones for a while."""

    today: datetime  # its first instant; nothing enters or leaves a window later in the day
    since: datetime
    until: datetime
    cancelled_since: datetime


@dataclass(frozen=True)
class Subject:
    """Whose calendar it is, with what stands at its head; `kind` None for an instrument's."""

    kind: FeedKind | None
    audience: Audience
    locale: str | None
    name: str
    owner: str
    changed_at: datetime
    filters: dict[str, Any]
    takes_bookings: bool = True


@dataclass(frozen=True)
class EventFacts:
    """A reservation or closure as far as its audience may know it."""

    source: str
    source_id: int
    status: str  # of a reservation; a closure is confirmed, or cancelled before it began
    kind: str  # of a closure
    slot: TimeSlot
    sequence: int
    created_at: datetime
    modified_at: datetime
    unit: int | None = None
    units: int = 1
    instrument: str = ""
    model: str = ""
    institution: str = ""
    place: str = ""
    contact: str = ""
    customer: str = ""
    person: str = ""
    purpose: str = ""
    price: Money | None = None
    number: str = ""

    @property
    def is_off(self) -> bool:
        """Tell whether it will not take place."""
        return self.status in _OFF


def window_on(day: date) -> Window:
    """Return −90/+365 days around a day in China, up to its end (contract §3).

    Whole days, so that a feed that nobody changed is the same all day long.
    """
    today = datetime(day.year, day.month, day.day, tzinfo=CHINA)
    return Window(
        today=today,
        since=today - BEFORE,
        until=today + _DAY + AFTER,
        cancelled_since=today - CANCELLED_KEPT,
    )


def check_feed(kind: FeedKind, organisation_id: int | None, caller: Caller) -> None:
    """Raise InvalidField, NotAllowed or ScopeMissing unless the caller may have such a feed."""
    if kind is FeedKind.USER:
        if organisation_id is not None:
            raise InvalidField("organisation_id", N_("个人日历不属于任何单位，请不要填写单位。"))
        # It outlives the token it is made with: one that may only read is not enough.
        require_scope(caller, Scope.RESERVATIONS)
        return
    if organisation_id is None:
        raise InvalidField("organisation_id", N_("请填写日历所属的单位。"))
    for permission in _NEEDED[kind]:
        require(caller, permission, organisation_id)


def is_alive(kind: FeedKind, organisation_id: int | None, maker: Caller) -> bool:
    """Tell whether the feed's maker may still see what it shows."""
    return organisation_id is None or all(
        maker.may(permission, organisation_id) for permission in _NEEDED[kind]
    )


def free_busy_window(starts_at: datetime | None, ends_at: datetime | None, day: date) -> TimeSlot:
    """Return the window asked for, by default 60 days from today.

    Raises InvalidField if it is empty, reversed or longer than 92 days.
    """
    start = starts_at or datetime(day.year, day.month, day.day, tzinfo=CHINA)
    try:
        window = TimeSlot(start, ends_at or start + USUAL_FREE_BUSY)
    except UnusableSlot as exc:
        raise InvalidField("from" if exc.field == "starts_at" else "to", exc.reason) from exc
    if window.duration > LONGEST_FREE_BUSY:
        raise InvalidField("to", N_("一次最多查询 %(days)s 天。", days=LONGEST_FREE_BUSY.days))
    return window


def summary(facts: EventFacts, audience: Audience) -> Text:
    """Return the event's title."""
    what = _what(facts, audience)
    mark = _MARKED.get(facts.status)
    return Text(mark.msgid, {"what": what}) if mark else what


def _what(facts: EventFacts, audience: Audience) -> Text:
    if audience is Audience.PUBLIC:
        what = _CLOSED[facts.kind] if facts.source == "closure" else N_("已占用")
    elif facts.source == "closure":
        what = N_("%(kind)s：%(instrument)s", kind=_CLOSED[facts.kind], instrument=facts.instrument)
    elif audience is Audience.OWNER:
        what = N_("%(one)s · %(other)s", one=facts.instrument, other=facts.customer)
    else:
        what = Text("%(instrument)s", {"instrument": facts.instrument})
    if facts.unit is None or facts.units == 1:
        return what
    return N_("%(what)s（第 %(unit)s 台）", what=what, unit=facts.unit)


def description(facts: EventFacts, audience: Audience) -> Iterator[Text]:
    """Yield the lines below the title; the public gets none."""
    if audience is Audience.PUBLIC:
        return
    yield N_("仪器：%(value)s", value=f"{facts.instrument} {facts.model}".strip())
    for line, value in (
        (N_("机构：%(value)s"), facts.institution),
        (N_("地点：%(value)s"), facts.place),
        (N_("联系人：%(value)s"), facts.contact),
        (N_("客户单位：%(value)s"), facts.customer),
        (N_("预约人：%(value)s"), facts.person),
        (N_("用途：%(value)s") if facts.source == "reservation" else _REASON, facts.purpose),
    ):
        if value:
            yield Text(line.msgid, {"value": value})
    if facts.price is not None:
        yield N_("金额：%(amount)s 元", amount=facts.price.amount)
    if facts.number:
        yield N_("预约编号：%(number)s", number=facts.number)


_REASON = N_("说明：%(value)s")
