"""Use cases of certificates and calibrations, one module for each kind of thing. Never commits."""

from booking.qualifications.service.calibrations import (
    extend,
    record_calibration,
    revoke_extensions,
    withdraw_calibration,
)
from booking.qualifications.service.certificates import (
    add_certificate,
    edit_certificate,
    withdraw_certificate,
)
from booking.qualifications.service.reminding import remind
from booking.qualifications.service.scopes import add_line, import_scope, remove_line

__all__ = [
    "add_certificate",
    "add_line",
    "edit_certificate",
    "extend",
    "import_scope",
    "record_calibration",
    "remind",
    "remove_line",
    "revoke_extensions",
    "withdraw_calibration",
    "withdraw_certificate",
]
