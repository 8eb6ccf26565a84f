"""Half-open slots of time in UTC: 9-10 and 10-11 are neighbours, not a clash."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from booking.kernel.text import N_, Text

# What people may ask for. Slots themselves may reach a little further: buffers widen them.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_MARGIN = timedelta(days=366)


class UnusableSlot(ValueError):
    """Two instants make no slot: `field` is the one at fault, `reason` a sentence for people."""

    def __init__(self, field: str, reason: Text) -> None:
        self.field, self.reason = field, reason
        super().__init__(str(reason))


@dataclass(frozen=True, order=True)
class TimeSlot:
    """From `starts_at` up to, not including, `ends_at`.

    Raises UnusableSlot if an instant is naive or out of all reason, or if the slot is empty or
    reversed.
    """

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        for name in ("starts_at", "ends_at"):
            instant: datetime = getattr(self, name)
            if instant.tzinfo is None:
                raise UnusableSlot(name, N_("时间须带时区偏移，例如 2026-11-25T14:00:00+08:00。"))
            if not EARLIEST - _MARGIN <= instant <= LATEST + _MARGIN:
                raise UnusableSlot(name, N_("时间须在 2000 年到 2099 年之间。"))
            object.__setattr__(self, name, instant.astimezone(UTC))
        if self.ends_at <= self.starts_at:
            raise UnusableSlot("ends_at", N_("结束时间须晚于开始时间。"))

    @property
    def duration(self) -> timedelta:
        """Return its length."""
        return self.ends_at - self.starts_at

    @property
    def minutes(self) -> int:
        """Return its length in whole minutes."""
        return int(self.duration.total_seconds() // 60)

    def overlaps(self, other: "TimeSlot") -> bool:
        """Tell whether the two share an instant."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, other: "TimeSlot") -> bool:
        """Tell whether the other lies wholly inside."""
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at

    def clip(self, other: "TimeSlot") -> "TimeSlot | None":
        """Return what the two share, or None."""
        start, end = max(self.starts_at, other.starts_at), min(self.ends_at, other.ends_at)
        return TimeSlot(start, end) if start < end else None

    def widened(self, *, before_minutes: int, after_minutes: int) -> "TimeSlot":
        """Return the slot with its buffers."""
        return TimeSlot(
            self.starts_at - timedelta(minutes=before_minutes),
            self.ends_at + timedelta(minutes=after_minutes),
        )


def merged(slots: Iterable[TimeSlot]) -> list[TimeSlot]:
    """Return the union as sorted slots that neither overlap nor touch."""
    result: list[TimeSlot] = []
    for slot in sorted(slots):
        if result and slot.starts_at <= result[-1].ends_at:
            if slot.ends_at > result[-1].ends_at:
                result[-1] = TimeSlot(result[-1].starts_at, slot.ends_at)
        else:
            result.append(slot)
    return result


def subtract(slots: Iterable[TimeSlot], taken: Iterable[TimeSlot]) -> Iterator[TimeSlot]:
    """Yield what is left of `slots` once `taken` is cut out, in order."""
    cuts, first = merged(taken), 0
    for slot in merged(slots):
        start = slot.starts_at
        while first < len(cuts) and cuts[first].ends_at <= start:
            first += 1
        for cut in cuts[first:]:
            if cut.starts_at >= slot.ends_at:
                break
            if cut.starts_at > start:
                yield TimeSlot(start, cut.starts_at)
            start = cut.ends_at
        if start < slot.ends_at:
            yield TimeSlot(start, slot.ends_at)
