"""Publishing packages, recording what firms bought, and the ledger of it. Never commits."""

from booking.packages.service.ledger import (
    correct,
    expire,
    hold,
    record_purchase,
    release,
    remind,
    use,
)
from booking.packages.service.publishing import publish, withdraw

__all__ = [
    "correct",
    "expire",
    "hold",
    "publish",
    "record_purchase",
    "release",
    "remind",
    "use",
    "withdraw",
]
