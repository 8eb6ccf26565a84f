"""The waiting list: places in the queue, and what is offered to them."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it."""
    instant = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "waiting_entries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", instant, nullable=False),
        sa.Column("ends_at", instant, nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("is_assisted", sa.Boolean()),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("occupancy_id", sa.BigInteger()),
        sa.Column("offered_from", instant),
        sa.Column("offered_at", instant),
        sa.Column("answer_by", instant),
        sa.Column("ended_as", sa.String()),
        sa.Column("ended_at", instant),
        sa.Column("reservation_id", sa.BigInteger()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_waiting_entries_forwards")),
        sa.CheckConstraint(
            "minutes BETWEEN 5 AND 20160 AND samples >= 1",
            name=op.f("ck_waiting_entries_minutes"),
        ),
        sa.CheckConstraint(
            "(ended_as IS NULL) = (ended_at IS NULL)", name=op.f("ck_waiting_entries_ended")
        ),
        sa.CheckConstraint(
            "(offered_at IS NULL) = (answer_by IS NULL) "
            "AND (offered_at IS NULL) = (offered_from IS NULL) "
            "AND (occupancy_id IS NULL OR (offered_at IS NOT NULL AND ended_at IS NULL))",
            name=op.f("ck_waiting_entries_offered"),
        ),
        sa.CheckConstraint(
            "coalesce(ended_as = 'accepted', false) = (reservation_id IS NOT NULL)",
            name=op.f("ck_waiting_entries_accepted"),
        ),
        *(
            sa.ForeignKeyConstraint([column], [key], name=op.f(f"fk_waiting_entries_{column}"))
            for column, key in (
                ("instrument_id", "instruments.id"),
                ("organisation_id", "organisations.id"),
                ("user_id", "users.id"),
                ("reservation_id", "reservations.id"),
            )
        ),
        # A closure takes back what is only offered, and by that the entry waits again.
        sa.ForeignKeyConstraint(
            ["occupancy_id"],
            ["occupancies.id"],
            name=op.f("fk_waiting_entries_occupancy_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_entries")),
        sa.UniqueConstraint("occupancy_id", name=op.f("uq_waiting_entries_occupancy_id")),
        sa.UniqueConstraint("reservation_id", name=op.f("uq_waiting_entries_reservation_id")),
    )
    op.create_index(
        "ix_waiting_entries_open",
        "waiting_entries",
        ["instrument_id", "id"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_waiting_entries_organisation", "waiting_entries", ["organisation_id", "id"])
    op.create_index("ix_waiting_entries_user", "waiting_entries", ["user_id", "id"])


def downgrade() -> None:
    """Drop it, and give back what is offered."""
    op.drop_table("waiting_entries")
    op.execute("DELETE FROM occupancies WHERE kind = 'offer'")
