"""Pages for those who work at an institution."""

from booking.console.views.access import access_page
from booking.console.views.approving import approvals
from booking.console.views.authorising import authorisations
from booking.console.views.bulk import bulk
from booking.console.views.closing import closures_page
from booking.console.views.contributing import edit
from booking.console.views.frame import bp
from booking.console.views.hours import hours_page
from booking.console.views.importing import imports
from booking.console.views.labels import label
from booking.console.views.listing import instruments
from booking.console.views.today import today
from booking.console.views.uses import uses

__all__ = [
    "access_page",
    "approvals",
    "authorisations",
    "bp",
    "bulk",
    "closures_page",
    "edit",
    "hours_page",
    "imports",
    "instruments",
    "label",
    "today",
    "uses",
]
