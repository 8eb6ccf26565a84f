"""Reads for stored files, and what refers to them."""

from sqlalchemy import Column, ColumnElement, Select, exists, false, or_, select

from booking.files.models import StoredFile
from booking.kernel.db import Model


def referring() -> list[Column[str]]:
    """Return every column of any table that keeps a stored file by foreign key."""
    return [
        key.parent
        for table in Model.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column is StoredFile.__table__.c.sha256
    ]


def is_used() -> ColumnElement[bool]:
    """Return the condition that something refers to the file."""
    return or_(false(), *(exists().where(column == StoredFile.sha256) for column in referring()))


def used() -> Select[StoredFile]:
    """Return the files that something refers to."""
    return select(StoredFile).where(is_used()).order_by(StoredFile.sha256)
