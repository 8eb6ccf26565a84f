"""Opening weeks and booking terms by the names the tables use, and days relative to today."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from booking.authorisations.rules import Operation
from booking.availability.rules import (
    ApprovalMode,
    ApprovalRule,
    BookingPolicy,
    Interval,
    Terms,
    WeekPlan,
)
from booking.kernel import clock
from booking.kernel.timeslot import TimeSlot
from booking.reference import queries as reference

Week = Mapping[int, Sequence[Interval]]
_MORNING, _AFTERNOON = (510, 720), (840, 1050)  # 08:30-12:00, 14:00-17:30
_ONE_DAY = timedelta(days=1)
_AROUND = timedelta(days=60)

WEEKS: dict[str, Week] = {
    "short": {day: [_MORNING, _AFTERNOON] for day in range(5)},
    "day": {day: [(540, 1020)] for day in range(5)},
    "long": {day: [(480, 1320)] for day in range(6)},
    "open3": {day: [(540, 1080)] for day in (0, 2, 4)},
    "tuethu": {day: [_MORNING, _AFTERNOON] for day in (1, 3)},
    "always": {day: [(0, 1440)] for day in range(7)},
}


@dataclass(frozen=True)
class Manner:
    """How a kind of instrument is booked: terms, usual lengths in minutes, what users must know."""

    terms: Terms
    lengths: tuple[int, ...]
    requirement: str
    approval: ApprovalRule = field(default_factory=ApprovalRule)
    operation: Operation = Operation.EITHER


MANNERS = {
    "usual": Manner(Terms(), (60, 120, 120, 180, 210), "请带样品清单；试样尺寸按方法标准加工。"),
    "quick": Manner(
        Terms(
            grid_minutes=15,
            shortest_minutes=30,
            longest_minutes=120,
            lead_minutes=60,
            horizon_days=45,
            change_until_minutes=240,
            release_after_minutes=30,
        ),
        (30, 60, 60, 90, 120),
        "样品表面须清洁；每次不超过 2 小时，可连约。",
    ),
    "prep": Manner(
        Terms(longest_minutes=240, lead_minutes=1440, buffer_after_minutes=30),
        (60, 120, 120, 180, 240),
        "首次使用请提前联系，确认样品干燥、无挥发、无磁性。",
        ApprovalRule(ApprovalMode.FIRST_TIME, hold_working_hours=48),
        Operation.AUTHORISED,
    ),
    "heavy": Manner(
        Terms(
            grid_minutes=60,
            shortest_minutes=120,
            lead_minutes=4320,
            change_until_minutes=2880,
            buffer_before_minutes=60,
            buffer_after_minutes=60,
        ),
        (120, 180, 180),
        "需吊装或接线，请至少提前 3 天预约并告知重量、尺寸和接口。",
        ApprovalRule(ApprovalMode.ALWAYS, hold_working_hours=48),
        Operation.ASSISTED,
    ),
    "overnight": Manner(
        Terms(longest_minutes=1440, lead_minutes=240),
        (60, 120, 240, 480),
        "可预约夜间自动进样；样品请在 17:00 前送到。",
    ),
    "chamber": Manner(
        Terms(
            grid_minutes=60,
            shortest_minutes=240,
            longest_minutes=10080,
            lead_minutes=1440,
            change_until_minutes=2880,
            observes_holidays=False,
        ),
        (480, 1440, 1440, 2880, 4320),
        "昼夜连续运行；送样和取样请在工作时间，工装自备。",
        ApprovalRule(over_minutes=2880, hold_working_hours=48),
    ),
}


class Calendar:
    """The days around today: which are worked, and slots at so many working days from now."""

    def __init__(self) -> None:
        self.today = clock.today()
        self.works = reference.workdays(self.today - _AROUND, self.today + _AROUND)
        self._worked = [day for day, works in sorted(self.works.items()) if works]
        self._next = next(n for n, day in enumerate(self._worked) if day >= self.today)

    def working_day(self, days: int) -> date:
        """Return the working day so many after the next one (0: today or the first after it)."""
        return self._worked[self._next + days]

    def slot(self, days: int, start: str, hours: Decimal | int) -> TimeSlot:
        """Return a slot on that working day, by the clock on the wall."""
        begins = self.at(self.working_day(days), time.fromisoformat(start))
        return TimeSlot(begins, begins + timedelta(hours=float(hours)))

    def at(self, day: date, wall: time) -> datetime:
        """Return the instant of a wall-clock time."""
        return datetime.combine(day, wall, tzinfo=clock.CHINA)

    def lasting(self, begins: datetime, hours: int) -> TimeSlot:
        """Return a slot of so many hours from an instant."""
        return TimeSlot(begins, begins + timedelta(hours=hours))

    def days_before(self, days: int, wall: time) -> datetime:
        """Return the instant so many days before today."""
        return self.at(self.today - days * _ONE_DAY, wall)

    def plan(self, week: str, manner: Manner) -> WeekPlan:
        """Return when an instrument with such a week is open."""
        return WeekPlan(
            zone=clock.CHINA,
            week=WEEKS[week],
            workdays=self.works,
            observes_holidays=manner.terms.observes_holidays,
        )


def policy(terms: Terms) -> BookingPolicy:
    """Return the terms as the rules of booking read them."""
    values = asdict(terms)
    del values["observes_holidays"]
    return BookingPolicy(zone=clock.CHINA, **values)
