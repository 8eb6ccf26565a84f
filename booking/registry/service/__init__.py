"""Use cases of the registry."""

from booking.registry.service.indexing import index_instrument, indexed, reindex
from booking.registry.service.instruments import (
    create_instrument,
    publish,
    update_instrument,
    withdraw,
)

__all__ = [
    "create_instrument",
    "index_instrument",
    "indexed",
    "publish",
    "reindex",
    "update_instrument",
    "withdraw",
]
