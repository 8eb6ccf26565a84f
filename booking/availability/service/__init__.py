"""Deciding when and how an instrument may be booked; taking and giving back its time."""

from booking.availability.service.calendar import (
    MOST_SPECIAL_DAYS,
    TAKING,
    begin_earlier,
    close,
    end_earlier,
    free_units,
    lift,
    occupy,
    occupy_unit,
    queue_for,
    queue_for_all,
    release,
    set_approval,
    set_operation,
    set_schedule,
    taking_values,
)
from booking.availability.service.policies import (
    Pairs,
    check_instrument,
    set_defaults,
    set_policy,
)

__all__ = [
    "MOST_SPECIAL_DAYS",
    "TAKING",
    "Pairs",
    "begin_earlier",
    "check_instrument",
    "close",
    "end_earlier",
    "free_units",
    "lift",
    "occupy",
    "occupy_unit",
    "queue_for",
    "queue_for_all",
    "release",
    "set_approval",
    "set_defaults",
    "set_operation",
    "set_policy",
    "set_schedule",
    "taking_values",
]
