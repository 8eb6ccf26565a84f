"""The end of a reservation's life: settled, nothing said against it, closed (domain §6.4)."""

from datetime import date, datetime

from booking.kernel import clock
from booking.reference import queries as reference
from booking.reservations import queries, rules
from booking.reservations.models import Reservation, ReservationStatus
from booking.reservations.service.keeping import facts, record

MOST = 1_000  # of one run; the next goes on


def close_settled() -> int:
    """Close what was settled so many working days ago that nobody objects; returns how many."""
    today = clock.today()
    found = queries.settled_before(_start_of(today), limit=MOST)
    due = [each for each in found if _is_over(each, today)]
    for reservation in due:
        old = facts(reservation)
        reservation.become(ReservationStatus.CLOSED, action="close")
        record("reservation.closed", reservation, None, old=old, new=facts(reservation))
    return len(due)


def _start_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=clock.CHINA)


def _is_over(reservation: Reservation, today: date) -> bool:
    use = reservation.use
    if use is None or use.settled_at is None:
        return False
    settled_on = use.settled_at.astimezone(clock.CHINA).date()
    return reference.add_working_days(settled_on, rules.OBJECTION_DAYS) < today
