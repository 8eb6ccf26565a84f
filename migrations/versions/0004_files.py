"""Table of stored files."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "stored_files",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=True),
        sa.Column("height", sa.BigInteger(), nullable=True),
        sa.Column("stored_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("unused_since", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_stored_files_sha256")),
        sa.CheckConstraint("size > 0", name=op.f("ck_stored_files_size")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_stored_files")),
    )
    op.create_index(
        "ix_stored_files_unused",
        "stored_files",
        ["unused_since"],
        unique=False,
        postgresql_where=sa.text("unused_since IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop it; the contents stay where they lie."""
    op.drop_table("stored_files")
