"""Reads for the console."""

from booking.console.queries.board import Board, Row, Stop, Visit, board
from booking.console.queries.imports import get_import, latest_imports
from booking.console.queries.listing import (
    MOST_AT_ONCE,
    Listed,
    Wanted,
    coming_visits,
    list_instruments,
    matching_ids,
    named,
)

__all__ = [
    "MOST_AT_ONCE",
    "Board",
    "Listed",
    "Row",
    "Stop",
    "Visit",
    "Wanted",
    "board",
    "coming_visits",
    "get_import",
    "latest_imports",
    "list_instruments",
    "matching_ids",
    "named",
]
