"""Finer customer classes: versions that never change, and dated memberships."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, column, func, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.accounts.models import Organisation
from booking.accounts.rules import CustomerClass
from booking.kernel import clock
from booking.kernel.db import Model, Versioned, Word
from booking.pricegroups.rules import Concession, Group

_MOMENT = timedelta(microseconds=1)

NAMES_APART = "ex_price_group_terms_name"
ONCE_AT_A_TIME = "ex_price_group_members_no_overlap"


class PriceGroup(Versioned, Model):
    """A finer class of an institution's customers, within one of the classes of the price list."""

    __tablename__ = "price_groups"
    __table_args__ = (
        CheckConstraint("base_class IN ('sme', 'large', 'research')", name="base_class"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id), index=True)
    institution: Mapped[Organisation] = relationship(lazy="raise")
    base_class: Mapped[CustomerClass] = mapped_column(Word(CustomerClass))
    created_by: Mapped[int]


class PriceGroupTerms(Model):
    """A version of what its members pay less: from `effective_from` until it ends or is replaced.

    Percentages are off the published list price; `instruments` holds those of single instruments
    by id, as text. Replaced, never changed: the database refuses it (docs/decisions/0032).
    """

    __tablename__ = "price_group_terms"
    __table_args__ = (
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
        CheckConstraint("ends_at > effective_from", name="period"),
        CheckConstraint("superseded_at >= effective_from", name="superseded"),
        CheckConstraint("effective_from >= published_at", name="announced"),
        CheckConstraint("name <> '' AND reason <> ''", name="said"),
        ExcludeConstraint(
            (text("int8range(group_id, group_id, '[]')"), "="),
            (
                func.tstzrange(
                    column("effective_from"), func.least(column("ends_at"), column("superseded_at"))
                ),
                "&&",
            ),
            name="ex_price_group_terms_no_overlap",
            using="gist",
        ),
        ExcludeConstraint(
            (text("int8range(institution_id, institution_id, '[]')"), "="),
            (text("int4range(hashtext(name), hashtext(name), '[]')"), "="),
            (
                func.tstzrange(
                    column("effective_from"), func.least(column("ends_at"), column("superseded_at"))
                ),
                "&&",
            ),
            name=NAMES_APART,
            using="gist",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey(PriceGroup.id), index=True)
    group: Mapped[PriceGroup] = relationship(lazy="raise")
    institution_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    name: Mapped[str]
    reason: Mapped[str]  # the document it rests on
    percent: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    instruments: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    published_at: Mapped[datetime] = mapped_column(default=clock.now)
    published_by: Mapped[int]
    effective_from: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    superseded_at: Mapped[datetime | None]

    @property
    def percents(self) -> dict[int, Decimal]:
        """Return the percentages of single instruments by id."""
        return {int(each): Decimal(percent) for each, percent in self.instruments.items()}

    @property
    def until(self) -> datetime | None:
        """Return when it holds no longer, if that is known."""
        ends = [each for each in (self.ends_at, self.superseded_at) if each is not None]
        return min(ends, default=None)

    @property
    def last_at(self) -> datetime | None:
        """Return the last moment at which it holds, for those who write days."""
        return None if self.until is None else max(self.until - _MOMENT, self.effective_from)

    @property
    def was_withdrawn(self) -> bool:
        """Tell whether it was announced and taken back before it ever held."""
        return self.superseded_at == self.effective_from

    def holds_at(self, moment: datetime) -> bool:
        """Tell whether it is the version of that moment."""
        return self.effective_from <= moment and (self.until is None or self.until > moment)

    def of(self, base_class: CustomerClass) -> Group:
        """Return what the rules need."""
        percents = tuple(sorted(self.percents.items()))
        return Group(
            self.group_id,
            self.id,
            self.institution_id,
            base_class,
            self.name,
            self.percent,
            self.reason,
            percents,
        )

    def at(self, instrument_id: int) -> Concession:
        """Return what it gives at one instrument."""
        percent = self.percents.get(instrument_id, self.percent)
        return Concession(self.id, self.group_id, self.name, percent, self.reason)


class PriceGroupMember(Model):
    """An organisation in a group, from one moment to another; only the end is ever written."""

    __tablename__ = "price_group_members"
    __table_args__ = (
        CheckConstraint("until >= since", name="period"),
        CheckConstraint("ended_by IS NULL OR until IS NOT NULL", name="ended"),
        ExcludeConstraint(
            (text("int8range(group_id, group_id, '[]')"), "="),
            (text("int8range(organisation_id, organisation_id, '[]')"), "="),
            (func.tstzrange(column("since"), column("until")), "&&"),
            name=ONCE_AT_A_TIME,
            using="gist",
        ),
        Index("ix_price_group_members_organisation", "organisation_id", "group_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey(PriceGroup.id), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    organisation: Mapped[Organisation] = relationship(lazy="raise")
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    added_at: Mapped[datetime] = mapped_column(default=clock.now)
    added_by: Mapped[int]
    ended_by: Mapped[int | None]

    @property
    def last_at(self) -> datetime | None:
        """Return the last moment at which it belongs there, for those who write days."""
        return None if self.until is None else max(self.until - _MOMENT, self.since)
