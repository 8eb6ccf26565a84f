"""Reservations made together: several at one confirmation, or a series."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it; what was reserved before belongs to no group."""
    op.create_table(
        "reservation_groups",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("size BETWEEN 1 AND 60", name=op.f("ck_reservation_groups_size")),
        sa.CheckConstraint(
            "(kind = 'series') = (rule IS NOT NULL) AND (rule IS NULL) = (time_zone IS NULL)",
            name=op.f("ck_reservation_groups_rule"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_reservation_groups_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_reservation_groups_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation_groups")),
        sa.UniqueConstraint("id", "organisation_id", name="uq_reservation_groups_whose"),
    )
    op.add_column("reservations", sa.Column("group_id", sa.BigInteger(), nullable=True))
    # Together with the organisation: nobody's reservation is in another's group.
    op.create_foreign_key(
        "fk_reservations_group",
        "reservations",
        "reservation_groups",
        ["group_id", "organisation_id"],
        ["id", "organisation_id"],
    )
    op.create_index(
        "ix_reservations_group",
        "reservations",
        ["group_id"],
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop it; the reservations stay, each by itself."""
    op.drop_index("ix_reservations_group", table_name="reservations")
    op.drop_constraint("fk_reservations_group", "reservations", type_="foreignkey")
    op.drop_column("reservations", "group_id")
    op.drop_table("reservation_groups")
