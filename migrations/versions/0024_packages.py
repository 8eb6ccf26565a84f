"""Packages of hours, what firms bought of them, and a ledger that never goes below nothing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create them; the database adds entries up and refuses to change what was written."""
    _packages()
    _balances()
    _entries()
    _guards()
    op.add_column("reservations", sa.Column("prepaid_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        "fk_reservations_prepaid_id", "reservations", "prepaid_balances", ["prepaid_id"], ["id"]
    )
    op.create_index(
        "ix_reservations_prepaid",
        "reservations",
        ["prepaid_id"],
        postgresql_where=sa.text("prepaid_id IS NOT NULL"),
    )


def _packages() -> None:
    op.create_table(
        "hour_packages",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("customer_class", sa.String(), nullable=False),
        sa.Column("instrument_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("category_code", sa.String(), nullable=False),
        sa.Column("hours", sa.BigInteger(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("valid_months", sa.BigInteger(), nullable=False),
        sa.Column("conditions", sa.String(), nullable=False),
        sa.Column("replaces_id", sa.BigInteger(), nullable=True),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("published_by", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("withdrawn_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("hours BETWEEN 1 AND 10000", name=op.f("ck_hour_packages_hours")),
        sa.CheckConstraint(
            "price_minor > 0 AND price_minor % hours = 0", name=op.f("ck_hour_packages_price")
        ),
        sa.CheckConstraint("valid_months BETWEEN 1 AND 60", name=op.f("ck_hour_packages_months")),
        sa.CheckConstraint("customer_class <> 'internal'", name=op.f("ck_hour_packages_customer")),
        sa.CheckConstraint(
            "cardinality(instrument_ids) = 0 OR category_code = ''",
            name=op.f("ck_hour_packages_reach"),
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)",
            name=op.f("ck_hour_packages_withdrawn"),
        ),
        *_keys("hour_packages", institution_id="organisations", replaces_id="hour_packages"),
    )
    op.create_index("ix_hour_packages_institution", "hour_packages", ["institution_id", "id"])


def _balances() -> None:
    op.create_table(
        "prepaid_balances",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("package_id", sa.BigInteger(), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("left_minutes", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("left_minutes >= 0", name=op.f("ck_prepaid_balances_left")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_prepaid_balances_minutes")),
        sa.CheckConstraint("valid_until > paid_on", name=op.f("ck_prepaid_balances_valid")),
        *_keys(
            "prepaid_balances",
            package_id="hour_packages",
            institution_id="organisations",
            organisation_id="organisations",
        ),
    )
    op.create_index(
        "uq_prepaid_balances_reference",
        "prepaid_balances",
        ["institution_id", "reference"],
        unique=True,
    )
    op.create_index(
        "ix_prepaid_balances_organisation", "prepaid_balances", ["organisation_id", "id"]
    )
    op.create_index(op.f("ix_prepaid_balances_package_id"), "prepaid_balances", ["package_id"])
    op.create_index(
        "ix_prepaid_balances_ending",
        "prepaid_balances",
        ["valid_until"],
        postgresql_where=sa.text("left_minutes > 0"),
    )


def _entries() -> None:
    op.create_table(
        "prepaid_entries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("balance_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("reservation_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "CASE WHEN kind IN ('held', 'used', 'expired') THEN minutes < 0 "
            "WHEN kind IN ('bought', 'released') THEN minutes > 0 ELSE minutes <> 0 END",
            name=op.f("ck_prepaid_entries_sign"),
        ),
        sa.CheckConstraint(
            "(kind IN ('held', 'released', 'used')) = (reservation_id IS NOT NULL)",
            name=op.f("ck_prepaid_entries_reservation"),
        ),
        sa.CheckConstraint(
            "kind <> 'corrected' OR reason <> ''", name=op.f("ck_prepaid_entries_reason")
        ),
        *_keys("prepaid_entries", balance_id="prepaid_balances"),
    )
    op.create_index("ix_prepaid_entries_balance", "prepaid_entries", ["balance_id", "id"])
    op.create_index("ix_prepaid_entries_reservation", "prepaid_entries", ["reservation_id"])


def _keys(table: str, **columns: str) -> tuple[sa.Constraint, ...]:
    return (
        *(
            sa.ForeignKeyConstraint([column], [f"{of}.id"], name=op.f(f"fk_{table}_{column}"))
            for column, of in columns.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def _guards() -> None:
    """Add entries up; refuse all other changes of what was published, bought or written."""
    op.execute("""
        CREATE FUNCTION add_prepaid_entry() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE prepaid_balances SET left_minutes = left_minutes + NEW.minutes
             WHERE id = NEW.balance_id;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER prepaid_entries_add_up BEFORE INSERT ON prepaid_entries
        FOR EACH ROW EXECUTE FUNCTION add_prepaid_entry()
    """)
    op.execute("""
        CREATE FUNCTION refuse_prepaid_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' AND NEW.left_minutes = 0 THEN
                RETURN NEW;
            END IF;
            IF TG_OP = 'UPDATE' AND pg_trigger_depth() > 1
               AND to_jsonb(NEW) - 'left_minutes' = to_jsonb(OLD) - 'left_minutes' THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a prepaid balance changes by its entries only'
                USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    op.execute("""
        CREATE FUNCTION refuse_package_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.withdrawn_at IS NULL
               AND to_jsonb(NEW) - 'withdrawn_at' - 'withdrawn_by'
                 = to_jsonb(OLD) - 'withdrawn_at' - 'withdrawn_by' THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a published package never changes'
                USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    for table, when, function in (
        ("prepaid_entries", "UPDATE OR DELETE", "refuse_change"),
        ("prepaid_balances", "INSERT OR UPDATE OR DELETE", "refuse_prepaid_change"),
        ("hour_packages", "UPDATE OR DELETE", "refuse_package_change"),
    ):
        op.execute(f"""
            CREATE TRIGGER {table}_guard BEFORE {when} ON {table}
            FOR EACH ROW EXECUTE FUNCTION {function}()
        """)
        op.execute(f"""
            CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_reservations_prepaid", "reservations")
    op.drop_constraint("fk_reservations_prepaid_id", "reservations", type_="foreignkey")
    op.drop_column("reservations", "prepaid_id")
    for table in ("prepaid_entries", "prepaid_balances", "hour_packages"):
        op.drop_table(table)
    for function in ("add_prepaid_entry", "refuse_prepaid_change", "refuse_package_change"):
        op.execute(f"DROP FUNCTION {function}()")
