"""Tables of certificates, scope, calibrations and extensions; how long instruments are fit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

VERSIONED = (
    ("version", sa.BigInteger()),
    ("created_at", sa.TIMESTAMP(timezone=True)),
    ("updated_at", sa.TIMESTAMP(timezone=True)),
)


def upgrade() -> None:
    """Create them."""
    op.add_column("instruments", sa.Column("verified_until", sa.Date(), nullable=True))
    op.add_column("instruments", sa.Column("calibrated_until", sa.Date(), nullable=True))
    _certificates()
    _calibrations()


def _certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.TIMESTAMP(timezone=True), nullable=True),
        *(sa.Column(name, kind, nullable=False) for name, kind in VERSIONED),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_certificates_period")),
        sa.CheckConstraint(
            "(file_sha256 IS NULL) = (file_name = '')", name=op.f("ck_certificates_file")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["organisations.id"], name=op.f("fk_certificates_institution_id")
        ),
        sa.ForeignKeyConstraint(
            ["file_sha256"], ["stored_files.sha256"], name=op.f("fk_certificates_file_sha256")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint(
            "institution_id", "scheme", "number", "valid_from", name="uq_certificates_number"
        ),
    )
    op.create_index(op.f("ix_certificates_file_sha256"), "certificates", ["file_sha256"])
    op.create_table(
        "scope_lines",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("parameter", sa.String(), nullable=False),
        sa.Column("standard", sa.String(), nullable=False),
        sa.Column("limits", sa.String(), nullable=False),
        sa.Column("standard_keys", postgresql.ARRAY(sa.String()), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificates.id"], name=op.f("fk_scope_lines_certificate_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scope_lines")),
    )
    op.create_index(op.f("ix_scope_lines_certificate_id"), "scope_lines", ["certificate_id"])


def _calibrations() -> None:
    op.create_table(
        "calibrations",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("performed_on", sa.Date(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.String(), nullable=False),
        *(sa.Column(name, kind, nullable=False) for name, kind in VERSIONED),
        sa.CheckConstraint("valid_until >= performed_on", name=op.f("ck_calibrations_period")),
        sa.CheckConstraint(
            "kind <> 'verification' OR valid_until IS NOT NULL", name=op.f("ck_calibrations_expiry")
        ),
        sa.CheckConstraint(
            "(file_sha256 IS NULL) = (file_name = '')", name=op.f("ck_calibrations_file")
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name=op.f("fk_calibrations_instrument_id")
        ),
        sa.ForeignKeyConstraint(
            ["file_sha256"], ["stored_files.sha256"], name=op.f("fk_calibrations_file_sha256")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibrations")),
    )
    op.create_index(op.f("ix_calibrations_file_sha256"), "calibrations", ["file_sha256"])
    op.create_index("ix_calibrations_instrument", "calibrations", ["instrument_id", "performed_on"])
    op.create_table(
        "calibration_extensions",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("calibration_id", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("granted_by", sa.BigInteger(), nullable=False),
        sa.Column("granted_name", sa.String(), nullable=False),
        sa.Column("granted_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["calibration_id"],
            ["calibrations.id"],
            name=op.f("fk_calibration_extensions_calibration_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration_extensions")),
    )
    op.create_index(
        op.f("ix_calibration_extensions_calibration_id"),
        "calibration_extensions",
        ["calibration_id"],
    )


def downgrade() -> None:
    """Drop them; nothing limits the use of an instrument any more."""
    for name in ("calibration_extensions", "calibrations", "scope_lines", "certificates"):
        op.drop_table(name)
    op.drop_column("instruments", "calibrated_until")
    op.drop_column("instruments", "verified_until")
