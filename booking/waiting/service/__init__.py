"""Joining and leaving the waiting list, offering what frees, and answering. Never commits."""

from booking.waiting.service.answering import accept, decline, leave
from booking.waiting.service.joining import join
from booking.waiting.service.offering import offer_next, tidy
from booking.waiting.service.pricing import priced

__all__ = ["accept", "decline", "join", "leave", "offer_next", "priced", "tidy"]
