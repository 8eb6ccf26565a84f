"""Published packages, bought balances and their ledger; guarded by the database."""

from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.accounts.models import Organisation
from booking.accounts.rules import CustomerClass
from booking.kernel import clock
from booking.kernel.db import Model, Word
from booking.kernel.money import Money
from booking.packages.rules import HOUR, EntryKind, Prepaid, Reach

ONE_REFERENCE = "uq_prepaid_balances_reference"


class HourPackage(Model):
    """A version of a package: hours, their price and how long they hold.

    Never changed, only withdrawn; the database refuses it. A new version `replaces` it.
    """

    __tablename__ = "hour_packages"
    __table_args__ = (
        CheckConstraint("hours BETWEEN 1 AND 10000", name="hours"),
        CheckConstraint("price_minor > 0 AND price_minor % hours = 0", name="price"),
        CheckConstraint("valid_months BETWEEN 1 AND 60", name="months"),
        CheckConstraint("customer_class <> 'internal'", name="customer"),
        CheckConstraint("cardinality(instrument_ids) = 0 OR category_code = ''", name="reach"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawn"),
        Index("ix_hour_packages_institution", "institution_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    name: Mapped[str]
    customer_class: Mapped[CustomerClass] = mapped_column(Word(CustomerClass))
    # Of its institution's instruments these, else those of a category; all if neither is given.
    instrument_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    category_code: Mapped[str]
    hours: Mapped[int]
    price_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(default="CNY")
    valid_months: Mapped[int]
    conditions: Mapped[str]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("hour_packages.id"))
    published_at: Mapped[datetime] = mapped_column(default=clock.now)
    published_by: Mapped[int]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None]

    @property
    def price(self) -> Money:
        """Return what the whole package costs."""
        return Money(self.price_minor, self.currency)

    @property
    def per_hour(self) -> Money:
        """Return what an hour of it costs: whole 分, the table's CHECK says so."""
        return Money(self.price_minor // self.hours, self.currency)

    @property
    def reach(self) -> Reach:
        """Return for which instruments it is."""
        return Reach(tuple(self.instrument_ids), self.category_code)


class PrepaidBalance(Model):
    """A package that a firm paid for: how much of it is left, and until when it holds.

    `left_minutes` follows from the entries: the database adds them up and lets it never be
    negative.
    """

    __tablename__ = "prepaid_balances"
    __table_args__ = (
        CheckConstraint("left_minutes >= 0", name="left"),
        CheckConstraint("minutes > 0", name="minutes"),
        CheckConstraint("valid_until > paid_on", name="valid"),
        Index("uq_prepaid_balances_reference", "institution_id", "reference", unique=True),
        Index("ix_prepaid_balances_organisation", "organisation_id", "id"),
        Index(
            "ix_prepaid_balances_ending",
            "valid_until",
            postgresql_where=text("left_minutes > 0"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    package_id: Mapped[int] = mapped_column(ForeignKey(HourPackage.id), index=True)
    package: Mapped[HourPackage] = relationship(lazy="raise")
    institution_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    institution: Mapped[Organisation] = relationship(
        lazy="raise", foreign_keys="PrepaidBalance.institution_id"
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    organisation: Mapped[Organisation] = relationship(
        lazy="raise", foreign_keys="PrepaidBalance.organisation_id"
    )
    minutes: Mapped[int]
    left_minutes: Mapped[int] = mapped_column(default=0)
    paid_on: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)
    reference: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(default=clock.now)
    recorded_by: Mapped[int]

    @property
    def number(self) -> str:
        """Return the number people use, e.g. YF-000012."""
        return f"YF-{self.id:06d}"

    @property
    def per_hour(self) -> Money:
        """Return what an hour of it was bought for."""
        return self.package.per_hour

    @property
    def price(self) -> Money:
        """Return what was paid for it."""
        return self.package.price

    @property
    def hours(self) -> int:
        """Return how many hours were bought."""
        return self.minutes // HOUR

    def has_ended(self, today: date) -> bool:
        """Tell whether its hours can no longer be booked with."""
        return self.valid_until < today

    def prepaid(self, also_minutes: int = 0) -> Prepaid:
        """Return it as a booking needs it; `also_minutes` are held by the booking itself."""
        return Prepaid(
            self.id,
            self.number,
            self.package.name,
            self.per_hour,
            self.left_minutes + also_minutes,
            self.valid_until,
            self.package.reach,
        )


class PrepaidEntry(Model):
    """Minutes that came to a balance or left it; only ever added."""

    __tablename__ = "prepaid_entries"
    __table_args__ = (
        CheckConstraint(
            "CASE WHEN kind IN ('held', 'used', 'expired') THEN minutes < 0 "
            "WHEN kind IN ('bought', 'released') THEN minutes > 0 ELSE minutes <> 0 END",
            name="sign",
        ),
        CheckConstraint(
            "(kind IN ('held', 'released', 'used')) = (reservation_id IS NOT NULL)",
            name="reservation",
        ),
        CheckConstraint("kind <> 'corrected' OR reason <> ''", name="reason"),
        Index("ix_prepaid_entries_balance", "balance_id", "id"),
        Index("ix_prepaid_entries_reservation", "reservation_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    balance_id: Mapped[int] = mapped_column(ForeignKey(PrepaidBalance.id))
    kind: Mapped[EntryKind] = mapped_column(Word(EntryKind))
    minutes: Mapped[int]  # signed
    # Reservations are built on packages, not the other way round; `booking verify` compares them.
    reservation_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by: Mapped[int | None]

    @property
    def reservation_number(self) -> str:
        """Return the number of the reservation it is for, if any."""
        return f"R-{self.reservation_id:06d}" if self.reservation_id else ""
