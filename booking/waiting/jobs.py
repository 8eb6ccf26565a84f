"""What the timetable does for the waiting list."""

from booking.kernel.db import transaction
from booking.waiting import queries, service


def offer() -> str:
    """End what nobody answered, and offer what is free to who is next."""
    ended = made = 0
    for instrument_id in queries.with_open():
        with transaction():
            ended += service.tidy(instrument_id)
        while _offers(instrument_id):
            made += 1
    return f"候补：保留 {made} 个时段，结束 {ended} 个"


def _offers(instrument_id: int) -> bool:
    with transaction():
        return service.offer_next(instrument_id) is not None
