"""Use cases of the console: over the features' own, all or nothing."""

from booking.console.service.bulk import (
    publish_each,
    set_hours_of_each,
    set_price_of_each,
    set_sharing_of_each,
    withdraw_each,
)

__all__ = [
    "publish_each",
    "set_hours_of_each",
    "set_price_of_each",
    "set_sharing_of_each",
    "withdraw_each",
]
