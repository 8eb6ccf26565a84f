"""Groups of related organisations (关联单位), each member dated; ended, never deleted."""

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.accounts.models import Organisation, User
from booking.kernel.db import Model, Versioned


class RelatedGroup(Versioned, Model):
    """Organisations between which no saving counts, and by which document that is known.

    Declared by the platform (`organisation_id` NULL) or by one of them about itself.
    """

    __tablename__ = "related_groups"
    __table_args__ = (Index("ix_related_groups_organisation", "organisation_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    source: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey(Organisation.id))
    declared_by: Mapped[int] = mapped_column(ForeignKey(User.id))
    members: Mapped[list["RelatedMember"]] = relationship(
        lazy="raise", order_by="RelatedMember.id", back_populates="group"
    )

    def is_in_force(self, day: date) -> bool:
        """Tell whether at least two belong to it on a day."""
        return len([each for each in self.members if each.belongs_on(day)]) > 1


class RelatedMember(Model):
    """An organisation in a group, by its credit code: it need not be on the platform (yet)."""

    __tablename__ = "related_members"
    __table_args__ = (
        CheckConstraint("uscc ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'", name="uscc"),
        CheckConstraint("until >= since", name="forwards"),
        UniqueConstraint("group_id", "uscc"),
        Index("ix_related_members_uscc", "uscc"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey(RelatedGroup.id))
    group: Mapped[RelatedGroup] = relationship(lazy="raise", back_populates="members")
    uscc: Mapped[str]
    name: Mapped[str]
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)  # the last day; None: still

    def belongs_on(self, day: date) -> bool:
        """Tell whether it belongs to the group on a day."""
        return self.since <= day and (self.until is None or day <= self.until)
