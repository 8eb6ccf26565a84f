"""Rules of accounts as validators of fields."""

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError

from booking.kernel.errors import InvalidField
from booking.kernel.passwords import check_password


def passes(rule: Callable[[str], Any]) -> Callable[[str], None]:
    """Return the rule as a validator, so that all unusable fields are named at once."""

    def check(value: str) -> None:
        try:
            rule(value)
        except InvalidField as refused:
            [reasons] = refused.details["errors"].values()
            raise ValidationError(reasons) from refused

    return check


def strong(password: str) -> None:
    """Raise InvalidField if the password is too easy to guess, whoever has it."""
    check_password(password, logins=())
