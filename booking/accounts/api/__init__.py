"""REST for accounts: sign-up, log-in, sessions, tokens, organisations and their people."""

from booking.accounts.api import doors, members, organisations, own
from booking.accounts.api.frame import bp

__all__ = ["bp", "doors", "members", "organisations", "own"]
