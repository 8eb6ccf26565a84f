"""What the operator's pages need: runs asked for, and ways into the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "job_requests",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("asked_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_requests")),
    )
    op.create_index(
        "uq_job_requests_waiting",
        "job_requests",
        ["job"],
        unique=True,
        postgresql_where=sa.text("taken_at IS NULL"),
    )
    op.create_index("ix_journal_entries_actor", "journal_entries", ["actor_id", "id"])
    op.create_index("ix_journal_entries_action", "journal_entries", ["action", "id"])
    op.create_index("ix_journal_entries_at", "journal_entries", ["at"], postgresql_using="brin")


def downgrade() -> None:
    """Drop them."""
    for name in ("at", "action", "actor"):
        op.drop_index(f"ix_journal_entries_{name}", table_name="journal_entries")
    op.drop_table("job_requests")
