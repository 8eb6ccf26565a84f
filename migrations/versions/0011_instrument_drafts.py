"""Table of instruments that somebody is still writing up."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "instrument_drafts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("saved_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("typed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("was_tried", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["organisations.id"],
            name=op.f("fk_instrument_drafts_institution_id"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_instrument_drafts_created_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instrument_drafts")),
    )
    op.create_index(op.f("ix_instrument_drafts_created_by"), "instrument_drafts", ["created_by"])


def downgrade() -> None:
    """Drop it, with what was typed."""
    op.drop_table("instrument_drafts")
