"""Posting notices, delivering them, and what people do with theirs. Never commits."""

from booking.notices.service.expanding import expand
from booking.notices.service.forgetting import forget_person
from booking.notices.service.posting import post, posting, posting_values
from booking.notices.service.reading import (
    choose,
    forget,
    mark_old_read,
    mark_read,
    retry_mail,
    retry_notice,
)
from booking.notices.service.sending import Outcome, claim, give_back, mark, note_outage, send

__all__ = [
    "Outcome",
    "choose",
    "claim",
    "expand",
    "forget",
    "forget_person",
    "give_back",
    "mark",
    "mark_old_read",
    "mark_read",
    "note_outage",
    "post",
    "posting",
    "posting_values",
    "retry_mail",
    "retry_notice",
    "send",
]
