"""What stands beside a reservation: what became of its fee, faults, rules set aside."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.accounts.models import User
from booking.availability.models import Closure
from booking.kernel import clock
from booking.kernel.db import Model, Word
from booking.registry.models import Instrument
from booking.reservations.models.reservation import Reservation


class FeeEnd(StrEnum):
    """How a fee for cancelling late or not coming ended at the institution's finance."""

    PAID = "paid"
    ON_ACCOUNT = "on_account"
    WAIVED = "waived"


class FeeSettlement(Model):
    """What finance recorded of the fee of a reservation that came to nothing; once, never again.

    The reservation stays what it is, cancelled or missed: nothing was used, so nothing is saved.
    """

    __tablename__ = "fee_settlements"
    __table_args__ = (
        CheckConstraint(
            "CASE WHEN settlement = 'waived' THEN reason <> '' ELSE reference <> '' END",
            name="why",
        ),
    )

    reservation_id: Mapped[int] = mapped_column(
        ForeignKey(Reservation.id), primary_key=True, autoincrement=False
    )
    settlement: Mapped[FeeEnd] = mapped_column(Word(FeeEnd))
    settled_on: Mapped[date] = mapped_column(Date)
    reference: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime] = mapped_column(default=clock.now)
    settled_by: Mapped[int | None]


class Fault(Model):
    """What somebody found broken during a use; open until the owner's people answer it."""

    __tablename__ = "faults"
    __table_args__ = (
        CheckConstraint("closure_id IS NULL OR answered_at IS NOT NULL", name="answered"),
        Index("ix_faults_open", "instrument_id", postgresql_where=text("answered_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey(Instrument.id))
    unit: Mapped[int]
    reservation_id: Mapped[int] = mapped_column(ForeignKey(Reservation.id))
    reservation: Mapped[Reservation] = relationship(lazy="raise")
    reported_at: Mapped[datetime] = mapped_column(default=clock.now)
    reported_by: Mapped[int | None]
    what: Mapped[str]
    stopped_use: Mapped[bool]
    # The closure it led to; none if nothing was wrong, or it could be mended at once.
    closure_id: Mapped[int | None] = mapped_column(ForeignKey(Closure.id))
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None]
    answer: Mapped[str] = mapped_column(default="")


class Override(Model):
    """Rules that somebody who manages the instrument set aside for a reservation, and why."""

    __tablename__ = "overrides"

    id: Mapped[int] = mapped_column(primary_key=True)
    reservation_id: Mapped[int] = mapped_column(ForeignKey(Reservation.id), index=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    user: Mapped[User] = relationship(lazy="raise")
    reason: Mapped[str]
    rules: Mapped[list[Any]]  # each with its rule and what was said of it
