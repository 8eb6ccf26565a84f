"""What a line saved, why some save nothing, and what was not bought instead. Pure."""

from booking.savings.rules.avoided import (
    PARAMETERS,
    Avoided,
    Hours,
    Parameters,
    avoided,
    owning_per_hour,
)
from booking.savings.rules.ledger import (
    EXCLUSIONS,
    METHOD,
    SUBSIDIES,
    Amounts,
    NotCounted,
    Reason,
    Service,
    Unit,
    check,
    correction,
    out_of_scope,
)

__all__ = [
    "EXCLUSIONS",
    "METHOD",
    "PARAMETERS",
    "SUBSIDIES",
    "Amounts",
    "Avoided",
    "Hours",
    "NotCounted",
    "Parameters",
    "Reason",
    "Service",
    "Unit",
    "avoided",
    "check",
    "correction",
    "out_of_scope",
    "owning_per_hour",
]
