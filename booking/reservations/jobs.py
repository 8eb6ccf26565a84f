"""What the timetable runs for reservations."""

from booking.kernel.db import transaction
from booking.reservations import service


def remind() -> str:
    """Remind the firms of tomorrow's visits."""
    with transaction():
        return f"提醒 {service.remind()} 个预约"
