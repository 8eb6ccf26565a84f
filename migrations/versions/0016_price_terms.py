"""A price says how it is charged and from when it holds; what was agreed keeps its lines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the columns, and let the database refuse to change what was published."""
    op.add_column("prices", sa.Column("terms", JSONB, nullable=False, server_default="{}"))
    op.add_column(
        "prices",
        sa.Column("effective_from", MOMENT, nullable=False, server_default=sa.text("now()")),
    )
    op.execute("UPDATE prices SET effective_from = published_at")
    op.create_check_constraint("period", "prices", "superseded_at >= effective_from")
    op.create_check_constraint("announced", "prices", "effective_from >= published_at")
    op.execute("""
        ALTER TABLE prices ADD CONSTRAINT ex_prices_no_overlap EXCLUDE USING gist (
            int8range(instrument_id, instrument_id, '[]') WITH =,
            int4range(hashtext(customer_class), hashtext(customer_class), '[]') WITH =,
            tstzrange(effective_from, superseded_at) WITH &&)
    """)
    _guard()
    op.add_column(
        "reservations", sa.Column("samples", sa.BigInteger(), nullable=False, server_default="1")
    )
    op.add_column(
        "reservations", sa.Column("fee_minor", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("reservations", sa.Column("lines", JSONB, nullable=True))
    op.create_check_constraint("samples", "reservations", "samples >= 1")
    op.create_check_constraint(
        "fee",
        "reservations",
        "fee_minor BETWEEN 0 AND price_minor "
        "AND (fee_minor = 0 OR status IN ('cancelled', 'no_show', 'settled', 'closed'))",
    )
    op.add_column("uses", sa.Column("samples", sa.BigInteger(), nullable=True))
    op.add_column("uses", sa.Column("lines", JSONB, nullable=True))
    op.create_check_constraint("samples", "uses", "samples >= 0")


def _guard() -> None:
    """Refuse every change of a published version but the moment at which its successor holds."""
    op.execute("""
        CREATE FUNCTION refuse_price_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE'
               AND to_jsonb(NEW) - 'superseded_at' = to_jsonb(OLD) - 'superseded_at' THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a published price never changes'
                USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER prices_never_change BEFORE UPDATE OR DELETE ON prices
        FOR EACH ROW EXECUTE FUNCTION refuse_price_change()
    """)
    op.execute("""
        CREATE TRIGGER prices_no_truncate BEFORE TRUNCATE ON prices
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_price_change()
    """)


def downgrade() -> None:
    """Take them away."""
    op.drop_constraint("samples", "uses", type_="check")
    for column in ("lines", "samples"):
        op.drop_column("uses", column)
    for name in ("fee", "samples"):
        op.drop_constraint(name, "reservations", type_="check")
    for column in ("lines", "fee_minor", "samples"):
        op.drop_column("reservations", column)
    op.execute("DROP TRIGGER prices_no_truncate ON prices")
    op.execute("DROP TRIGGER prices_never_change ON prices")
    op.execute("DROP FUNCTION refuse_price_change()")
    op.execute("ALTER TABLE prices DROP CONSTRAINT ex_prices_no_overlap")
    for name in ("announced", "period"):
        op.drop_constraint(name, "prices", type_="check")
    for column in ("effective_from", "terms"):
        op.drop_column("prices", column)
