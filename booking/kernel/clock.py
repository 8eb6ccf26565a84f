"""The only reader of the wall clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """Return the current instant, aware, in UTC."""
    return wall()


def wall() -> datetime:
    """Read the clock. Tests replace this one, so that whoever already holds `now` follows too."""
    return _pretended.get() or datetime.now(UTC)  # noqa: TID251 - the one place


@contextmanager
def pretend(at: datetime) -> Iterator[None]:
    """Let this thread believe it is `at`: how demo data get a past. For nothing else."""
    token = _pretended.set(at)
    try:
        yield
    finally:
        _pretended.reset(token)


_pretended: ContextVar[datetime | None] = ContextVar("pretended", default=None)


def today() -> date:
    """Return today's date in Chinese civil time, which dates in forms and certificates mean."""
    return now().astimezone(CHINA).date()
