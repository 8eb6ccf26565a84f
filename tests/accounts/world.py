"""A second factor in tests: an authenticator that counts as a phone's would."""

from booking.accounts import queries, service
from booking.kernel import clock, passwords, totp


def code_of(user_id: int, *, ahead: int = 0) -> str:
    """The code the person's authenticator shows now, or some steps later."""
    factor = queries.find_factor(user_id)
    key = passwords.derived_key(factor.nonce, size=totp.KEY_BYTES)
    return totp.code_at(key, totp.step_at(clock.now()) + ahead)


def set_up(user_id: int) -> list[str]:
    """Give the person a second factor; returns the recovery codes. One code is used up."""
    service.begin_factor(user_id, session_id=None)
    return service.confirm_factor(user_id, code_of(user_id), address=None)
