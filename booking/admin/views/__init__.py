"""Pages of the operator: one module for each kind of work."""

from booking.admin.views import (
    calendar,
    codes,
    jobs,
    journal,
    organisations,
    overview,
    relations,
    users,
)
from booking.admin.views.frame import bp

__all__ = [
    "bp",
    "calendar",
    "codes",
    "jobs",
    "journal",
    "organisations",
    "overview",
    "relations",
    "users",
]
