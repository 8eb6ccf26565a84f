"""Pages of accounts: the doors, one's own account, the people of an organisation."""

from booking.accounts.views import doors, factor, keys, own, people, second_step
from booking.accounts.views.frame import bp

__all__ = ["bp", "doors", "factor", "keys", "own", "people", "second_step"]
