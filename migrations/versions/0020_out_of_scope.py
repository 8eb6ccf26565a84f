"""Who is related to whom, what the ledger leaves out of scope, and fees finance has dealt with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; whatever was agreed so far is no statutory test, and passes nothing on."""
    _groups()
    _members()
    _fees()
    op.add_column(
        "reservations",
        sa.Column("is_statutory", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("uses", sa.Column("not_counted", sa.String(), nullable=True))
    op.add_column(
        "uses", sa.Column("passed_on_minor", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("uses", sa.Column("passed_on", postgresql.JSONB(), nullable=True))
    op.create_check_constraint(op.f("ck_uses_passed_on"), "uses", "passed_on_minor >= 0")
    op.create_check_constraint(
        op.f("ck_uses_not_counted"), "uses", "not_counted IS NULL OR baseline_minor IS NULL"
    )
    op.add_column("savings_lines", sa.Column("size_class", sa.String(), nullable=True))


def _groups() -> None:
    op.create_table(
        "related_groups",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("declared_by", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_related_groups_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["declared_by"], ["users.id"], name=op.f("fk_related_groups_declared_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_related_groups")),
    )
    op.create_index("ix_related_groups_organisation", "related_groups", ["organisation_id"])


def _members() -> None:
    op.create_table(
        "related_members",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "uscc ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'", name=op.f("ck_related_members_uscc")
        ),
        sa.CheckConstraint("until >= since", name=op.f("ck_related_members_forwards")),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["related_groups.id"],
            name=op.f("fk_related_members_group_id_related_groups"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_related_members")),
        sa.UniqueConstraint("group_id", "uscc", name=op.f("uq_related_members_group_id_uscc")),
    )
    op.create_index("ix_related_members_uscc", "related_members", ["uscc"])


def _fees() -> None:
    op.create_table(
        "fee_settlements",
        sa.Column("reservation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("settlement", sa.String(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("settled_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "CASE WHEN settlement = 'waived' THEN reason <> '' ELSE reference <> '' END",
            name=op.f("ck_fee_settlements_why"),
        ),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["reservations.id"],
            name=op.f("fk_fee_settlements_reservation_id_reservations"),
        ),
        sa.PrimaryKeyConstraint("reservation_id", name=op.f("pk_fee_settlements")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_column("savings_lines", "size_class")
    op.drop_constraint(op.f("ck_uses_not_counted"), "uses", type_="check")
    op.drop_constraint(op.f("ck_uses_passed_on"), "uses", type_="check")
    op.drop_column("uses", "passed_on")
    op.drop_column("uses", "passed_on_minor")
    op.drop_column("uses", "not_counted")
    op.drop_column("reservations", "is_statutory")
    for table in ("fee_settlements", "related_members", "related_groups"):
        op.drop_table(table)
