"""The blueprint of these pages."""

from booking.kernel import pages

bp = pages.Blueprint("attachments_pages", __name__)
