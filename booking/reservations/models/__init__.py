"""A reservation, how it was used and settled, what stands beside it, and what was made together."""

from booking.reservations.models.beside import Fault, FeeEnd, FeeSettlement, Override
from booking.reservations.models.groups import GroupKind, ReservationGroup
from booking.reservations.models.reservation import (
    CAME_TO_NOTHING,
    HOLDING,
    TRANSITIONS,
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
    "FeeEnd",
    "FeeSettlement",
    "GroupKind",
    "Override",
    "Reservation",
    "ReservationGroup",
    "ReservationStatus",
    "Settlement",
    "Use",
]
