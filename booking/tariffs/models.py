"""Versions of an instrument's price for a customer class; published, never edited."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, column, func, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, composite, mapped_column

from booking.accounts.rules import CustomerClass
from booking.kernel import clock
from booking.kernel.db import Model, Word
from booking.kernel.money import Money
from booking.registry.models import Instrument
from booking.tariffs.rules import PriceFacts, Terms, share_due


def _when_published(context: DefaultExecutionContext) -> datetime:
    given = context.get_current_parameters()  # type: ignore[no-untyped-call]
    moment: datetime = given["published_at"]
    return moment


class Price(Model):
    """The list price for one class, how it is charged, and a published discount.

    Holds from `effective_from` until `superseded_at`. Replaced, never changed: the database
    refuses it (docs/decisions/0024).
    """

    __tablename__ = "prices"
    __table_args__ = (
        CheckConstraint("per_hour_minor >= 0", name="per_hour"),
        CheckConstraint("discount_percent >= 0 AND discount_percent <= 100", name="discount"),
        CheckConstraint("superseded_at >= effective_from", name="period"),
        CheckConstraint("effective_from >= published_at", name="announced"),
        ExcludeConstraint(
            (text("int8range(instrument_id, instrument_id, '[]')"), "="),
            (text("int4range(hashtext(customer_class), hashtext(customer_class), '[]')"), "="),
            (func.tstzrange(column("effective_from"), column("superseded_at")), "&&"),
            name="ex_prices_no_overlap",
            using="gist",
        ),
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
    # Of a unit other than an hour: what an hour comes to, by which lists are ordered.
    per_hour_minor: Mapped[int]
    per_hour_currency: Mapped[str] = mapped_column(default="CNY")
    per_hour: Mapped[Money] = composite(Money, "per_hour_minor", "per_hour_currency")
    discount_percent: Mapped[Decimal] = mapped_column(Numeric(5, 2), default=Decimal(0))
    discount_reason: Mapped[str] = mapped_column(default="")
    kept_terms: Mapped[dict[str, Any]] = mapped_column("terms", default=dict, server_default="{}")
    published_at: Mapped[datetime] = mapped_column(default=clock.now)
    effective_from: Mapped[datetime] = mapped_column(
        default=_when_published, server_default=text("now()")
    )
    superseded_at: Mapped[datetime | None]
    published_by: Mapped[int | None]

    @property
    def terms(self) -> Terms:
        """Return how it is charged."""
        return Terms.of(self.kept_terms)

    @property
    def facts(self) -> PriceFacts:
        """Return what the rules need; whether it was ever paid in full is not looked up."""
        return PriceFacts(
            self.id, self.per_hour, self.discount_percent, self.published_at, terms=self.terms
        )

    @property
    def unit_price(self) -> Money:
        """Return the list price of a unit."""
        return self.facts.unit_price

    @property
    def discounted_unit_price(self) -> Money:
        """Return what a unit costs after the published discount."""
        return self.facts.discounted_unit_price

    @property
    def discounted_per_hour(self) -> Money:
        """Return what an hour costs, or comes to, after the published discount."""
        return self.per_hour.times(share_due(self.discount_percent))

    def holds_at(self, moment: datetime) -> bool:
        """Tell whether it is the price of that moment."""
        ends = self.superseded_at
        return self.effective_from <= moment and (ends is None or ends > moment)

    @property
    def was_withdrawn(self) -> bool:
        """Tell whether it was announced and taken back before it ever held."""
        return self.superseded_at == self.effective_from

    @property
    def minimum(self) -> Money | None:
        """Return the least that is charged for a use, if anything."""
        return self._amount(self.terms.minimum_minor)

    @property
    def startup(self) -> Money | None:
        """Return the fee for starting it up, if any."""
        return self._amount(self.terms.startup_minor)

    @property
    def operator_per_hour(self) -> Money | None:
        """Return what an hour of an operator's help costs, if anything."""
        return self._amount(self.terms.operator_minor)

    @property
    def deposit(self) -> Money | None:
        """Return what is to be left with the institution, if anything."""
        return self._amount(self.terms.deposit_minor)

    def _amount(self, minor: int) -> Money | None:
        return Money(minor, self.per_hour_currency) if minor else None
