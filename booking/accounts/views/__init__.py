"""Pages of accounts: the doors, one's own account, the people of an organisation."""

from booking.accounts.views import doors, own, people
from booking.accounts.views.frame import bp

__all__ = ["bp", "doors", "own", "people"]
