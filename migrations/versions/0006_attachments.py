"""Table of instruments' photos and documents."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "attachments",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("caption", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=False),
        sa.Column("small_sha256", sa.String(), nullable=True),
        sa.Column("uploaded_by", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'photo') = (small_sha256 IS NOT NULL)", name=op.f("ck_attachments_small")
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name=op.f("fk_attachments_instrument_id")
        ),
        sa.ForeignKeyConstraint(
            ["file_sha256"], ["stored_files.sha256"], name=op.f("fk_attachments_file_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["small_sha256"], ["stored_files.sha256"], name=op.f("fk_attachments_small_sha256")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
        sa.UniqueConstraint("instrument_id", "kind", "file_sha256", name="uq_attachments_content"),
    )
    for name in ("file_sha256", "small_sha256"):
        op.create_index(op.f(f"ix_attachments_{name}"), "attachments", [name], unique=False)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("attachments")
