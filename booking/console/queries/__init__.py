"""Reads for the console."""

from booking.console.queries.authorised import own_instruments, self_operated_ahead
from booking.console.queries.board import Board, Row, Stop, Visit, board
from booking.console.queries.drafts import get_draft, own_drafts
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
from booking.console.queries.personal import personal_data
from booking.console.queries.previews import Ahead, DayAhead, cancellation_letters, days_ahead
from booking.console.queries.uses import Waiting, waiting

__all__ = [
    "MOST_AT_ONCE",
    "Ahead",
    "Board",
    "DayAhead",
    "Listed",
    "Row",
    "Stop",
    "Visit",
    "Waiting",
    "Wanted",
    "board",
    "cancellation_letters",
    "coming_visits",
    "days_ahead",
    "get_draft",
    "get_import",
    "latest_imports",
    "list_instruments",
    "matching_ids",
    "named",
    "own_drafts",
    "own_instruments",
    "personal_data",
    "self_operated_ahead",
    "waiting",
]
