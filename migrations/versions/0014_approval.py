"""Reservations that wait for the owner's approval, and when they need it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; nothing that stands needs approval."""
    _when_it_is_needed()
    _what_waits()


def _when_it_is_needed() -> None:
    op.add_column(
        "schedules",
        sa.Column("approval_mode", sa.String(), nullable=False, server_default="none"),
    )
    op.add_column("schedules", sa.Column("approval_over_minutes", sa.BigInteger()))
    op.add_column("schedules", sa.Column("approval_over_minor", sa.BigInteger()))
    op.add_column(
        "schedules",
        sa.Column("hold_working_hours", sa.BigInteger(), nullable=False, server_default="8"),
    )
    op.create_check_constraint(
        op.f("ck_schedules_approval"),
        "schedules",
        "approval_over_minutes BETWEEN 5 AND 20160 AND approval_over_minor >= 0 "
        "AND hold_working_hours BETWEEN 1 AND 80",
    )


def _what_waits() -> None:
    op.add_column("reservations", sa.Column("approval_rules", sa.String()))
    op.add_column("reservations", sa.Column("expires_at", sa.TIMESTAMP(timezone=True)))
    op.add_column("reservations", sa.Column("decided_at", sa.TIMESTAMP(timezone=True)))
    op.add_column("reservations", sa.Column("decided_by", sa.BigInteger()))
    op.add_column(
        "reservations", sa.Column("decision_note", sa.String(), nullable=False, server_default="")
    )
    op.add_column(
        "reservations",
        sa.Column("is_assisted", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_check_constraint(
        op.f("ck_reservations_expires"),
        "reservations",
        "status NOT IN ('tentative', 'expired') OR expires_at IS NOT NULL",
    )
    op.create_index(
        "ix_reservations_tentative",
        "reservations",
        ["expires_at"],
        postgresql_where=sa.text("status = 'tentative'"),
    )


def downgrade() -> None:
    """Drop them; what waits would be lost, so it is to be decided before."""
    op.drop_index("ix_reservations_tentative", table_name="reservations")
    op.drop_constraint(op.f("ck_reservations_expires"), "reservations", type_="check")
    for name in (
        "is_assisted",
        "decision_note",
        "decided_by",
        "decided_at",
        "expires_at",
        "approval_rules",
    ):
        op.drop_column("reservations", name)
    op.drop_constraint(op.f("ck_schedules_approval"), "schedules", type_="check")
    for name in (
        "hold_working_hours",
        "approval_over_minor",
        "approval_over_minutes",
        "approval_mode",
    ):
        op.drop_column("schedules", name)
