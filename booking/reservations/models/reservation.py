"""A reservation, its life cycle, the price frozen on it, and how it was used and settled."""

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, ForeignKeyConstraint, Index, false, text
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from booking.accounts.models import Organisation, User
from booking.accounts.rules import CustomerClass
from booking.availability.models import Occupancy
from booking.availability.rules import Reason
from booking.kernel import clock
from booking.kernel.db import Model, Versioned, Word
from booking.kernel.errors import WrongState
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot
from booking.packages.models import PrepaidBalance
from booking.pricegroups.models import PriceGroupTerms
from booking.registry.models import Instrument
from booking.reservations.rules import Flag, PassedOn, flags
from booking.savings.rules import NotCounted
from booking.tariffs.models import Price
from booking.tariffs.rules import Covered, QuoteLine, covered_by, kept_lines

if TYPE_CHECKING:
    from booking.reservations.models.beside import FeeSettlement


class ReservationStatus(StrEnum):
    """Stored in iCalendar's words where it has them (domain §6.4, end)."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    IN_USE = "in_use"
    COMPLETED = "completed"
    USAGE_CONFIRMED = "usage_confirmed"
    SETTLED = "settled"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    EXPIRED = "expired"
    NO_SHOW = "no_show"


S = ReservationStatus
CAME_TO_NOTHING = frozenset({S.CANCELLED, S.DECLINED, S.EXPIRED, S.NO_SHOW})
HOLDING = frozenset({S.TENTATIVE, S.CONFIRMED, S.IN_USE})
TRANSITIONS: dict[ReservationStatus, frozenset[ReservationStatus]] = {
    S.TENTATIVE: frozenset({S.CONFIRMED, S.DECLINED, S.EXPIRED, S.CANCELLED}),
    # Moved to a slot that needs approval, it waits again.
    S.CONFIRMED: frozenset({S.IN_USE, S.CANCELLED, S.NO_SHOW, S.TENTATIVE}),
    S.IN_USE: frozenset({S.COMPLETED}),
    S.COMPLETED: frozenset({S.USAGE_CONFIRMED}),
    S.USAGE_CONFIRMED: frozenset({S.SETTLED}),
    S.SETTLED: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
    S.CANCELLED: frozenset(),
    S.DECLINED: frozenset(),
    S.EXPIRED: frozenset(),
    S.NO_SHOW: frozenset(),
}


class Reservation(Versioned, Model):
    """An organisation's claim on an instrument's time, at a price agreed when it was made."""

    __tablename__ = "reservations"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="forwards"),
        CheckConstraint("price_minor >= 0 AND list_minor >= price_minor", name="price"),
        CheckConstraint("samples >= 1", name="samples"),
        CheckConstraint(
            "fee_minor BETWEEN 0 AND price_minor "
            "AND (fee_minor = 0 OR status IN ('cancelled', 'no_show', 'settled', 'closed'))",
            name="fee",
        ),
        CheckConstraint(
            "status NOT IN ('tentative', 'confirmed', 'in_use') OR occupancy_id IS NOT NULL",
            name="holds",
        ),
        CheckConstraint(
            "status NOT IN ('cancelled', 'declined', 'expired') OR occupancy_id IS NULL",
            name="let_go",
        ),
        CheckConstraint(
            "status NOT IN ('tentative', 'expired') OR expires_at IS NOT NULL", name="expires"
        ),
        # Nobody's reservation is in another's group.
        ForeignKeyConstraint(
            ["group_id", "organisation_id"],
            ["reservation_groups.id", "reservation_groups.organisation_id"],
            name="fk_reservations_group",
        ),
        Index("ix_reservations_group", "group_id", postgresql_where=text("group_id IS NOT NULL")),
        Index("ix_reservations_organisation", "organisation_id", "id"),
        Index("ix_reservations_user", "user_id", "id"),
        Index("ix_reservations_instrument", "instrument_id", "ends_at"),
        Index(
            "ix_reservations_tentative",
            "expires_at",
            postgresql_where=text("status = 'tentative'"),
        ),
        Index(
            "ix_reservations_confirmed",
            "starts_at",
            postgresql_where=text("status = 'confirmed'"),
        ),
        Index(
            "ix_reservations_paid_in_full",
            "price_id",
            postgresql_where=text(
                "price_minor = list_minor AND status IN ('usage_confirmed', 'settled', 'closed')"
            ),
        ),
        Index(
            "ix_reservations_prepaid",
            "prepaid_id",
            postgresql_where=text("prepaid_id IS NOT NULL"),
        ),
        # Calendar feeds read a window of them.
        Index("ix_reservations_organisation_ends", "organisation_id", "ends_at"),
        Index("ix_reservations_user_ends", "user_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey(Instrument.id))
    instrument: Mapped[Instrument] = relationship(lazy="raise")
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    organisation: Mapped[Organisation] = relationship(lazy="raise", foreign_keys=[organisation_id])
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    user: Mapped[User] = relationship(lazy="raise")
    group_id: Mapped[int | None]
    use: Mapped["Use | None"] = relationship(lazy="raise")
    fee_settlement: Mapped["FeeSettlement | None"] = relationship(lazy="raise")
    occupancy_id: Mapped[int | None] = mapped_column(
        ForeignKey(Occupancy.id, deferrable=True, initially="DEFERRED"), unique=True
    )
    unit: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    slot: Mapped[TimeSlot] = composite(TimeSlot, "starts_at", "ends_at")
    buffer_before_minutes: Mapped[int] = mapped_column(default=0)
    buffer_after_minutes: Mapped[int] = mapped_column(default=0)
    status: Mapped[ReservationStatus] = mapped_column(Word(ReservationStatus), default=S.CONFIRMED)
    purpose: Mapped[str] = mapped_column(default="")
    customer_class: Mapped[CustomerClass] = mapped_column(Word(CustomerClass))
    samples: Mapped[int] = mapped_column(default=1, server_default="1")
    price_id: Mapped[int | None] = mapped_column(ForeignKey(Price.id))
    # The version of the finer class it is priced by, where that is better than the discount.
    price_group_terms_id: Mapped[int | None] = mapped_column(ForeignKey(PriceGroupTerms.id))
    currency: Mapped[str] = mapped_column(default="CNY")
    list_minor: Mapped[int]
    price_minor: Mapped[int]
    lines: Mapped[list[Any] | None]  # how the price comes about
    fee_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    baseline_minor: Mapped[int | None]
    baseline_rank: Mapped[int | None]
    prepaid_id: Mapped[int | None] = mapped_column(ForeignKey(PrepaidBalance.id))
    is_assisted: Mapped[bool] = mapped_column(default=False)  # operated by the owner's people
    # 强制检定、监督抽查、法定检验: nothing is saved by it, whatever its price.
    is_statutory: Mapped[bool] = mapped_column(default=False, server_default=false())
    # While it waits for approval: why, and until when its time is held.
    approval_rules: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None]
    decision_note: Mapped[str] = mapped_column(default="")
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[int | None]
    cancel_reason: Mapped[str] = mapped_column(default="")
    sequence: Mapped[int] = mapped_column(default=0)  # of the calendar event

    @property
    def number(self) -> str:
        """Return the number people use, e.g. R-000123."""
        return f"R-{self.id:06d}"

    @property
    def held(self) -> TimeSlot:
        """Return the time it takes: the slot with its buffers."""
        return self.slot.widened(
            before_minutes=self.buffer_before_minutes, after_minutes=self.buffer_after_minutes
        )

    @property
    def price(self) -> Money:
        """Return what is due."""
        return Money(self.price_minor, self.currency)

    @property
    def list_price(self) -> Money:
        """Return what the published list asks for the same time."""
        return Money(self.list_minor, self.currency)

    @property
    def price_lines(self) -> tuple[QuoteLine, ...]:
        """Return how the price comes about; the amounts add up to it."""
        return kept_lines(self.lines, self.list_price, self.price, self.slot.minutes)

    @property
    def prepaid(self) -> Covered | None:
        """Return what a balance pays of the price that was agreed, if anything."""
        return covered_by(self.price_lines, self.prepaid_id) if self.prepaid_id else None

    @property
    def prepaid_now(self) -> Covered | None:
        """Return what a balance pays: of the confirmed use once it is, else of what was agreed."""
        if self.status in CAME_TO_NOTHING or self.prepaid_id is None:
            return None
        if self.use and self.use.price:
            return covered_by(self.use.price_lines, self.prepaid_id)
        return self.prepaid

    @property
    def to_pay(self) -> Money | None:
        """Return what is due beside what a balance pays."""
        covered = self.prepaid_now
        return self.due - covered.amount if covered and self.due else self.due

    @property
    def fee(self) -> Money | None:
        """Return what is due because it was cancelled late or nobody came; None if nothing is."""
        return Money(self.fee_minor, self.currency) if self.fee_minor else None

    @property
    def baseline(self) -> Money | None:
        """Return what it is compared with, or None (domain §4.3)."""
        return None if self.baseline_minor is None else Money(self.baseline_minor, self.currency)

    @property
    def approval_reasons(self) -> list[Reason]:
        """Return why it needed approval; nothing if it did not."""
        return [Reason(each) for each in (self.approval_rules or "").split()]

    @property
    def expected_saving(self) -> Money | None:
        """Return baseline minus price; counted only once use is confirmed and settled."""
        return self.baseline - self.price if self.baseline else None

    @property
    def due(self) -> Money | None:
        """Return what is due: for the confirmed use once it is; where nobody came, the fee."""
        if self.status in CAME_TO_NOTHING:
            return self.fee
        return self.use.due if self.use and self.use.due else self.price

    @property
    def saving(self) -> Money | None:
        """Return what that saves against the baseline, or None."""
        if self.status in CAME_TO_NOTHING:
            return None
        return self.use.saving if self.use and self.use.price else self.expected_saving

    @property
    def shown_status(self) -> str:
        """Return the status as people are told it: who must act next, also while it is settled."""
        if self.status is not S.USAGE_CONFIRMED or self.use is None:
            return self.status
        if self.use.is_disputed:
            return "disputed"
        return "settling" if self.use.is_accepted else self.status

    @property
    def flags(self) -> tuple[Flag, ...]:
        """Return how the use differed from what was reserved."""
        return tuple(flags(self.slot, self.use.started_at, self.use.ended_at)) if self.use else ()

    def become(self, status: ReservationStatus, *, action: str) -> None:
        """Change the status, or raise WrongState if the life cycle has no such move."""
        if status not in TRANSITIONS[self.status]:
            raise WrongState(self.status, action)
        self.status = status
        self.touch()


class Settlement(StrEnum):
    """How the customer's debt ended at the institution's finance."""

    PAID = "paid"
    ON_ACCOUNT = "on_account"  # 挂账: owed under a standing agreement
    NOTHING_DUE = "nothing_due"
    PREPAID = "prepaid"  # all of it from hours the firm had bought beforehand


class Use(Model):
    """What became of a reservation: when it was really used, what is due, and its settlement."""

    __tablename__ = "uses"
    __table_args__ = (
        CheckConstraint("ended_at > started_at", name="forwards"),
        CheckConstraint(
            "(confirmed_at IS NULL) = (minutes IS NULL) "
            "AND (confirmed_at IS NULL) = (price_minor IS NULL) "
            "AND (confirmed_at IS NULL) = (list_minor IS NULL) "
            "AND (confirmed_at IS NULL OR ended_at IS NOT NULL)",
            name="confirmed",
        ),
        CheckConstraint("price_minor BETWEEN 0 AND list_minor AND minutes >= 0", name="price"),
        CheckConstraint("samples >= 0", name="samples"),
        CheckConstraint("passed_on_minor >= 0", name="passed_on"),
        CheckConstraint("not_counted IS NULL OR baseline_minor IS NULL", name="not_counted"),
        CheckConstraint(
            "(settled_at IS NULL) = (settlement IS NULL) "
            "AND (settled_at IS NULL) = (settled_on IS NULL) "
            "AND (settled_at IS NULL OR confirmed_at IS NOT NULL)",
            name="settled",
        ),
    )

    reservation_id: Mapped[int] = mapped_column(
        ForeignKey(Reservation.id), primary_key=True, autoincrement=False
    )
    started_at: Mapped[datetime]
    started_by: Mapped[int | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None]
    # What the operator confirmed: the minutes that count and what they cost by the frozen price.
    minutes: Mapped[int | None]
    samples: Mapped[int | None]
    currency: Mapped[str] = mapped_column(default="CNY")
    list_minor: Mapped[int | None]
    price_minor: Mapped[int | None]
    lines: Mapped[list[Any] | None]
    baseline_minor: Mapped[int | None]
    # Why it saves nothing whatever its price, as far as known when it was confirmed or settled.
    not_counted: Mapped[NotCounted | None] = mapped_column(Word(NotCounted))
    # Consumables, rush, postage and travel: due, but on neither side of a saving (domain §4.4).
    passed_on: Mapped[list[Any] | None]
    passed_on_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    note: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[int | None]
    # What the firm says to it.
    objection_until: Mapped[datetime | None]
    agreed_at: Mapped[datetime | None]
    objected_at: Mapped[datetime | None]
    objection: Mapped[str] = mapped_column(default="")
    # What finance recorded.
    settlement: Mapped[Settlement | None] = mapped_column(Word(Settlement))
    settled_on: Mapped[date | None] = mapped_column(Date)
    reference: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[int | None]

    @property
    def price(self) -> Money | None:
        """Return what is due for the confirmed minutes."""
        return None if self.price_minor is None else Money(self.price_minor, self.currency)

    @property
    def due(self) -> Money | None:
        """Return what is due in all: the price, and what is passed on at cost."""
        return self.price and self.price + Money(self.passed_on_minor, self.currency)

    @property
    def charges(self) -> tuple[PassedOn, ...]:
        """Return what is passed on beside the price."""
        return tuple(PassedOn.of(each) for each in self.passed_on or ())

    @property
    def list_price(self) -> Money | None:
        """Return what the list the price was agreed on asks for the confirmed minutes."""
        return None if self.list_minor is None else Money(self.list_minor, self.currency)

    @property
    def price_lines(self) -> tuple[QuoteLine, ...]:
        """Return how the price comes about; nothing before the use was confirmed."""
        if self.list_price is None or self.price is None:
            return ()
        return kept_lines(self.lines, self.list_price, self.price, self.minutes or 0)

    @property
    def baseline(self) -> Money | None:
        """Return what it is compared with, or None (domain §4.3)."""
        return None if self.baseline_minor is None else Money(self.baseline_minor, self.currency)

    @property
    def saving(self) -> Money | None:
        """Return baseline minus price; counted once it is settled."""
        return self.baseline - self.price if self.baseline and self.price else None

    @property
    def is_accepted(self) -> bool:
        """Tell whether the firm agreed, or said nothing while it could object."""
        is_over = self.objection_until is not None and clock.now() > self.objection_until
        return not self.is_disputed and (self.agreed_at is not None or is_over)

    @property
    def is_disputed(self) -> bool:
        """Tell whether the firm objected and the operator has not answered yet."""
        return self.objected_at is not None
