"""Pages for those who work at an institution."""

from booking.console.views.access import access_page
from booking.console.views.approving import approvals
from booking.console.views.authorising import authorisations
from booking.console.views.bulk import bulk
from booking.console.views.classes import classes
from booking.console.views.closing import closures_page
from booking.console.views.contributing import edit
from booking.console.views.faults import faults
from booking.console.views.frame import bp
from booking.console.views.hours import hours_page
from booking.console.views.importing import imports
from booking.console.views.labels import label
from booking.console.views.listing import instruments
from booking.console.views.policies import policy_page
from booking.console.views.pricing import prices_page
from booking.console.views.today import today
from booking.console.views.uses import uses
from booking.console.views.why import why_page

__all__ = [
    "access_page",
    "approvals",
    "authorisations",
    "bp",
    "bulk",
    "classes",
    "closures_page",
    "edit",
    "faults",
    "hours_page",
    "imports",
    "instruments",
    "label",
    "policy_page",
    "prices_page",
    "today",
    "uses",
    "why_page",
]
