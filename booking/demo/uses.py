"""What became of past bookings: used, confirmed, agreed or objected to, settled; or nobody came."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random

from booking.demo.bookings import SEED, Booking
from booking.demo.hours import Calendar
from booking.kernel import clock
from booking.reservations.models import Settlement

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
_LEAVES_EARLY, _COMES_LATE, _STAYS_AWAY, _AGREES, _OBJECTS, _PAYS = 0.1, 0.1, 0.03, 0.75, 0.03, 0.7
# Days after which a firm can no longer object, also over the longest holidays.
_SILENT = 16
SHOWN_FIRM = "firm"
_OBJECTIONS = ("实际只用了一半时间", "仪器预热时间不应计费", "结束时间登记有误")


@dataclass(frozen=True)
class Step:
    """Something that happens to a booking: what, when, and what is said with it."""

    action: str
    at: datetime
    by_owner: bool
    settlement: Settlement | None = None
    words: str = ""


class Days:
    """Makes up what happened on each booked day, the same for a day of loading."""

    def __init__(self, calendar: Calendar, seed: int = SEED) -> None:
        self.random = Random(seed)  # noqa: S311 - chance that repeats is the point
        # Nothing later than yesterday: what is seen does not depend on the hour of loading.
        self.latest = calendar.days_before(1, time(20))

    def steps(self, booking: Booking) -> Iterator[Step]:
        """Yield what happened until yesterday evening."""
        for step in list(self._all(booking)):
            if step.at > self.latest:
                return
            yield step

    def missed(self, booking: Booking) -> Step:
        """Return the step of a booking to which nobody came."""
        at = booking.slot.starts_at + 45 * MINUTE
        return Step("miss", at, by_owner=True, words="电话联系不上")

    def _all(self, booking: Booking) -> Iterator[Step]:
        begins, ends = booking.slot.starts_at, booking.slot.ends_at
        if self._chance(_STAYS_AWAY):
            yield self.missed(booking)
            return
        late = 12 if self._chance(_COMES_LATE) else self.random.randint(1, 4)
        yield Step("start", begins + late * MINUTE, by_owner=False)
        early = (
            booking.slot.minutes // 3 if self._chance(_LEAVES_EARLY) else self.random.randint(0, 4)
        )
        ended = ends - early * MINUTE
        yield Step("end", ended, by_owner=False)
        # Some wait for the next morning.
        confirmed = ended + self.random.choice((45, 70, 160, 1020)) * MINUTE
        yield Step("confirm", confirmed, by_owner=True)
        pause = _SILENT
        answered = self._office_hour(confirmed + DAY)
        if self._chance(_OBJECTS) and booking.login != SHOWN_FIRM:
            yield Step("object", answered, by_owner=False, words=self.random.choice(_OBJECTIONS))
            answered = self._office_hour(answered + DAY)
            yield Step("answer", answered, by_owner=True, words="已核对仪器运行记录")
        elif self._chance(_AGREES) or booking.login == SHOWN_FIRM:
            # The firm people look at first has something saved.
            yield Step("agree", answered, by_owner=False)
            pause = self.random.randint(2, 6)
        kind = Settlement.PAID if self._chance(_PAYS) else Settlement.ON_ACCOUNT
        settled = self._office_hour(answered + pause * DAY)
        yield Step("settle", settled, by_owner=True, settlement=kind)

    def _office_hour(self, day: datetime) -> datetime:
        """Return some moment of the working hours of that day."""
        nine = day.astimezone(clock.CHINA).replace(hour=9, minute=0)
        return nine + self.random.randint(0, 480) * MINUTE

    def _chance(self, share: float) -> bool:
        return self.random.random() < share
