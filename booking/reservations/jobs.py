"""What the timetable runs for reservations."""

from booking.kernel.db import transaction
from booking.reservations import service


def remind() -> str:
    """Remind the firms of tomorrow's visits."""
    with transaction():
        return f"提醒 {service.remind()} 个预约"


def close() -> str:
    """Close what was settled some days ago."""
    with transaction():
        return f"完结 {service.close_settled()} 个预约"


def release_unclaimed() -> str:
    """Free the time of what nobody claimed."""
    with transaction():
        return f"无人到场释放 {service.release_unclaimed()} 个预约"


def expire_holds() -> str:
    """Free the time of what nobody approved or declined in time."""
    with transaction():
        return f"逾期未审批 {service.expire_holds()} 个预约"
