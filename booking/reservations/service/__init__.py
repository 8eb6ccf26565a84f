"""Quote, reserve, move and cancel; closures that meet reservations. Never commits."""

from booking.reservations.service.booking import cancel, change, move, quote, reserve
from booking.reservations.service.closing import Closed, close, lift, reason_told
from booking.reservations.service.offers import Offer
from booking.reservations.service.telling import cancelling, remind

__all__ = [
    "Closed",
    "Offer",
    "cancel",
    "cancelling",
    "change",
    "close",
    "lift",
    "move",
    "quote",
    "reason_told",
    "remind",
    "reserve",
]
