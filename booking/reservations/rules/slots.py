"""May this slot be reserved: every rule of the booking policy, all at once. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from booking.availability.rules import BookingPolicy, WeekPlan, length, open_windows
from booking.kernel.text import N_, Text
from booking.kernel.timeslot import TimeSlot
from booking.reservations.errors import OutsideItsTime, TooLateToChange

EARLIEST_START = timedelta(minutes=15)  # before the slot (允许提前上机, domain §1.3)
UNCLAIMED = timedelta(minutes=30)  # after the slot's start: then it may be called a no-show
TOLERANCE = timedelta(minutes=5)  # nobody is late by less
MOST_SAMPLES = 10_000  # of one reservation
MOST_MINUTES = 40_000  # that a use can be confirmed to have taken: the longest slot, twice
OBJECTION_DAYS = 3  # working days in which the firm may object to what was confirmed
# How far back somebody may say it was: a phone without network, an operator's paper log.
_TOLD_BY_FIRM, _TOLD_BY_OWNER = timedelta(hours=2), timedelta(days=14)

# Rules that another choice of time would keep.
OF_TIME = frozenset({"past", "lead_time", "horizon", "shortest", "longest", "grid", "closed"})
# Rules of when to ask for a slot and how to pay for it, not of the slot itself.
OF_ASKING = frozenset({"past", "lead_time", "horizon", "prepaid"})
# Rules that an earlier time may keep.
OF_FITNESS = frozenset({"verification", "calibration"})


class Reach(StrEnum):
    """How many of those reserved together a change is about."""

    THIS = "this"
    FOLLOWING = "following"  # it and those after it
    ALL = "all"  # that are still to come


@dataclass(frozen=True)
class Violation:
    """A rule the slot breaks, with its value and how to comply, in words."""

    rule: str
    detail: Text


def broken_rules(
    slot: TimeSlot, policy: BookingPolicy, plan: WeekPlan, *, now: datetime
) -> Iterator[Violation]:
    """Yield every rule of time that the slot breaks."""
    yield from _when(slot, policy, now)
    yield from _how_long(slot, policy)
    yield from _on_grid(slot, policy)
    yield from _open(slot, plan)
    yield from _fit(slot, policy, now)


def check_changeable(slot: TimeSlot, policy: BookingPolicy, *, now: datetime) -> None:
    """Raise TooLateToChange once the owner's latest moment for changes has passed."""
    until = changeable_until(slot, policy)
    if now > until:
        raise TooLateToChange(
            N_(
                "%(until)s 之后不能自行改期或取消，请联系机构。",
                until=wall_clock(until, policy.zone),
            )
        )


def changeable_until(slot: TimeSlot, policy: BookingPolicy) -> datetime:
    """Return the latest moment at which the customer may move or cancel it."""
    return slot.starts_at - timedelta(minutes=policy.change_until_minutes)


def _when(slot: TimeSlot, policy: BookingPolicy, now: datetime) -> Iterator[Violation]:
    earliest = now + timedelta(minutes=policy.lead_minutes)
    latest = now + timedelta(days=policy.horizon_days)
    if slot.starts_at < now:
        yield Violation("past", N_("开始时间已过，请选择以后的时段。"))
    elif slot.starts_at < earliest:
        yield Violation(
            "lead_time",
            N_(
                "需提前 %(length)s 预约，最早可约 %(earliest)s。",
                length=length(policy.lead_minutes),
                earliest=wall_clock(earliest, policy.zone),
            ),
        )
    if slot.ends_at > latest:
        yield Violation(
            "horizon",
            N_(
                "最多可提前 %(days)s 天预约，最晚可约到 %(latest)s。",
                days=policy.horizon_days,
                latest=wall_clock(latest, policy.zone),
            ),
        )


def _how_long(slot: TimeSlot, policy: BookingPolicy) -> Iterator[Violation]:
    wanted = slot.duration
    if wanted < timedelta(minutes=policy.shortest_minutes):
        yield Violation(
            "shortest",
            N_(
                "单次最短 %(limit)s，您选了 %(wanted)s。",
                limit=length(policy.shortest_minutes),
                wanted=length(slot.minutes),
            ),
        )
    if wanted > timedelta(minutes=policy.longest_minutes):
        yield Violation(
            "longest",
            N_(
                "单次最长 %(limit)s，您选了 %(wanted)s。可分次预约。",
                limit=length(policy.longest_minutes),
                wanted=length(slot.minutes),
            ),
        )


def _on_grid(slot: TimeSlot, policy: BookingPolicy) -> Iterator[Violation]:
    start = slot.starts_at.astimezone(policy.zone)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    step = timedelta(minutes=policy.grid_minutes)
    # Wall-clock difference: the grid is the clock on the wall, also on days with a DST change.
    offset = start.replace(tzinfo=None) - midnight.replace(tzinfo=None)
    if offset % step or slot.duration % step:
        yield Violation(
            "grid", N_("开始和结束须在 %(step)s 分钟的整点上。", step=policy.grid_minutes)
        )


