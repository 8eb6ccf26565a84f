"""What the timetable does for certificates and calibrations."""

from booking.kernel.db import transaction
from booking.qualifications import service


def remind() -> str:
    """Remind institutions of what ends in 60, 30 and 7 days."""
    with transaction():
        return f"证书到期提醒 {service.remind()} 条"
