"""Lines of savings; the database refuses to alter or remove them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.accounts.models import Organisation, User
from booking.accounts.rules import CustomerClass, SizeClass
from booking.kernel import clock
from booking.kernel.db import Model, Word
from booking.kernel.money import Money
from booking.registry.models import Instrument
from booking.savings.rules import METHOD, Amounts, NotCounted, Reason, Service, Unit


class SavingsLine(Model):
    """What one settled service saved its customer, or a signed correction of such a line.

    baseline = cash + relief + subsidy (domain §4.2), all in 分.
    """

    __tablename__ = "savings_lines"
    __table_args__ = (
        CheckConstraint(
            "baseline_minor IS NULL OR baseline_minor = cash_minor + relief_minor + subsidy_minor",
            name="identity",
        ),
        CheckConstraint("price_minor = cash_minor + subsidy_minor", name="paid"),
        CheckConstraint(
            "(baseline_minor IS NULL) = (not_counted IS NOT NULL) "
            "AND (baseline_minor IS NULL) = (baseline_rank IS NULL) "
            "AND (baseline_minor IS NOT NULL OR relief_minor = 0)",
            name="counted",
        ),
        CheckConstraint("(corrects_id IS NULL) = (reason IS NULL)", name="correction"),
        CheckConstraint(
            "corrects_id IS NOT NULL "
            "OR (quantity >= 0 AND price_minor >= 0 AND subsidy_minor >= 0)",
            name="signs",
        ),
        Index(
            "uq_savings_lines_subject",
            "subject_type",
            "subject_id",
            unique=True,
            postgresql_where=text("corrects_id IS NULL"),
        ),
        Index("ix_savings_lines_organisation", "organisation_id", "counted_on"),
        Index("ix_savings_lines_institution", "institution_id", "counted_on"),
        Index(
            "ix_savings_lines_corrects",
            "corrects_id",
            postgresql_where=text("corrects_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[Service] = mapped_column(Word(Service))
    subject_type: Mapped[str]
    subject_id: Mapped[int]
    number: Mapped[str]  # of the reservation or order, as people know it
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    organisation: Mapped[Organisation] = relationship(
        lazy="raise", foreign_keys="SavingsLine.organisation_id"
    )
    institution_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    institution: Mapped[Organisation] = relationship(
        lazy="raise", foreign_keys="SavingsLine.institution_id"
    )
    instrument_id: Mapped[int | None] = mapped_column(ForeignKey(Instrument.id))
    instrument: Mapped[Instrument | None] = relationship(lazy="raise")
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    customer_class: Mapped[CustomerClass] = mapped_column(Word(CustomerClass))
    # What the enterprise had declared by then; None: nothing, or written before it was kept.
    size_class: Mapped[SizeClass | None] = mapped_column(Word(SizeClass))
    quantity: Mapped[int]
    unit: Mapped[Unit] = mapped_column(Word(Unit))
    currency: Mapped[str] = mapped_column(default="CNY")
    baseline_minor: Mapped[int | None]
    baseline_rank: Mapped[int | None]
    price_minor: Mapped[int]
    cash_minor: Mapped[int]
    relief_minor: Mapped[int]
    subsidy_minor: Mapped[int] = mapped_column(default=0)
    not_counted: Mapped[NotCounted | None] = mapped_column(Word(NotCounted))
    counted_on: Mapped[date] = mapped_column(Date)  # completion, or when a subsidy moved
    settled_on: Mapped[date] = mapped_column(Date)
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("savings_lines.id"))
    reason: Mapped[Reason | None] = mapped_column(Word(Reason))
    note: Mapped[str] = mapped_column(default="")
    method: Mapped[str] = mapped_column(default=METHOD)
    evidence: Mapped[dict[str, Any]]
    written_at: Mapped[datetime] = mapped_column(default=clock.now)
    written_by: Mapped[int | None]

    @property
    def amounts(self) -> Amounts:
        """Return Q, B, P and S."""
        return Amounts(self.quantity, self.baseline_minor, self.price_minor, self.subsidy_minor)

    @property
    def baseline(self) -> Money | None:
        """Return what it is compared with, or None."""
        return None if self.baseline_minor is None else Money(self.baseline_minor, self.currency)

    @property
    def price(self) -> Money:
        """Return what was agreed and due before subsidies, net of refunds."""
        return Money(self.price_minor, self.currency)

    @property
    def cash(self) -> Money:
        """Return what the enterprise pays itself."""
        return Money(self.cash_minor, self.currency)

    @property
    def relief(self) -> Money:
        """Return baseline minus price."""
        return Money(self.relief_minor, self.currency)

    @property
    def subsidy(self) -> Money:
        """Return what somebody else really paid for the enterprise."""
        return Money(self.subsidy_minor, self.currency)

    @property
    def saved(self) -> Money:
        """Return relief plus subsidy; nothing without a baseline."""
        return Money(self.amounts.saved, self.currency)
