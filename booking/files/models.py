"""What is stored, by its hash; whatever points to a row keeps it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from booking.files.rules import MediaType
from booking.kernel import clock
from booking.kernel.db import Model, Word


class StoredFile(Model):
    """One content, however often it was uploaded.

    Other tables refer to it by foreign key; one that nothing refers to is marked by the sweep
    with `unused_since`, and goes a day later.
    """

    __tablename__ = "stored_files"
    __table_args__ = (
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        CheckConstraint("size > 0", name="size"),
        Index(
            "ix_stored_files_unused",
            "unused_since",
            postgresql_where=text("unused_since IS NOT NULL"),
        ),
    )

    sha256: Mapped[str] = mapped_column(String, primary_key=True)
    size: Mapped[int]
    media_type: Mapped[MediaType] = mapped_column(Word(MediaType))
    width: Mapped[int | None]
    height: Mapped[int | None]
    stored_at: Mapped[datetime] = mapped_column(default=clock.now)
    unused_since: Mapped[datetime | None]
