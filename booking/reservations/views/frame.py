"""The blueprint of the pages around a reservation."""

from booking.kernel import pages

bp = pages.Blueprint("reservations_pages", __name__)
go = bp.go
