"""What hangs on an instrument: a stored file with its name, its words and its place."""

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.attachments.rules import AttachmentKind
from booking.files.models import StoredFile
from booking.kernel.db import Model, Versioned, Word
from booking.registry.models import Instrument


class Attachment(Versioned, Model):
    """A photo or document of an instrument; whoever sees the instrument sees it."""

    __tablename__ = "attachments"
    __table_args__ = (
        UniqueConstraint("instrument_id", "kind", "file_sha256", name="uq_attachments_content"),
        CheckConstraint("(kind = 'photo') = (small_sha256 IS NOT NULL)", name="small"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey(Instrument.id))
    kind: Mapped[AttachmentKind] = mapped_column(Word(AttachmentKind))
    place: Mapped[int]  # among those of its kind, the first being 1
    name: Mapped[str]  # of the download
    caption: Mapped[str] = mapped_column(default="")
    file_sha256: Mapped[str] = mapped_column(ForeignKey(StoredFile.sha256), index=True)
    small_sha256: Mapped[str | None] = mapped_column(ForeignKey(StoredFile.sha256), index=True)
    uploaded_by: Mapped[int | None]  # user
    file: Mapped[StoredFile] = relationship(lazy="raise", foreign_keys=file_sha256)
    small: Mapped[StoredFile | None] = relationship(lazy="raise", foreign_keys=small_sha256)
    instrument: Mapped[Instrument] = relationship(lazy="raise")
