"""What the timetable does for prepaid hours."""

from booking.kernel.db import transaction
from booking.packages import service


def expire() -> str:
    """Let what is left of ended balances expire, and remind of those that end soon."""
    with transaction():
        return f"预付机时到期 {service.expire()} 份，提醒 {service.remind()} 条"
