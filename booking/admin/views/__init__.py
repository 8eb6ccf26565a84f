"""Pages of the operator: one module for each kind of work."""

from booking.admin.views import organisations, overview, users
from booking.admin.views.frame import bp

__all__ = ["bp", "organisations", "overview", "users"]
