"""A reservation, how it was used and settled, and what stands beside it."""

from booking.reservations.models.beside import Fault, FeeEnd, FeeSettlement, Override
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
    "Override",
    "Reservation",
    "ReservationStatus",
    "Settlement",
    "Use",
]
