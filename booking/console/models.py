"""What waits in the console: files to be imported, instruments somebody is still writing up."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from booking.accounts.models import Organisation, User
from booking.kernel import clock
from booking.kernel.db import Model, Word


class ImportState(StrEnum):
    """How far it is; the first and third are the worker's to move on."""

    TO_CHECK = "to_check"
    CHECKED = "checked"
    TO_IMPORT = "to_import"
    DONE = "done"


class InstrumentImport(Model):
    """A table somebody uploaded, what its columns mean, and what came of it."""

    __tablename__ = "instrument_imports"
    __table_args__ = (
        Index(
            "ix_instrument_imports_waiting",
            "id",
            postgresql_where=text("state IN ('to_check', 'to_import')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id), index=True)
    created_by: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    name: Mapped[str]
    encoding: Mapped[str]
    # As CSV; emptied once it is done, or after a week.
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    header: Mapped[list[Any]]
    format_key: Mapped[str]
    chosen: Mapped[list[Any]]  # the field of ours behind each heading, or null
    rows: Mapped[int]
    seen: Mapped[int] = mapped_column(default=0)  # rows looked at so far
    state: Mapped[ImportState] = mapped_column(Word(ImportState), default=ImportState.TO_CHECK)
    claimed_until: Mapped[datetime | None]
    report: Mapped[dict[str, Any] | None]
    findings: Mapped[list[Any]] = mapped_column(default=list, deferred=True)
    finished_at: Mapped[datetime | None]

    @property
    def is_waiting(self) -> bool:
        """Tell whether the worker has it."""
        return self.state in {ImportState.TO_CHECK, ImportState.TO_IMPORT}

    @property
    def can_be_imported(self) -> bool:
        """Tell whether it was looked at and nothing speaks against it."""
        report = self.report or {}
        is_sound = not report.get("errors") and not report.get("refused")
        return self.state is ImportState.CHECKED and bool(report) and is_sound


class InstrumentDraft(Model):
    """An instrument as somebody has typed it so far; nobody else sees it, nothing is checked."""

    __tablename__ = "instrument_drafts"

    id: Mapped[int] = mapped_column(primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    created_by: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    saved_at: Mapped[datetime] = mapped_column(default=clock.now)
    typed: Mapped[dict[str, Any]] = mapped_column(default=dict)  # lists of texts by field
    was_tried: Mapped[bool] = mapped_column(default=False)  # since then errors are shown
