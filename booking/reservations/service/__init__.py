"""Quote, reserve, move and cancel; closures that meet reservations. Never commits."""

from booking.reservations.service.booking import cancel, change, move, quote, reserve
from booking.reservations.service.closing import Closed, close, lift
from booking.reservations.service.offers import Offer
from booking.reservations.service.telling import remind

__all__ = [
    "Closed",
    "Offer",
    "cancel",
    "change",
    "close",
    "lift",
    "move",
    "quote",
    "remind",
    "reserve",
]
