"""Verifications that were sent back: by whom, when and why."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column("organisations", sa.Column("declined_at", sa.TIMESTAMP(timezone=True)))
    op.add_column("organisations", sa.Column("declined_by", sa.BigInteger()))
    op.add_column(
        "organisations",
        sa.Column("declined_reason", sa.String(), nullable=False, server_default=""),
    )
    op.create_foreign_key(
        op.f("fk_organisations_declined_by"), "organisations", "users", ["declined_by"], ["id"]
    )


def downgrade() -> None:
    """Drop them; what was sent back waits again."""
    op.drop_constraint(op.f("fk_organisations_declined_by"), "organisations", type_="foreignkey")
    for name in ("declined_reason", "declined_by", "declined_at"):
        op.drop_column("organisations", name)
