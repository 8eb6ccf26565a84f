"""Who waits for time that is taken: one has an offer to answer, one stands second in the queue."""

from collections.abc import Mapping

from booking.accounts.rules import Caller
from booking.availability import queries as availability
from booking.demo.hours import Calendar
from booking.kernel import clock
from booking.kernel.timeslot import TimeSlot
from booking.reservations import service as reservations
from booking.tariffs import queries as tariffs
from booking.waiting import service as waiting

INSTRUMENT = 14
_FROM, _UNTIL, _MINUTES = 7, 12, 120  # working days from now
_HOLDER, _BEFORE, _WAITS = "firm03", "firm02", "firm"


def wait(everybody: Mapping[str, Caller], ids: Mapping[int, int], calendar: Calendar) -> None:
    """Let them wait, and one of two slots be called off, today: an offer stands for hours only."""
    instrument_id, holder = ids[INSTRUMENT], everybody[_HOLDER]
    first, second = _free(instrument_id, holder, calendar)
    held = reservations.reserve(instrument_id, first, caller=holder, purpose="批次抽检")
    reservations.reserve(instrument_id, second, caller=holder, purpose="批次抽检")
    for login, slot, purpose in (
        (_WAITS, first, "新供应商来料检验"),
        (_BEFORE, second, "刀具磨损复测"),
        (_WAITS, second, "客户投诉件复检"),
    ):
        waiting.join(
            instrument_id, slot, minutes=_MINUTES, caller=everybody[login], purpose=purpose
        )
    reservations.cancel(held.id, caller=holder, reason="样品未到")
    waiting.offer_next(instrument_id)


def _free(instrument_id: int, holder: Caller, calendar: Calendar) -> tuple[TimeSlot, TimeSlot]:
    """Return two free slots on different days."""
    window = TimeSlot(
        calendar.slot(_FROM, "08:00", 1).starts_at, calendar.slot(_UNTIL, "17:00", 1).ends_at
    )
    found = availability.free_slots_of(
        instrument_id,
        window,
        customer=tariffs.customer_of(holder),
        now=clock.now(),
        minutes=_MINUTES,
    )
    return found[0], next(
        each for each in found if each.starts_at.date() != found[0].starts_at.date()
    )
