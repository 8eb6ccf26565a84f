"""Reads of the waiting list: one's own places, who is next, how many wait; breaches."""

from booking.waiting.queries.breaches import breaches
from booking.waiting.queries.personal import count_of, personal_data
from booking.waiting.queries.reading import (
    Placed,
    firms_waiting,
    get_entry,
    get_placed,
    list_entries,
    open_of_firm,
    open_on,
    placed,
    with_open,
)

__all__ = [
    "Placed",
    "breaches",
    "count_of",
    "firms_waiting",
    "get_entry",
    "get_placed",
    "list_entries",
    "open_of_firm",
    "open_on",
    "personal_data",
    "placed",
    "with_open",
]
