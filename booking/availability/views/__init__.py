"""Pages for finding an instrument."""

from booking.availability.views.results import bp, home

__all__ = ["bp", "home"]
