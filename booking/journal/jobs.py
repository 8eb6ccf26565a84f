"""What the timetable runs for the journal."""

import time

from sqlalchemy.exc import OperationalError

from booking.journal import queries, service
from booking.kernel.db import transaction

BREACHES_NAMED = 5
TRIES = 20
PAUSE_SECONDS = 1.0
LOCK_NOT_AVAILABLE = "55P03"


class JournalBroken(Exception):
    """Entries or seals were altered; nobody may overlook that."""


def seal() -> str:
    """Seal the entries of the day; says how many, and the digest, which logs then keep too."""
    up_to = _settled_end()
    with transaction():
        link = service.seal(up_to)
    if link is None:
        return "没有需要封存的日志"
    return f"封存日志 {link.entry_count} 条，摘要 {link.digest.hex()}"


def check() -> str:
    """Compute the whole chain of seals again; raises JournalBroken with what does not fit."""
    if found := list(queries.breaches()):
        raise JournalBroken("；".join(found[:BREACHES_NAMED]))
    sealed, waiting = queries.count_sealed(), queries.count_unsealed()
    return f"核对封存的日志 {sealed} 条，全部相符；尚未封存 {waiting} 条"


def _settled_end(tries: int = TRIES) -> int:
    """Wait for a moment without writers: short tries, so that nobody queues behind us for long."""
    try:
        with transaction():
            return service.settled_end()
    except OperationalError as exc:
        if tries == 1 or getattr(exc.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
    time.sleep(PAUSE_SECONDS)
    return _settled_end(tries - 1)
