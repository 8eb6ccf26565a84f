"""Pages of packages and prepaid hours, for firms and for institutions."""

from booking.packages.views.firm import prepaid
from booking.packages.views.frame import bp
from booking.packages.views.institution import packages

__all__ = ["bp", "packages", "prepaid"]
