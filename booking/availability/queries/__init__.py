"""Reads for availability: schedules, patterns of opening, free-slot search, lists, breaches."""

from booking.availability.queries.breaches import breaches
from booking.availability.queries.listing import (
    Facets,
    Listed,
    Sort,
    Wanted,
    facets,
    free_count,
    list_instruments,
)
from booking.availability.queries.patterns import (
    Pattern,
    is_free,
    patterns,
    patterns_of,
    policy_of,
    taken,
    workdays,
)
from booking.availability.queries.schedules import (
    Availability,
    ScheduleSheet,
    availability,
    find_schedule,
    get_schedule,
    with_hours,
)
from booking.availability.queries.search import (
    Alternatives,
    FreeSlot,
    Kin,
    Obstacle,
    alternatives,
    bookable_by,
    find_free_slots,
    obstacles,
    soonest,
)
from booking.availability.queries.strips import DayShown, axis_of, day_shown
from booking.availability.queries.suggestions import Suggestion, Suggestions, near_names, suggest
from booking.availability.queries.weeks import DAYS, Day, Week, weeks

__all__ = [
    "DAYS",
    "Alternatives",
    "Availability",
    "Day",
    "DayShown",
    "Facets",
    "FreeSlot",
    "Kin",
    "Listed",
    "Obstacle",
    "Pattern",
    "ScheduleSheet",
    "Sort",
    "Suggestion",
    "Suggestions",
    "Wanted",
    "Week",
    "alternatives",
    "availability",
    "axis_of",
    "bookable_by",
    "breaches",
    "day_shown",
    "facets",
    "find_free_slots",
    "find_schedule",
    "free_count",
    "get_schedule",
    "is_free",
    "list_instruments",
    "near_names",
    "obstacles",
    "patterns",
    "patterns_of",
    "policy_of",
    "soonest",
    "suggest",
    "taken",
    "weeks",
    "with_hours",
    "workdays",
]
