"""What an owner decides about bookings of an instrument, and what that leaves. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from booking.availability.rules.conditions import NONE, Conditions
from booking.availability.rules.plans import DAY_MINUTES, Interval
from booking.kernel.errors import InvalidField
from booking.kernel.text import N_

USUAL_MINUTES = 60
GRIDS = frozenset({5, 10, 15, 20, 30, 60})
LEAST_RELEASE, MOST_RELEASE = 30, 1440  # minutes; 半小时未到场才算爽约


@dataclass(frozen=True)
class BookingPolicy:
    """The owner's limits; minutes unless the name says days."""

    zone: ZoneInfo
    grid_minutes: int
    shortest_minutes: int
    longest_minutes: int
    lead_minutes: int
    horizon_days: int
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    change_until_minutes: int = 0
    release_after_minutes: int = 0
    # The last days on which verification and calibration allow use; None: nothing limits it.
    verified_until: date | None = None
    calibrated_until: date | None = None
    conditions: Conditions = NONE

    @property
    def fit_until(self) -> date | None:
        """Return the last day on which the instrument is fit for use, as far as is known."""
        ends = (self.verified_until, self.calibrated_until)
        return min((end for end in ends if end is not None), default=None)

    def usual_minutes(self) -> int:
        """Return the length to look for when none is named: an hour, as far as that may be."""
        return self.nearest_minutes(USUAL_MINUTES)

    def nearest_minutes(self, minutes: int) -> int:
        """Return the length nearest to this one that a reservation may have."""
        on_grid = -(-minutes // self.grid_minutes) * self.grid_minutes
        return min(max(on_grid, self.shortest_minutes), self.longest_minutes)

    def takes(self, minutes: int) -> bool:
        """Tell whether a reservation may be that long."""
        return (
            self.shortest_minutes <= minutes <= self.longest_minutes
            and minutes % self.grid_minutes == 0
        )

    def bookable_between(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the earliest start and the latest end that lead time, horizon and fitness leave.

        The end is before the start where none leave anything.
        """
        earliest = now + timedelta(minutes=self.lead_minutes)
        latest = now + timedelta(days=self.horizon_days)
        if self.fit_until is None:
            return earliest, latest
        day_after = self.fit_until + timedelta(days=1)
        unfit = datetime(day_after.year, day_after.month, day_after.day, tzinfo=self.zone)
        return earliest, min(latest, unfit.astimezone(UTC))


_BOUNDS = {
    "shortest_minutes": (5, 20160),
    "longest_minutes": (5, 20160),
    "lead_minutes": (0, 43200),
    "horizon_days": (1, 366),
    "change_until_minutes": (0, 43200),
    "buffer_before_minutes": (0, 1440),
    "buffer_after_minutes": (0, 1440),
}


@dataclass(frozen=True)
class Terms:
    """What an owner decides about bookings of an instrument, with the usual values."""

    grid_minutes: int = 30
    shortest_minutes: int = 60
    longest_minutes: int = 480
    lead_minutes: int = 120
    horizon_days: int = 60
    change_until_minutes: int = 1440
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    release_after_minutes: int = 0  # of a slot that nobody claimed, after its start; 0: never
    observes_holidays: bool = True

    def check(self) -> None:
        """Raise InvalidField for the first value that cannot be."""
        if self.grid_minutes not in GRIDS:
            raise InvalidField("grid_minutes", N_("时间格须为 5、10、15、20、30 或 60 分钟。"))
        for name, (least, most) in _BOUNDS.items():
            if not least <= getattr(self, name) <= most:
                raise InvalidField(
                    name, N_("须在 %(least)s 到 %(most)s 之间。", least=least, most=most)
                )
        for name in ("shortest_minutes", "longest_minutes"):
            if getattr(self, name) % self.grid_minutes:
                raise InvalidField(
                    name, N_("须为时间格（%(grid)s 分钟）的整数倍。", grid=self.grid_minutes)
                )
        if self.shortest_minutes > self.longest_minutes:
            raise InvalidField("longest_minutes", N_("单次最长不能短于单次最短。"))
        if self.release_after_minutes and not (
            LEAST_RELEASE <= self.release_after_minutes <= MOST_RELEASE
        ):
            raise InvalidField(
                "release_after_minutes",
                N_(
                    "须在 %(least)s 到 %(most)s 之间，或填 0：不自动释放。",
                    least=LEAST_RELEASE,
                    most=MOST_RELEASE,
                ),
            )


def check_hours(field_name: str, intervals: Sequence[Interval]) -> None:
    """Raise InvalidField unless the intervals of one day run forwards and do not overlap."""
    closed_until = 0
    for opens, closes in sorted(intervals):
        if not 0 <= opens < DAY_MINUTES or not 0 < closes <= DAY_MINUTES:
            raise InvalidField(field_name, N_("时间须在 00:00 到 24:00 之间。"))
        if closes <= opens:
            raise InvalidField(
                field_name,
                N_("结束须晚于开始。跨零点的请拆成两段，例如当天 22:00–24:00 和次日 00:00–02:00。"),
            )
        if opens < closed_until:
            raise InvalidField(field_name, N_("同一天的开放时段不能重叠。"))
        closed_until = closes
