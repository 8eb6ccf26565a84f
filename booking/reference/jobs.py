"""What the timetable runs for reference."""

from booking.kernel import clock
from booking.kernel.db import transaction
from booking.reference import queries, service


def reseed_calendar() -> str:
    """Take in new years and newly announced 调休; says which years are still provisional."""
    with transaction():
        changed = service.seed_days()
        provisional = queries.provisional_years()
    report = f"工作日历更新 {changed} 天"
    today = clock.today()
    if today.month == 12 and today.year + 1 in provisional:
        # The notice is out by then (domain §7): a new package, or staff, must bring it.
        report += f"；{today.year + 1} 年调休尚未载入，请升级 holidays 或在工作日历中录入"
    return report
