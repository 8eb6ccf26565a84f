"""Tables of use and savings: how a reservation was used and settled, and what that saved."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them; lines of savings are only ever added."""
    _create_uses()
    _create_savings()
    op.execute("""
        CREATE TRIGGER savings_lines_append_only BEFORE UPDATE OR DELETE ON savings_lines
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER savings_lines_no_truncate BEFORE TRUNCATE ON savings_lines
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)


def _create_uses() -> None:
    op.create_table(
        "uses",
        sa.Column("reservation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("started_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("minutes", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("list_minor", sa.BigInteger(), nullable=True),
        sa.Column("price_minor", sa.BigInteger(), nullable=True),
        sa.Column("baseline_minor", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("confirmed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.BigInteger(), nullable=True),
        sa.Column("objection_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("agreed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("objected_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("objection", sa.String(), nullable=False),
        sa.Column("settlement", sa.String(), nullable=True),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("settled_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (minutes IS NULL) AND (confirmed_at IS NULL) = (price_minor IS NULL) AND (confirmed_at IS NULL) = (list_minor IS NULL) AND (confirmed_at IS NULL OR ended_at IS NOT NULL)",
            name=op.f("ck_uses_confirmed"),
        ),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settlement IS NULL) AND (settled_at IS NULL) = (settled_on IS NULL) AND (settled_at IS NULL OR confirmed_at IS NOT NULL)",
            name=op.f("ck_uses_settled"),
        ),
        sa.CheckConstraint("ended_at > started_at", name=op.f("ck_uses_forwards")),
        sa.CheckConstraint(
            "price_minor BETWEEN 0 AND list_minor AND minutes >= 0", name=op.f("ck_uses_price")
        ),
        sa.ForeignKeyConstraint(
            ["reservation_id"], ["reservations.id"], name=op.f("fk_uses_reservation_id")
        ),
        sa.PrimaryKeyConstraint("reservation_id", name=op.f("pk_uses")),
    )


def _create_savings() -> None:
    op.create_table(
        "savings_lines",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_class", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("baseline_minor", sa.BigInteger(), nullable=True),
        sa.Column("baseline_rank", sa.BigInteger(), nullable=True),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("cash_minor", sa.BigInteger(), nullable=False),
        sa.Column("relief_minor", sa.BigInteger(), nullable=False),
        sa.Column("subsidy_minor", sa.BigInteger(), nullable=False),
        sa.Column("not_counted", sa.String(), nullable=True),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=False),
        sa.Column("corrects_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("written_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(baseline_minor IS NULL) = (not_counted IS NOT NULL) AND (baseline_minor IS NULL) = (baseline_rank IS NULL) AND (baseline_minor IS NOT NULL OR relief_minor = 0)",
            name=op.f("ck_savings_lines_counted"),
        ),
        sa.CheckConstraint(
            "(corrects_id IS NULL) = (reason IS NULL)", name=op.f("ck_savings_lines_correction")
        ),
        sa.CheckConstraint(
            "baseline_minor IS NULL OR baseline_minor = cash_minor + relief_minor + subsidy_minor",
            name=op.f("ck_savings_lines_identity"),
        ),
        sa.CheckConstraint(
            "corrects_id IS NOT NULL OR (quantity >= 0 AND price_minor >= 0 AND subsidy_minor >= 0)",
            name=op.f("ck_savings_lines_signs"),
        ),
        sa.CheckConstraint(
            "price_minor = cash_minor + subsidy_minor", name=op.f("ck_savings_lines_paid")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["savings_lines.id"], name=op.f("fk_savings_lines_corrects_id")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["organisations.id"], name=op.f("fk_savings_lines_institution_id")
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name=op.f("fk_savings_lines_instrument_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_savings_lines_organisation_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_savings_lines_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_savings_lines")),
    )
    op.create_index(
        "ix_savings_lines_corrects",
        "savings_lines",
        ["corrects_id"],
        unique=False,
        postgresql_where=sa.text("corrects_id IS NOT NULL"),
    )
    op.create_index(
        "ix_savings_lines_institution",
        "savings_lines",
        ["institution_id", "counted_on"],
        unique=False,
    )
    op.create_index(
        "ix_savings_lines_organisation",
        "savings_lines",
        ["organisation_id", "counted_on"],
        unique=False,
    )
    op.create_index(
        "uq_savings_lines_subject",
        "savings_lines",
        ["subject_type", "subject_id"],
        unique=True,
        postgresql_where=sa.text("corrects_id IS NULL"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("savings_lines")
    op.drop_table("uses")
