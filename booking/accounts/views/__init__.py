"""Pages of accounts: the doors (log-in, sign-up, invitation) and one's own account."""

from booking.accounts.views import doors, own
from booking.accounts.views.frame import bp

__all__ = ["bp", "doors", "own"]
