"""Use cases of the registry."""

from booking.registry.service.exporting import export_instruments
from booking.registry.service.importing import Report, import_instruments
from booking.registry.service.indexing import index_instrument, indexed, reindex
from booking.registry.service.instruments import (
    create_instrument,
    publish,
    update_instrument,
    withdraw,
)

__all__ = [
    "Report",
    "create_instrument",
    "export_instruments",
    "import_instruments",
    "index_instrument",
    "indexed",
    "publish",
    "reindex",
    "update_instrument",
    "withdraw",
]
