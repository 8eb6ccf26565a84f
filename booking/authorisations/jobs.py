"""What the timetable does for authorisations."""

from booking.authorisations import service
from booking.kernel.db import transaction


def remind() -> str:
    """Remind people of authorisations that end in 60, 30 and 7 days."""
    with transaction():
        return f"上机授权到期提醒 {service.remind()} 条"
