"""When a person was forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.add_column("users", sa.Column("erased_at", sa.TIMESTAMP(timezone=True), nullable=True))


def downgrade() -> None:
    """Drop it; pseudonyms stay what they are."""
    op.drop_column("users", "erased_at")
