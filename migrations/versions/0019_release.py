"""How long after its start a slot that nobody claimed is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it to what an owner decides; as before, nothing is released by itself."""
    op.add_column(
        "schedules",
        sa.Column("release_after_minutes", sa.BigInteger(), nullable=False, server_default="0"),
    )
    op.create_check_constraint(
        op.f("ck_schedules_release"),
        "schedules",
        "release_after_minutes = 0 OR release_after_minutes BETWEEN 30 AND 1440",
    )
    # What is looked through every few minutes: the few that begin about now.
    op.create_index(
        "ix_reservations_confirmed",
        "reservations",
        ["starts_at"],
        postgresql_where=sa.text("status = 'confirmed'"),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_index("ix_reservations_confirmed", "reservations")
    op.drop_column("schedules", "release_after_minutes")
