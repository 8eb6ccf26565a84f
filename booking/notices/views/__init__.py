"""Pages of notices: the inbox, what comes by mail, what did not arrive, the demo's mail folder."""

from booking.notices.views import admin, inbox, settings
from booking.notices.views.frame import bp

__all__ = ["admin", "bp", "inbox", "settings"]
