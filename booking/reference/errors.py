"""What the code lists and the calendar refuse."""

from booking.kernel.errors import RuleViolation
from booking.kernel.text import N_


class DayOutsideCalendar(RuleViolation):
    """Staff may set only days of the years we keep."""

    code = "day_outside_calendar"

    def __init__(self, first_year: int, last_year: int) -> None:
        super().__init__(
            N_(
                "工作日历只涵盖 %(first)s 年至 %(last)s 年，请选择其中的日期。",
                first=first_year,
                last=last_year,
            ),
            first_year=first_year,
            last_year=last_year,
        )
