"""Who may operate which instruments, and the training that leads there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them; every instrument may be used either way, as before."""
    op.add_column(
        "schedules",
        sa.Column("operation", sa.String(), nullable=False, server_default="either"),
    )
    _sessions()
    _seats()
    _authorisations()


def _sessions() -> None:
    op.create_table(
        "training_sessions",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("starts_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("seats", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.String(), nullable=False),
        *_versioned(),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_training_sessions_forwards")),
        sa.CheckConstraint("seats BETWEEN 1 AND 200", name=op.f("ck_training_sessions_seats")),
        sa.CheckConstraint(
            "cardinality(instrument_ids) BETWEEN 1 AND 50",
            name=op.f("ck_training_sessions_instruments"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["organisations.id"],
            name=op.f("fk_training_sessions_institution_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_sessions")),
    )
    op.create_index(
        "ix_training_sessions_institution", "training_sessions", ["institution_id", "starts_at"]
    )


def _seats() -> None:
    op.create_table(
        "training_seats",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("given_up_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("result_note", sa.String(), nullable=False),
        sa.Column("assessed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("assessed_by", sa.BigInteger(), nullable=True),
        *_versioned(),
        sa.CheckConstraint(
            "(result IS NULL) = (assessed_at IS NULL)", name=op.f("ck_training_seats_assessed")
        ),
        sa.CheckConstraint(
            "result IS NULL OR given_up_at IS NULL", name=op.f("ck_training_seats_attended")
        ),
        *(
            sa.ForeignKeyConstraint([column], [key], name=op.f(f"fk_training_seats_{column}"))
            for column, key in (
                ("session_id", "training_sessions.id"),
                ("user_id", "users.id"),
                ("organisation_id", "organisations.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_seats")),
    )
    op.create_index("ix_training_seats_user", "training_seats", ["user_id"])
    op.create_index(
        "uq_training_seats_held",
        "training_seats",
        ["session_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("given_up_at IS NULL"),
    )


def _authorisations() -> None:
    op.create_table(
        "authorisations",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=True),
        sa.Column("category_code", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=True),
        sa.Column("granted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("granted_by", sa.BigInteger(), nullable=True),
        sa.Column("grounds", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("refused_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("refused_by", sa.BigInteger(), nullable=True),
        sa.Column("suspended_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("suspended_by", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.TIMESTAMP(timezone=True), nullable=True),
        *_versioned(),
        sa.CheckConstraint(
            "(instrument_id IS NULL) <> (category_code IS NULL)",
            name=op.f("ck_authorisations_what"),
        ),
        sa.CheckConstraint(
            "(granted_at IS NULL) = (valid_from IS NULL) "
            "AND (granted_at IS NULL) = (valid_until IS NULL) "
            "AND (granted_at IS NULL) = (granted_by IS NULL) AND valid_until >= valid_from",
            name=op.f("ck_authorisations_granted"),
        ),
        sa.CheckConstraint(
            "granted_at IS NULL OR refused_at IS NULL", name=op.f("ck_authorisations_decided")
        ),
        sa.CheckConstraint(
            "suspended_at IS NULL OR granted_at IS NOT NULL",
            name=op.f("ck_authorisations_suspended"),
        ),
        sa.CheckConstraint(
            "(file_sha256 IS NULL) = (file_name = '')", name=op.f("ck_authorisations_file")
        ),
        *(
            sa.ForeignKeyConstraint([column], [key], name=op.f(f"fk_authorisations_{column}"))
            for column, key in (
                ("institution_id", "organisations.id"),
                ("user_id", "users.id"),
                ("organisation_id", "organisations.id"),
                ("instrument_id", "instruments.id"),
                ("file_sha256", "stored_files.sha256"),
                ("session_id", "training_sessions.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorisations")),
    )
    op.create_index(op.f("ix_authorisations_file_sha256"), "authorisations", ["file_sha256"])
    op.create_index("ix_authorisations_institution", "authorisations", ["institution_id", "id"])
    op.create_index(
        "ix_authorisations_held",
        "authorisations",
        ["user_id", "institution_id"],
        postgresql_where=sa.text("granted_at IS NOT NULL AND suspended_at IS NULL"),
    )
    op.create_index(
        "uq_authorisations_open",
        "authorisations",
        ["user_id", "instrument_id"],
        unique=True,
        postgresql_where=sa.text(
            "granted_at IS NULL AND refused_at IS NULL AND withdrawn_at IS NULL "
            "AND instrument_id IS NOT NULL"
        ),
    )


def _versioned() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("authorisations", "training_seats", "training_sessions"):
        op.drop_table(table)
    op.drop_column("schedules", "operation")
