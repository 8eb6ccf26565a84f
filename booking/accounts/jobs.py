"""What the timetable runs for accounts."""

from booking.accounts import service
from booking.kernel.db import transaction
from booking.kernel.throttle import forget_old_attempts


def forget() -> str:
    """Drop counts of failed log-ins that are forgiven, and sessions that ended a month ago."""
    with transaction():
        attempts, sessions = forget_old_attempts(), service.forget_ended()
    return f"清理登录失败计数 {attempts} 条、已结束的会话 {sessions} 条"
