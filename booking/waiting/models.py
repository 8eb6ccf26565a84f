"""Places on the waiting list, and what is offered to them."""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from booking.accounts.models import Organisation, User
from booking.availability.models import Occupancy
from booking.kernel.db import Model, Versioned, Word
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument
from booking.reservations.models import Reservation
from booking.waiting.rules import Standing


class WaitingEntry(Versioned, Model):
    """A firm's person who wants so many minutes within a window, in order of the ids.

    While it holds an occupancy that time is offered; a closure that takes it back by that makes
    it wait again, in its place.
    """

    __tablename__ = "waiting_entries"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="forwards"),
        CheckConstraint("minutes BETWEEN 5 AND 20160 AND samples >= 1", name="minutes"),
        CheckConstraint("(ended_as IS NULL) = (ended_at IS NULL)", name="ended"),
        CheckConstraint(
            "(offered_at IS NULL) = (answer_by IS NULL) "
            "AND (offered_at IS NULL) = (offered_from IS NULL) "
            "AND (occupancy_id IS NULL OR (offered_at IS NOT NULL AND ended_at IS NULL))",
            name="offered",
        ),
        CheckConstraint(
            "coalesce(ended_as = 'accepted', false) = (reservation_id IS NOT NULL)",
            name="accepted",
        ),
        Index(
            "ix_waiting_entries_open",
            "instrument_id",
            "id",
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_waiting_entries_organisation", "organisation_id", "id"),
        Index("ix_waiting_entries_user", "user_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey(Instrument.id))
    instrument: Mapped[Instrument] = relationship(lazy="raise")
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    organisation: Mapped[Organisation] = relationship(lazy="raise")
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    user: Mapped[User] = relationship(lazy="raise")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    window: Mapped[TimeSlot] = composite(TimeSlot, "starts_at", "ends_at")
    minutes: Mapped[int]
    purpose: Mapped[str] = mapped_column(default="")
    is_assisted: Mapped[bool | None]
    samples: Mapped[int] = mapped_column(default=1)
    occupancy_id: Mapped[int | None] = mapped_column(
        ForeignKey(Occupancy.id, ondelete="SET NULL"), unique=True
    )
    offered_from: Mapped[datetime | None]
    offered_at: Mapped[datetime | None]
    answer_by: Mapped[datetime | None]
    ended_as: Mapped[Standing | None] = mapped_column(Word(Standing))
    ended_at: Mapped[datetime | None]
    reservation_id: Mapped[int | None] = mapped_column(ForeignKey(Reservation.id), unique=True)

    @property
    def standing(self) -> Standing:
        """Return how it stands with it."""
        if self.ended_as is not None:
            return self.ended_as
        return Standing.WAITING if self.occupancy_id is None else Standing.OFFERED

    @property
    def offered(self) -> TimeSlot | None:
        """Return the slot that is, or was last, offered."""
        if self.offered_from is None:
            return None
        return TimeSlot(self.offered_from, self.offered_from + timedelta(minutes=self.minutes))
