"""A journal of one's own: empty, with its guards standing, gone after the test."""

import pytest
from sqlalchemy import text

from booking.journal import service
from booking.kernel.db import db


def forget_everything() -> None:
    """Empty journal and seals; only an owner of the tables can, and only without the guards."""
    for table in ("journal_entries", "journal_seals"):
        db.session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        db.session.execute(text(f"TRUNCATE {table} RESTART IDENTITY"))
        db.session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


def write(count: int = 1) -> None:
    """Add entries."""
    for number in range(count):
        service.record("thing.changed", "thing", number + 1, by=7, old={"n": 0}, new={"n": number})
    db.session.flush()


@pytest.fixture
def journal(session):
    """The session, with an empty journal."""
    forget_everything()
    return session