def _open(slot: TimeSlot, plan: WeekPlan) -> Iterator[Violation]:
    if slot.duration > timedelta(days=31):
        return  # named by "longest"; no point in listing a month of hours
    opened = open_windows(plan, slot)
    if len(opened) == 1 and opened[0] == slot:
        return
    if not opened:
        yield Violation("closed", N_("所选时段不在开放时间内。"))
        return
    yield Violation(
        "closed",
        N_(
            "所选时段只有 %(parts)s 开放，请在开放时间内选择。",
            parts="、".join(from_to(part, plan.zone) for part in opened[:3]),
        ),
    )


ENDS_BEFORE = N_("结束时间须晚于开始使用的时间。")


class Flag(StrEnum):
    """How a use differed from what was reserved (迟到、超时、早退, domain §1.3)."""

    LATE = "late"
    OVERTIME = "overtime"
    EARLY_LEAVE = "early_leave"


def flags(slot: TimeSlot, started_at: datetime, ended_at: datetime | None) -> Iterator[Flag]:
    """Yield how the use differs from the slot by more than the tolerance."""
    if started_at > slot.starts_at + TOLERANCE:
        yield Flag.LATE
    if ended_at is not None and ended_at > slot.ends_at + TOLERANCE:
        yield Flag.OVERTIME
    if ended_at is not None and ended_at < slot.ends_at - TOLERANCE:
        yield Flag.EARLY_LEAVE


def billed_minutes(started_at: datetime, ended_at: datetime, *, grid_minutes: int) -> int:
    """Return the minutes used, rounded up to the instrument's grid."""
    step = timedelta(minutes=max(grid_minutes, 1))
    return -(-(ended_at - started_at) // step) * int(step.total_seconds() // 60)


def moment(at: datetime | None, *, now: datetime, works_there: bool) -> datetime:
    """Return when it was, or raise OutsideItsTime for the future and for what is long past."""
    if at is None:
        return now
    if at > now:
        raise OutsideItsTime(N_("不能填写将来的时间。"))
    if at < now - (_TOLD_BY_OWNER if works_there else _TOLD_BY_FIRM):
        raise OutsideItsTime(N_("这个时间太早了，不能补记。请联系机构。"))
    return at


def check_start(slot: TimeSlot, at: datetime, zone: ZoneInfo) -> None:
    """Raise OutsideItsTime unless the use may begin at that moment."""
    earliest = slot.starts_at - EARLIEST_START
    if at < earliest:
        raise OutsideItsTime(
            N_("还没到时间，%(earliest)s 起可以开始使用。", earliest=wall_clock(earliest, zone))
        )
    if at >= slot.ends_at:
        raise OutsideItsTime(
            N_("这个时段 %(end)s 已结束，不能再开始。", end=wall_clock(slot.ends_at, zone))
        )


def check_unclaimed(slot: TimeSlot, now: datetime, zone: ZoneInfo) -> None:
    """Raise OutsideItsTime until it may be called a no-show."""
    due = slot.starts_at + UNCLAIMED
    if now < due:
        raise OutsideItsTime(
            N_("%(due)s 之后仍未到场，才能登记为爽约。", due=wall_clock(due, zone))
        )


def _fit(slot: TimeSlot, policy: BookingPolicy, now: datetime) -> Iterator[Violation]:
    """Domain §2.3: after its verification ends an instrument is out of use; after its calibration
    only a named person's recorded extension lets it be used.
    """
    last = (slot.ends_at - timedelta(microseconds=1)).astimezone(policy.zone).date()
    today = now.astimezone(policy.zone).date()
    until = policy.verified_until
    if until is not None and last > until:
        yield Violation("verification", _out_of_use(until, has_ended=until < today))
    until = policy.calibrated_until
    if until is not None and last > until:
        yield Violation("calibration", _uncalibrated(until, has_ended=until < today))


def unfit_on(
    today: date, *, verified_until: date | None, calibrated_until: date | None
) -> Iterator[Text]:
    """Yield why an instrument is out of use today: what the rules would say of any slot."""
    if verified_until is not None and verified_until < today:
        yield _out_of_use(verified_until, has_ended=True)
    if calibrated_until is not None and calibrated_until < today:
        yield _uncalibrated(calibrated_until, has_ended=True)


def _out_of_use(until: date, *, has_ended: bool) -> Text:
    if has_ended:
        return N_(
            "检定已于 %(day)s 到期，暂停使用。机构更新检定证书后可约，也可改约同类仪器。",
            day=until.isoformat(),
        )
    return N_(
        "检定有效期至 %(day)s，所选时段在此之后。请选当天及以前的时段，或待机构更新证书后再约。",
        day=until.isoformat(),
    )


def _uncalibrated(until: date, *, has_ended: bool) -> Text:
    if has_ended:
        return N_(
            "校准已于 %(day)s 到期。机构更新校准证书或由负责人登记延用后可约，也可改约同类仪器。",
            day=until.isoformat(),
        )
    return N_(
        "校准有效期至 %(day)s，所选时段在此之后。请选当天及以前的时段，或待机构更新证书后再约。",
        day=until.isoformat(),
    )


def wall_clock(instant: datetime, zone: ZoneInfo) -> str:
    """Return the instant on the instrument's wall, as refusals print it."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"


def from_to(slot: TimeSlot, zone: ZoneInfo) -> str:
    """Return the slot on the instrument's wall, with the second date only if it is another."""
    start, end = slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone)
    if start.date() == end.date():
        return f"{start:%Y-%m-%d %H:%M}–{end:%H:%M}"
    return f"{start:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M}"
