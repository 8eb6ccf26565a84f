"""Code lists with their periods of validity, and our own table of days."""

from datetime import date

from sqlalchemy import CheckConstraint, Date, Index
from sqlalchemy.orm import Mapped, mapped_column

from booking.kernel.db import Model, Word
from booking.reference.rules import RegionLevel


class Region(Model):
    """A unit of GB/T 2260 during the years its code meant this name (None: open end)."""

    __tablename__ = "regions"
    __table_args__ = (
        Index(
            "uq_regions_code_name_valid_from",
            "code",
            "name",
            "valid_from",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("code ~ '^[0-9]{6}$'", name="code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    level: Mapped[RegionLevel] = mapped_column(Word(RegionLevel))
    parent_code: Mapped[str | None] = mapped_column(index=True)
    valid_from: Mapped[int | None]
    valid_to: Mapped[int | None]


class Category(Model):
    """A 6-digit class of instruments; the scheme's name lets a later standard sit beside it."""

    __tablename__ = "categories"

    scheme: Mapped[str] = mapped_column(primary_key=True, default="nrii")
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Industry(Model):
    """A section (letter) or division (2 digits) of GB/T 4754."""

    __tablename__ = "industries"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    section: Mapped[str]


class CalendarDay(Model):
    """A day of the Chinese working calendar; `provisional` until the State Council's notice."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    is_workday: Mapped[bool]
    name: Mapped[str | None]
    source: Mapped[str]
    provisional: Mapped[bool] = mapped_column(default=False)
