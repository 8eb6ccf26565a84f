"""Reads for the console."""

from booking.console.queries.board import Board, Row, Stop, Visit, board

__all__ = ["Board", "Row", "Stop", "Visit", "board"]
