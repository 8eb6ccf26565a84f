"""Authorisations to operate, requests for them, and the training that leads there."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from booking.accounts.models import Organisation, User
from booking.authorisations.rules import Result, Standing
from booking.files.models import StoredFile
from booking.kernel import clock
from booking.kernel.db import Model, Versioned, Word
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument


class TrainingSession(Versioned, Model):
    """A training with its assessment, for some of an institution's instruments."""

    __tablename__ = "training_sessions"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="forwards"),
        CheckConstraint("seats BETWEEN 1 AND 200", name="seats"),
        CheckConstraint("cardinality(instrument_ids) BETWEEN 1 AND 50", name="instruments"),
        Index("ix_training_sessions_institution", "institution_id", "starts_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    institution: Mapped[Organisation] = relationship(lazy="raise")
    instrument_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    slot: Mapped[TimeSlot] = composite(TimeSlot, "starts_at", "ends_at")
    location: Mapped[str]
    seats: Mapped[int]
    note: Mapped[str] = mapped_column(default="")
    created_by: Mapped[int]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str] = mapped_column(default="")


class TrainingSeat(Versioned, Model):
    """A person's seat in a session, and what the assessment found."""

    __tablename__ = "training_seats"
    __table_args__ = (
        Index(
            "uq_training_seats_held",
            "session_id",
            "user_id",
            unique=True,
            postgresql_where=text("given_up_at IS NULL"),
        ),
        Index("ix_training_seats_user", "user_id"),
        CheckConstraint("(result IS NULL) = (assessed_at IS NULL)", name="assessed"),
        CheckConstraint("result IS NULL OR given_up_at IS NULL", name="attended"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey(TrainingSession.id))
    session: Mapped[TrainingSession] = relationship(lazy="raise")
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    user: Mapped[User] = relationship(lazy="raise")
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    organisation: Mapped[Organisation] = relationship(lazy="raise")
    given_up_at: Mapped[datetime | None]
    result: Mapped[Result | None] = mapped_column(Word(Result))
    result_note: Mapped[str] = mapped_column(default="")
    assessed_at: Mapped[datetime | None]
    assessed_by: Mapped[int | None]


class Authorisation(Versioned, Model):
    """A person may operate an instrument, or all of a category, by themselves; never deleted.

    Begins as a request, or is granted outright. A renewal is a new one.
    """

    __tablename__ = "authorisations"
    __table_args__ = (
        CheckConstraint("(instrument_id IS NULL) <> (category_code IS NULL)", name="what"),
        CheckConstraint(
            "(granted_at IS NULL) = (valid_from IS NULL) "
            "AND (granted_at IS NULL) = (valid_until IS NULL) "
            "AND (granted_at IS NULL) = (granted_by IS NULL) AND valid_until >= valid_from",
            name="granted",
        ),
        CheckConstraint("granted_at IS NULL OR refused_at IS NULL", name="decided"),
        CheckConstraint("suspended_at IS NULL OR granted_at IS NOT NULL", name="suspended"),
        CheckConstraint("(file_sha256 IS NULL) = (file_name = '')", name="file"),
        Index(
            "uq_authorisations_open",
            "user_id",
            "instrument_id",
            unique=True,
            postgresql_where=text(
                "granted_at IS NULL AND refused_at IS NULL AND withdrawn_at IS NULL "
                "AND instrument_id IS NOT NULL"
            ),
        ),
        Index(
            "ix_authorisations_held",
            "user_id",
            "institution_id",
            postgresql_where=text("granted_at IS NOT NULL AND suspended_at IS NULL"),
        ),
        Index("ix_authorisations_institution", "institution_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    institution: Mapped[Organisation] = relationship(lazy="raise", foreign_keys=[institution_id])
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    user: Mapped[User] = relationship(lazy="raise")
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    organisation: Mapped[Organisation] = relationship(lazy="raise", foreign_keys=[organisation_id])
    instrument_id: Mapped[int | None] = mapped_column(ForeignKey(Instrument.id))
    instrument: Mapped[Instrument | None] = relationship(lazy="raise")
    category_code: Mapped[str | None]  # the beginning of a code; empty: all of the institution's
    note: Mapped[str] = mapped_column(default="")  # what the person said
    file_sha256: Mapped[str | None] = mapped_column(ForeignKey(StoredFile.sha256), index=True)
    file_name: Mapped[str] = mapped_column(default="")
    file: Mapped[StoredFile | None] = relationship(lazy="raise")
    session_id: Mapped[int | None] = mapped_column(ForeignKey(TrainingSession.id))
    session: Mapped[TrainingSession | None] = relationship(lazy="raise")
    granted_at: Mapped[datetime | None]
    granted_by: Mapped[int | None]
    grounds: Mapped[str] = mapped_column(default="")
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    refused_at: Mapped[datetime | None]
    refused_by: Mapped[int | None]
    suspended_at: Mapped[datetime | None]
    suspended_by: Mapped[int | None]
    reason: Mapped[str] = mapped_column(default="")  # of the refusal or suspension
    withdrawn_at: Mapped[datetime | None]

    @property
    def standing(self) -> Standing:
        """Return what became of it, today."""
        if self.withdrawn_at is not None:
            return Standing.WITHDRAWN
        if self.refused_at is not None:
            return Standing.REFUSED
        if self.suspended_at is not None:
            return Standing.SUSPENDED
        if self.valid_until is not None:
            return Standing.GRANTED if clock.today() <= self.valid_until else Standing.EXPIRED
        return Standing.REQUESTED if self.session_id is None else Standing.SCHEDULED

    @property
    def is_open(self) -> bool:
        """Tell whether it waits for the institution."""
        return self.standing in {Standing.REQUESTED, Standing.SCHEDULED}
