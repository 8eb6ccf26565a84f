"""Pages for those who work at an institution."""

from booking.console.views.frame import bp
from booking.console.views.today import today

__all__ = ["bp", "today"]
