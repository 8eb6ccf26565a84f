"""REST for quotes, reservations, several made together, and closures."""

from booking.reservations.api import groups, single
from booking.reservations.api.frame import bp

__all__ = ["bp", "groups", "single"]
