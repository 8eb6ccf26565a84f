"""Quote, reserve, move and cancel; closures; use and settlement. Never commits."""

from booking.reservations.service.archiving import close_settled
from booking.reservations.service.booking import cancel, change, move, quote, reserve
from booking.reservations.service.closing import Closed, close, lift, reason_told
from booking.reservations.service.faults import dismiss_fault, report_fault
from booking.reservations.service.offers import Offer
from booking.reservations.service.settling import (
    agree,
    confirm_usage,
    due_for,
    object_to,
    settle,
    suggested_minutes,
)
from booking.reservations.service.telling import cancelling, remind
from booking.reservations.service.using import check_in, check_out, no_show, record_use

__all__ = [
    "Closed",
    "Offer",
    "agree",
    "cancel",
    "cancelling",
    "change",
    "check_in",
    "check_out",
    "close",
    "close_settled",
    "confirm_usage",
    "dismiss_fault",
    "due_for",
    "lift",
    "move",
    "no_show",
    "object_to",
    "quote",
    "reason_told",
    "record_use",
    "remind",
    "report_fault",
    "reserve",
    "settle",
    "suggested_minutes",
]
