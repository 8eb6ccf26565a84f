"""What the timetable does for calendars."""

from booking.calendars import service
from booking.kernel.db import transaction


def forget_texts() -> str:
    """Drop the event texts that no calendar shows any more."""
    with transaction():
        return f"清理日历文本 {service.forget_texts()} 条"
