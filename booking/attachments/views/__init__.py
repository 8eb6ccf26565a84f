"""Pages around photos and documents: the institution's, the gallery, and the files themselves."""

from booking.attachments.views.frame import bp
from booking.attachments.views.own import attachments_page
from booking.attachments.views.shown import photos

__all__ = ["attachments_page", "bp", "photos"]
