"""What a firm books at one confirmation: the same hour each week, and two instruments at once."""

from collections.abc import Mapping

from booking.accounts.rules import Caller
from booking.demo import tables
from booking.demo.bookings import SHOWN
from booking.demo.hours import Calendar
from booking.registry.models import RunningState
from booking.reservations import service as reservations
from booking.reservations.service import Pattern, Wish

_FIRM = "firm"
_FIRST, _LAST = 6, 20  # working days from now among which there is room for two


def book(everybody: Mapping[str, Caller], ids: Mapping[int, int], calendar: Calendar) -> None:
    """Make one weekly series, clashing dates shifted or left out, and one bundle."""
    firm = everybody[_FIRM]
    one, other = [
        ids[row.number]
        for row in tables.instruments()
        if row.terms == "usual" and row.state == RunningState.NORMAL and row.number != SHOWN
    ][:2]
    pattern = Pattern(one, calendar.slot(8, "14:00", 2), "FREQ=WEEKLY;COUNT=4")
    seen = reservations.preview_series(pattern, caller=firm).occurrences
    choices = {
        each.judged.index: each.shift.starts_at if each.shift else None
        for each in seen
        if not each.judged.bookable
    }
    reservations.reserve_series(pattern, choices, caller=firm, purpose="来料每周抽检")
    for days in range(_FIRST, _LAST):
        slot = calendar.slot(days, "09:00", 2)
        wishes = [Wish(one, slot), Wish(other, slot)]
        if all(each.bookable for each in reservations.preview(wishes, caller=firm)):
            reservations.reserve_all(wishes, caller=firm, purpose="同批样品对比试验")
            return
