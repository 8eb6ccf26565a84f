"""A reservation with its life cycle, price and use, and what was reserved together."""

from booking.reservations.models.groups import GroupKind, ReservationGroup
from booking.reservations.models.reservation import (
    CAME_TO_NOTHING,
    HOLDING,
    TRANSITIONS,
    Fault,
    Override,
    Reservation,
    ReservationStatus,
    Settlement,
    Use,
)

__all__ = [
    "CAME_TO_NOTHING",
    "HOLDING",
    "TRANSITIONS",
    "Fault",
    "GroupKind",
    "Override",
    "Reservation",
    "ReservationGroup",
    "ReservationStatus",
    "Settlement",
    "Use",
]
