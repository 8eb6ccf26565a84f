"""Asking for authorisations, granting them, and the training in between. Never commits."""

from booking.authorisations.service.asking import request, withdraw
from booking.authorisations.service.granting import (
    Reach,
    grant,
    refuse,
    remind,
    restore,
    suspend,
)
from booking.authorisations.service.training import (
    assess,
    call_off,
    give_up,
    invite,
    offer,
    sign_up,
)

__all__ = [
    "Reach",
    "assess",
    "call_off",
    "give_up",
    "grant",
    "invite",
    "offer",
    "refuse",
    "remind",
    "request",
    "restore",
    "sign_up",
    "suspend",
    "withdraw",
]
