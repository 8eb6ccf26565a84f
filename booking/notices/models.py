"""The outbox, what each person gets of it, and what they do not want by mail."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.kernel import clock
from booking.kernel.db import Model, Word
from booking.notices.rules import Kind, MailState, Side, State


class Notice(Model):
    """Something to tell, as it stood when it happened; written in the transaction it tells of."""

    __tablename__ = "notices"
    __table_args__ = (
        # Few rows wait, many are kept.
        Index("ix_notices_waiting", "due_at", "id", postgresql_where=text("state = 'waiting'")),
        Index("uq_notices_key", "key", unique=True, postgresql_where=text("key IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Kind] = mapped_column(Word(Kind))
    subject_type: Mapped[str]
    subject_id: Mapped[int]
    key: Mapped[str | None]  # what may be told only once
    audience: Mapped[list[Any]]
    facts: Mapped[dict[str, Any]]
    state: Mapped[State] = mapped_column(Word(State), default=State.WAITING)
    posted_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")


class Message(Model):
    """A notice for one person: an entry of their inbox, and a mail unless they want none."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("notice_id", "user_id"),
        CheckConstraint("mail <> 'waiting' OR email IS NOT NULL", name="address"),
        CheckConstraint("(mail = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        Index("ix_messages_inbox", "user_id", "id", postgresql_where=text("is_listed")),
        Index(
            "ix_messages_unread",
            "user_id",
            postgresql_where=text("is_listed AND read_at IS NULL"),
        ),
        Index("ix_messages_waiting", "due_at", "id", postgresql_where=text("mail = 'waiting'")),
        Index("ix_messages_dead", "id", postgresql_where=text("mail = 'dead'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey(Notice.id, ondelete="CASCADE"))
    notice: Mapped[Notice] = relationship(lazy="raise")
    user_id: Mapped[int]
    side: Mapped[Side] = mapped_column(Word(Side))
    name: Mapped[str]
    email: Mapped[str | None]
    locale: Mapped[str]
    is_listed: Mapped[bool] = mapped_column(default=True)
    read_at: Mapped[datetime | None]
    mail: Mapped[MailState] = mapped_column(Word(MailState))
    due_at: Mapped[datetime]  # of the mail; while somebody sends it, when others may try
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class NoticeSetting(Model):
    """The kinds of notice a person does not want by mail; their inbox has them all the same."""

    __tablename__ = "notice_settings"

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    muted: Mapped[list[str]] = mapped_column(ARRAY(String))
