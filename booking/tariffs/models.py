"""Versions of an instrument's price for a customer class; published, never edited."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, composite, mapped_column

from booking.accounts.rules import CustomerClass
from booking.kernel import clock
from booking.kernel.db import Model, Word
from booking.kernel.money import Money
from booking.registry.models import Instrument
from booking.tariffs.rules import PriceFacts, share_due


class Price(Model):
    """The list price per hour for one class, and a published discount; replaced, never changed."""

    __tablename__ = "prices"
    __table_args__ = (
        CheckConstraint("per_hour_minor >= 0", name="per_hour"),
        CheckConstraint("discount_percent >= 0 AND discount_percent <= 100", name="discount"),
        Index(
            "uq_prices_current",
            "instrument_id",
            "customer_class",
            unique=True,
            postgresql_where=text("superseded_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey(Instrument.id), index=True)
    customer_class: Mapped[CustomerClass] = mapped_column(Word(CustomerClass))
    per_hour_minor: Mapped[int]
    per_hour_currency: Mapped[str] = mapped_column(default="CNY")
    per_hour: Mapped[Money] = composite(Money, "per_hour_minor", "per_hour_currency")
    discount_percent: Mapped[Decimal] = mapped_column(Numeric(5, 2), default=Decimal(0))
    discount_reason: Mapped[str] = mapped_column(default="")
    published_at: Mapped[datetime] = mapped_column(default=clock.now)
    superseded_at: Mapped[datetime | None]
    published_by: Mapped[int | None]

    @property
    def facts(self) -> PriceFacts:
        """Return what the rules need; whether it was ever paid in full is not looked up."""
        return PriceFacts(self.id, self.per_hour, self.discount_percent, self.published_at)

    @property
    def discounted_per_hour(self) -> Money:
        """Return what an hour costs after the published discount."""
        return self.per_hour.times(share_due(self.discount_percent))
