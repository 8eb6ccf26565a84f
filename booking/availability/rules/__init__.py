"""When an instrument is open and free, and what its owner allows. Pure."""

from booking.availability.rules.approvals import (
    MOST_HOLD_HOURS,
    ApprovalMode,
    ApprovalRule,
    Reason,
)
from booking.availability.rules.fits import (
    Fit,
    busy_windows,
    every_fit,
    first_fit,
    first_fit_of_units,
    free_spans,
    free_windows,
    next_fits,
    taken_spans,
    without,
)
from booking.availability.rules.plans import (
    DAY_MINUTES,
    USUAL_WINDOW,
    Interval,
    Span,
    WeekPlan,
    joined,
    minute_before,
    open_spans,
    open_windows,
    slot_of,
)
from booking.availability.rules.terms import (
    GRIDS,
    BookingPolicy,
    Terms,
    check_hours,
)

__all__ = [
    "DAY_MINUTES",
    "GRIDS",
    "MOST_HOLD_HOURS",
    "USUAL_WINDOW",
    "ApprovalMode",
    "ApprovalRule",
    "BookingPolicy",
    "Fit",
    "Interval",
    "Reason",
    "Span",
    "Terms",
    "WeekPlan",
    "busy_windows",
    "check_hours",
    "every_fit",
    "first_fit",
    "first_fit_of_units",
    "free_spans",
    "free_windows",
    "joined",
    "minute_before",
    "next_fits",
    "open_spans",
    "open_windows",
    "slot_of",
    "taken_spans",
    "without",
]
