"""Pages around a reservation: choosing a slot on an instrument, and one's own reservations."""

from booking.reservations.views.basket import basket
from booking.reservations.views.choosing import instrument
from booking.reservations.views.frame import bp
from booking.reservations.views.moving import move
from booking.reservations.views.own import index
from booking.reservations.views.series import series
from booking.reservations.views.using import use_page
from booking.reservations.views.withdrawn import nothing_there

__all__ = [
    "basket",
    "bp",
    "index",
    "instrument",
    "move",
    "nothing_there",
    "series",
    "use_page",
]
