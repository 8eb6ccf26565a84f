"""Reads for availability: schedules, patterns of opening, free-slot search, lists, breaches."""

from booking.availability.queries.breaches import breaches
from booking.availability.queries.listing import Listed, Sort, Wanted, list_instruments
from booking.availability.queries.patterns import Pattern, is_free, patterns, policy_of, taken
from booking.availability.queries.schedules import (
    Availability,
    ScheduleSheet,
    availability,
    find_schedule,
    get_schedule,
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
from booking.availability.queries.weeks import DAYS, Day, Week, weeks

__all__ = [
    "DAYS",
    "Alternatives",
    "Availability",
    "Day",
    "FreeSlot",
    "Kin",
    "Listed",
    "Obstacle",
    "Pattern",
    "ScheduleSheet",
    "Sort",
    "Wanted",
    "Week",
    "alternatives",
    "availability",
    "bookable_by",
    "breaches",
    "find_free_slots",
    "find_schedule",
    "get_schedule",
    "is_free",
    "list_instruments",
    "obstacles",
    "patterns",
    "policy_of",
    "soonest",
    "taken",
    "weeks",
]
