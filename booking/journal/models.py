"""Journal entries, which a trigger protects, and the seals that chain them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from booking.kernel import clock
from booking.kernel.db import Model


class JournalEntry(Model):
    """One change: who, what, on which thing, with old and new values. Never altered."""

    __tablename__ = "journal_entries"
    __table_args__ = (
        Index("ix_journal_entries_subject", "subject_type", "subject_id"),
        Index("ix_journal_entries_actor", "actor_id", "id"),
        Index("ix_journal_entries_action", "action", "id"),
        # Entries come in the order of time: a few pages say where a day begins.
        Index("ix_journal_entries_at", "at", postgresql_using="brin"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    actor_id: Mapped[int | None]
    organisation_id: Mapped[int | None]
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[int]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class JournalSeal(Model):
    """A link of the chain: all entries with first_id <= id <= last_id, and the seal before it."""

    __tablename__ = "journal_seals"

    id: Mapped[int] = mapped_column(primary_key=True)
    sealed_on: Mapped[date] = mapped_column(Date, unique=True)
    first_id: Mapped[int] = mapped_column(unique=True)
    last_id: Mapped[int]
    entry_count: Mapped[int]
    previous_digest: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[datetime] = mapped_column(default=clock.now)
