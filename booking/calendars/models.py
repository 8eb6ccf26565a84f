"""Feeds by secret address, and the text of each event as last built."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.accounts.models import Organisation, User
from booking.calendars.rules import FeedKind
from booking.kernel import clock
from booking.kernel.db import Model, Word


class CalendarFeed(Model):
    """A secret address of a calendar; only its digest is kept. Revoked, never deleted."""

    __tablename__ = "calendar_feeds"
    __table_args__ = (CheckConstraint("(kind = 'user') = (organisation_id IS NULL)", name="owner"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[FeedKind] = mapped_column(Word(FeedKind))
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    user: Mapped[User] = relationship(lazy="raise")
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey(Organisation.id), index=True)
    organisation: Mapped[Organisation | None] = relationship(lazy="raise")
    name: Mapped[str] = mapped_column(default="")
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    revoked_at: Mapped[datetime | None]


class EventText(Model):
    """A VEVENT as built for one audience in one language, and what it was built from."""

    __tablename__ = "event_texts"

    # First in the key: numbers are compared faster than words.
    source_id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)  # reservation | closure
    audience: Mapped[str] = mapped_column(primary_key=True)  # public | customer | owner
    locale: Mapped[str] = mapped_column(primary_key=True)
    stamp: Mapped[str]  # versions of all that stands in it
    kept_until: Mapped[datetime]  # no window shows it any more
    text: Mapped[str]
