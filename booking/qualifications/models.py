"""Certificates of institutions with their scope; calibrations of instruments and extensions."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.accounts.models import Organisation
from booking.files.models import StoredFile
from booking.kernel import clock
from booking.kernel.db import Model, Versioned, Word
from booking.qualifications.rules import CalibrationKind, Result, Scheme
from booking.registry.models import Instrument


class Certificate(Versioned, Model):
    """A CMA or CNAS certificate; a renewal is a new one, the old one stays."""

    __tablename__ = "certificates"
    __table_args__ = (
        UniqueConstraint(
            "institution_id", "scheme", "number", "valid_from", name="uq_certificates_number"
        ),
        CheckConstraint("valid_until >= valid_from", name="period"),
        CheckConstraint("(file_sha256 IS NULL) = (file_name = '')", name="file"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    scheme: Mapped[Scheme] = mapped_column(Word(Scheme))
    number: Mapped[str]
    issuer: Mapped[str]
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)
    file_sha256: Mapped[str | None] = mapped_column(ForeignKey(StoredFile.sha256), index=True)
    file_name: Mapped[str] = mapped_column(default="")
    withdrawn_at: Mapped[datetime | None]
    file: Mapped[StoredFile | None] = relationship(lazy="raise")

    def is_valid_on(self, day: date) -> bool:
        """Tell whether it holds on that day."""
        return self.withdrawn_at is None and self.valid_from <= day <= self.valid_until


class ScopeLine(Model):
    """What a certificate covers: a parameter of a product by a standard, with its limits."""

    __tablename__ = "scope_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey(Certificate.id), index=True)
    place: Mapped[int]
    product: Mapped[str]
    parameter: Mapped[str]
    standard: Mapped[str]
    limits: Mapped[str]
    standard_keys: Mapped[list[str]] = mapped_column(ARRAY(String))


class Calibration(Versioned, Model):
    """A verification (检定) or calibration (校准) of an instrument; never deleted."""

    __tablename__ = "calibrations"
    __table_args__ = (
        CheckConstraint("valid_until >= performed_on", name="period"),
        CheckConstraint("kind <> 'verification' OR valid_until IS NOT NULL", name="expiry"),
        CheckConstraint("(file_sha256 IS NULL) = (file_name = '')", name="file"),
        Index("ix_calibrations_instrument", "instrument_id", "performed_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey(Instrument.id))
    kind: Mapped[CalibrationKind] = mapped_column(Word(CalibrationKind))
    number: Mapped[str]
    agency: Mapped[str]
    performed_on: Mapped[date] = mapped_column(Date)
    result: Mapped[Result] = mapped_column(Word(Result))
    valid_until: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str] = mapped_column(default="")
    file_sha256: Mapped[str | None] = mapped_column(ForeignKey(StoredFile.sha256), index=True)
    file_name: Mapped[str] = mapped_column(default="")
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str] = mapped_column(default="")
    file: Mapped[StoredFile | None] = relationship(lazy="raise")
    extensions: Mapped[list["Extension"]] = relationship(
        lazy="raise", order_by="Extension.id", back_populates="calibration"
    )


class Extension(Model):
    """A named person answers for using an instrument beyond its calibration's end."""

    __tablename__ = "calibration_extensions"

    id: Mapped[int] = mapped_column(primary_key=True)
    calibration_id: Mapped[int] = mapped_column(ForeignKey(Calibration.id), index=True)
    until: Mapped[date] = mapped_column(Date)
    reason: Mapped[str]
    granted_by: Mapped[int]  # user
    granted_name: Mapped[str]  # as it stood then
    granted_at: Mapped[datetime] = mapped_column(default=clock.now)
    revoked_at: Mapped[datetime | None]
    calibration: Mapped[Calibration] = relationship(lazy="raise", back_populates="extensions")
