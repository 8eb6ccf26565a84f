"""Opening hours, special days, closures, and the occupancies no two of which overlap."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, column, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, composite, mapped_column

from booking.accounts.models import Organisation
from booking.authorisations.rules import Operation
from booking.availability.rules import CONDITIONS, ApprovalMode, ApprovalRule, Pairing
from booking.kernel.db import Model, Versioned, Word
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument

NO_OVERLAP = "ex_occupancies_no_overlap"
# The longest reservation with the longest buffers. What takes longer is held in several rows, so
# that the rows of a window are found by an index from both sides.
LONGEST_OCCUPANCY = timedelta(days=16)
_INHERITED = text("'{" + ",".join(CONDITIONS) + "}'")


class OccupancyKind(StrEnum):
    """What takes the time."""

    RESERVATION = "reservation"
    MAINTENANCE = "maintenance"
    CALIBRATION = "calibration"
    FAULT = "fault"
    OWN_USE = "own_use"
    OFFER = "offer"  # held for whoever is next on the waiting list, until they answer


# What only the owner takes, for reasons of their own.
CLOSURE_KINDS = tuple(
    kind for kind in OccupancyKind if kind not in {OccupancyKind.RESERVATION, OccupancyKind.OFFER}
)


class Occupancy(Model):
    """Takes one unit of one instrument for one time slot; the database lets no two overlap."""

    __tablename__ = "occupancies"
    __table_args__ = (
        ExcludeConstraint(
            (text("int8range(instrument_id, instrument_id, '[]')"), "="),
            (text("int8range(unit, unit, '[]')"), "="),
            (func.tstzrange(column("starts_at"), column("ends_at")), "&&"),
            name=NO_OVERLAP,
            using="gist",
        ),
        CheckConstraint("ends_at > starts_at", name="forwards"),
        CheckConstraint("ends_at - starts_at <= interval '16 days'", name="length"),
        CheckConstraint("unit >= 1", name="unit"),
        Index(
            "ix_occupancies_instrument_ends",
            "instrument_id",
            "ends_at",
            "starts_at",
            postgresql_include=["unit"],
        ),
        Index(
            "ix_occupancies_closure", "closure_id", postgresql_where=text("closure_id IS NOT NULL")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey(Instrument.id))
    unit: Mapped[int] = mapped_column(default=1)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    slot: Mapped[TimeSlot] = composite(TimeSlot, "starts_at", "ends_at")
    kind: Mapped[OccupancyKind] = mapped_column(Word(OccupancyKind))
    closure_id: Mapped[int | None] = mapped_column(ForeignKey("closures.id"))


class Schedule(Versioned, Model):
    """How an instrument may be booked: one row per instrument that takes bookings online."""

    __tablename__ = "schedules"
    __table_args__ = (
        CheckConstraint("grid_minutes IN (5, 10, 15, 20, 30, 60)", name="grid"),
        CheckConstraint("shortest_minutes BETWEEN 5 AND longest_minutes", name="shortest"),
        CheckConstraint("longest_minutes <= 20160", name="longest"),
        CheckConstraint("lead_minutes BETWEEN 0 AND 43200", name="lead"),
        CheckConstraint("horizon_days BETWEEN 1 AND 366", name="horizon"),
        CheckConstraint("buffer_before_minutes BETWEEN 0 AND 1440", name="buffer_before"),
        CheckConstraint("buffer_after_minutes BETWEEN 0 AND 1440", name="buffer_after"),
        CheckConstraint("cardinality(classes) > 0", name="classes"),
        CheckConstraint(
            "release_after_minutes = 0 OR release_after_minutes BETWEEN 30 AND 1440",
            name="release",
        ),
        # The few that are not for everybody.
        Index(
            "ix_schedules_restricted",
            "instrument_id",
            postgresql_where=text("classes IS NOT NULL"),
            postgresql_include=["classes"],
        ),
        CheckConstraint(
            "approval_over_minutes BETWEEN 5 AND 20160 AND approval_over_minor >= 0 "
            "AND hold_working_hours BETWEEN 1 AND 80",
            name="approval",
        ),
    )

    instrument_id: Mapped[int] = mapped_column(ForeignKey(Instrument.id), primary_key=True)
    grid_minutes: Mapped[int] = mapped_column(default=30)
    shortest_minutes: Mapped[int] = mapped_column(default=60)
    longest_minutes: Mapped[int] = mapped_column(default=480)
    lead_minutes: Mapped[int] = mapped_column(default=120)
    horizon_days: Mapped[int] = mapped_column(default=60)
    change_until_minutes: Mapped[int] = mapped_column(default=1440)
    buffer_before_minutes: Mapped[int] = mapped_column(default=0)
    buffer_after_minutes: Mapped[int] = mapped_column(default=0)
    release_after_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    observes_holidays: Mapped[bool] = mapped_column(default=True)
    # Who may book (None: everybody), and what else is asked (None: nothing), worked out: for the
    # parts named in `inherits`, and terms named there, it is what the institution asks.
    classes: Mapped[list[str] | None] = mapped_column(ARRAY(String))
    conditions: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    inherits: Mapped[list[str]] = mapped_column(
        ARRAY(String), default=lambda: list(CONDITIONS), server_default=_INHERITED
    )
    approval_mode: Mapped[ApprovalMode] = mapped_column(
        Word(ApprovalMode), default=ApprovalMode.NONE
    )
    approval_over_minutes: Mapped[int | None]
    approval_over_minor: Mapped[int | None]
    hold_working_hours: Mapped[int] = mapped_column(default=8)
    operation: Mapped[Operation] = mapped_column(Word(Operation), default=Operation.EITHER)

    @property
    def approval(self) -> ApprovalRule:
        """Return when a reservation needs approval."""
        over = self.approval_over_minor
        return ApprovalRule(
            self.approval_mode,
            self.approval_over_minutes,
            None if over is None else Money(over),
            self.hold_working_hours,
        )


class PolicyDefaults(Versioned, Model):
    """What an institution asks of all its bookings; what it leaves out is as usual."""

    __tablename__ = "policy_defaults"

    institution_id: Mapped[int] = mapped_column(
        ForeignKey(Organisation.id), primary_key=True, autoincrement=False
    )
    given: Mapped[dict[str, Any]]


class InstrumentPair(Model):
    """Two instruments whose bookings depend on each other; a row for each way to look at it."""

    __tablename__ = "instrument_pairs"
    __table_args__ = (CheckConstraint("instrument_id <> other_id", name="two"),)

    instrument_id: Mapped[int] = mapped_column(
        ForeignKey(Instrument.id), primary_key=True, autoincrement=False
    )
    other_id: Mapped[int] = mapped_column(
        ForeignKey(Instrument.id), primary_key=True, autoincrement=False
    )
    pairing: Mapped[Pairing] = mapped_column(Word(Pairing), primary_key=True)


class OpeningHours(Model):
    """Open on a weekday (0 = Monday) from one wall-clock minute to another, in the own zone."""

    __tablename__ = "opening_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint(
            "opens_minute >= 0 AND closes_minute <= 1440 AND opens_minute < closes_minute",
            name="minutes",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey(Schedule.instrument_id), index=True)
    weekday: Mapped[int]
    opens_minute: Mapped[int]
    closes_minute: Mapped[int]


class SpecialDay(Model):
    """A date with hours of its own; without any interval (both NULL) it is closed all day."""

    __tablename__ = "special_days"
    __table_args__ = (
        CheckConstraint(
            "(opens_minute IS NULL) = (closes_minute IS NULL) AND (opens_minute IS NULL OR "
            "(opens_minute >= 0 AND closes_minute <= 1440 AND opens_minute < closes_minute))",
            name="minutes",
        ),
        Index("ix_special_days_instrument_day", "instrument_id", "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey(Schedule.instrument_id))
    day: Mapped[date] = mapped_column(Date)
    opens_minute: Mapped[int | None]
    closes_minute: Mapped[int | None]
    reason: Mapped[str] = mapped_column(default="")


class Closure(Versioned, Model):
    """Time the owner takes back: maintenance, calibration, a fault, own use. Holds occupancies."""

    __tablename__ = "closures"
    __table_args__ = (CheckConstraint("ends_at > starts_at", name="forwards"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey(Instrument.id), index=True)
    unit: Mapped[int | None]  # None: all units
    units: Mapped[int] = mapped_column(default=1)  # how many it took
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    slot: Mapped[TimeSlot] = composite(TimeSlot, "starts_at", "ends_at")
    kind: Mapped[OccupancyKind] = mapped_column(Word(OccupancyKind))
    reason: Mapped[str] = mapped_column(default="")
    created_by: Mapped[int | None]
    lifted_at: Mapped[datetime | None]
    sequence: Mapped[int] = mapped_column(default=0)
