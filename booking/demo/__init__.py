"""A believable Hunan: institutions, instruments, firms and weeks of bookings, the same for a day.

Everything is made through our own services, in a pretended past, from the tables in `data/`.
"""

from booking.demo.people import LOG_INS, PASSWORD
from booking.demo.story import load, welcome

__all__ = ["LOG_INS", "PASSWORD", "load", "welcome"]
