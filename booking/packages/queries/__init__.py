"""Reads for packages and prepaid hours."""

from booking.packages.queries.balances import (
    ending,
    entries_of,
    get_balance,
    list_balances,
    lock,
    lock_each,
    own_balances,
    sold_by,
    taken_for,
    usable,
)
from booking.packages.queries.breaches import breaches
from booking.packages.queries.packages import (
    class_of,
    dearer_than_list,
    get_package,
    list_packages,
    packages_for,
    successors,
    timed_instruments,
)

__all__ = [
    "breaches",
    "class_of",
    "dearer_than_list",
    "ending",
    "entries_of",
    "get_balance",
    "get_package",
    "list_balances",
    "list_packages",
    "lock",
    "lock_each",
    "own_balances",
    "packages_for",
    "sold_by",
    "successors",
    "taken_for",
    "timed_instruments",
    "usable",
]
