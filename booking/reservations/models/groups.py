"""What was reserved together: several at one confirmation, or a series."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from booking.accounts.models import Organisation, User
from booking.kernel import clock
from booking.kernel.db import Model, Word


class GroupKind(StrEnum):
    """Why reservations were made together."""

    BUNDLE = "bundle"
    SERIES = "series"


class ReservationGroup(Model):
    """Reservations that were made at one confirmation, all or none; a series keeps its rule."""

    __tablename__ = "reservation_groups"
    __table_args__ = (
        CheckConstraint("size BETWEEN 1 AND 60", name="size"),
        CheckConstraint(
            "(kind = 'series') = (rule IS NOT NULL) AND (rule IS NULL) = (time_zone IS NULL)",
            name="rule",
        ),
        UniqueConstraint("id", "organisation_id", name="uq_reservation_groups_whose"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[GroupKind] = mapped_column(Word(GroupKind))
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    size: Mapped[int]  # how many were made
    rule: Mapped[str | None]  # RFC 5545, as it was confirmed
    time_zone: Mapped[str | None]  # on whose wall it was meant
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def number(self) -> str:
        """Return the number people use, e.g. G-000012."""
        return f"G-{self.id:06d}"
