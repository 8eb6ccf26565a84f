"""Calendars over HTTP: the addresses programs read, and the pages where people get them."""

from booking.calendars.views.addresses import bp as addresses
from booking.calendars.views.subscribing import bp as pages

__all__ = ["addresses", "pages"]
