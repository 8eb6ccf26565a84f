"""Finer customer classes of an institution, and which of them a reservation was priced by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create them, and let the database refuse to change what was published."""
    _groups()
    _terms()
    _members()
    _guard("price_group_terms", "'superseded_at'")
    _guard("price_group_members", "'until' - 'ended_by'")
    op.add_column("reservations", sa.Column("price_group_terms_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_reservations_price_group_terms_id"),
        "reservations",
        "price_group_terms",
        ["price_group_terms_id"],
        ["id"],
    )


def _groups() -> None:
    op.create_table(
        "price_groups",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("base_class", sa.String(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "base_class IN ('sme', 'large', 'research')", name=op.f("ck_price_groups_base_class")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["organisations.id"], name=op.f("fk_price_groups_institution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_groups")),
    )
    op.create_index(op.f("ix_price_groups_institution_id"), "price_groups", ["institution_id"])


def _terms() -> None:
    op.create_table(
        "price_group_terms",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("percent", sa.Numeric(5, 2), nullable=False),
        sa.Column("instruments", JSONB, nullable=False, server_default="{}"),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("published_by", sa.BigInteger(), nullable=False),
        sa.Column("effective_from", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=True),
        sa.Column("superseded_at", MOMENT, nullable=True),
        *(
            sa.CheckConstraint(check, name=op.f(f"ck_price_group_terms_{name}"))
            for name, check in (
                ("percent", "percent BETWEEN 0 AND 100"),
                ("period", "ends_at > effective_from"),
                ("superseded", "superseded_at >= effective_from"),
                ("announced", "effective_from >= published_at"),
                ("said", "name <> '' AND reason <> ''"),
            )
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["price_groups.id"], name=op.f("fk_price_group_terms_group_id")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["organisations.id"],
            name=op.f("fk_price_group_terms_institution_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_group_terms")),
    )
    op.create_index(op.f("ix_price_group_terms_group_id"), "price_group_terms", ["group_id"])
    op.execute("""
        ALTER TABLE price_group_terms ADD CONSTRAINT ex_price_group_terms_no_overlap
        EXCLUDE USING gist (
            int8range(group_id, group_id, '[]') WITH =,
            tstzrange(effective_from, least(ends_at, superseded_at)) WITH &&)
    """)
    op.execute("""
        ALTER TABLE price_group_terms ADD CONSTRAINT ex_price_group_terms_name
        EXCLUDE USING gist (
            int8range(institution_id, institution_id, '[]') WITH =,
            int4range(hashtext(name), hashtext(name), '[]') WITH =,
            tstzrange(effective_from, least(ends_at, superseded_at)) WITH &&)
    """)


def _members() -> None:
    op.create_table(
        "price_group_members",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("added_by", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("until >= since", name=op.f("ck_price_group_members_period")),
        sa.CheckConstraint(
            "ended_by IS NULL OR until IS NOT NULL", name=op.f("ck_price_group_members_ended")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["price_groups.id"], name=op.f("fk_price_group_members_group_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_price_group_members_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_group_members")),
    )
    op.create_index(op.f("ix_price_group_members_group_id"), "price_group_members", ["group_id"])
    op.create_index(
        "ix_price_group_members_organisation",
        "price_group_members",
        ["organisation_id", "group_id"],
    )
    op.execute("""
        ALTER TABLE price_group_members ADD CONSTRAINT ex_price_group_members_no_overlap
        EXCLUDE USING gist (
            int8range(group_id, group_id, '[]') WITH =,
            int8range(organisation_id, organisation_id, '[]') WITH =,
            tstzrange(since, until) WITH &&)
    """)


def _guard(table: str, ends: str) -> None:
    """Refuse every change of a row but that of its end."""
    op.execute(f"""
        CREATE FUNCTION refuse_{table}_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - {ends} = to_jsonb(OLD) - {ends} THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a published version or membership never changes'
                USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    op.execute(f"""
        CREATE TRIGGER {table}_never_change BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION refuse_{table}_change()
    """)
    op.execute(f"""
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_{table}_change()
    """)


def downgrade() -> None:
    """Drop them; what was agreed by a group keeps its lines."""
    op.drop_constraint(
        op.f("fk_reservations_price_group_terms_id"), "reservations", type_="foreignkey"
    )
    op.drop_column("reservations", "price_group_terms_id")
    for table in ("price_group_members", "price_group_terms", "price_groups"):
        op.drop_table(table)
    for table in ("price_group_members", "price_group_terms"):
        op.execute(f"DROP FUNCTION refuse_{table}_change()")
