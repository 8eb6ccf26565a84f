"""Booking policy: who may book, quotas, nights and pairs, with defaults of the institution."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INHERITED = "'{classes,gap_minutes,quotas,night,days_off}'"

# Beside the sheet of a booking, in the same round trip: first it waits for whoever books by the
# same quotas or pairs, then it looks. Each statement of a volatile function sees what was
# committed before it began, so the one who waited sees what the other booked.
BESIDE = """
CREATE FUNCTION booked_beside(
    instrument bigint, firm bigint, itself bigint, starts timestamptz, ends timestamptz,
    since timestamptz, counts boolean, waits boolean
) RETURNS json LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    lock integer;
    held json;
    pairs json;
    alone json;
BEGIN
    IF waits THEN
        FOR lock IN
            SELECT hashtext(format('firm %s %s', firm, instrument)) WHERE counts
            UNION
            SELECT hashtext(format('pair %s %s', least(p.instrument_id, p.other_id),
                                   greatest(p.instrument_id, p.other_id)))
              FROM instrument_pairs p WHERE p.instrument_id = instrument
            ORDER BY 1
        LOOP
            PERFORM pg_advisory_xact_lock(1347374153, lock);
        END LOOP;
    END IF;
    IF counts THEN
        SELECT json_build_array(
                   array_agg(r.user_id),
                   array_agg(floor(date_part('epoch', r.starts_at) / 60)::bigint),
                   array_agg(ceil(date_part('epoch', r.ends_at) / 60)::bigint))
          INTO held
          FROM reservations r
         WHERE r.instrument_id = instrument AND r.organisation_id = firm
           AND r.ends_at > since AND r.id <> itself
           AND r.status NOT IN ('cancelled', 'declined', 'expired');
    END IF;
    SELECT json_agg(json_build_array(p.other_id, i.name, p.pairing,
        CASE p.pairing
        WHEN 'needed_by' THEN false
        WHEN 'apart_all' THEN EXISTS (
            SELECT FROM occupancies o
             WHERE o.instrument_id = p.other_id AND o.ends_at > starts
               AND o.starts_at < ends AND o.ends_at < ends + interval '16 days'
               AND o.kind IN ('reservation', 'own_use'))
        ELSE EXISTS (
            SELECT FROM reservations r
             WHERE r.instrument_id = p.other_id AND r.organisation_id = firm
               AND r.ends_at > starts AND r.starts_at < ends
               AND r.status NOT IN ('cancelled', 'declined', 'expired', 'no_show')) END)
        ORDER BY p.pairing, p.other_id)
      INTO pairs
      FROM instrument_pairs p JOIN instruments i ON i.id = p.other_id
     WHERE p.instrument_id = instrument;
    IF itself > 0 AND pairs IS NOT NULL THEN
        SELECT json_agg(json_build_array(n.id, i.name, n.starts_at, n.ends_at) ORDER BY n.id)
          INTO alone
          FROM instrument_pairs p
          JOIN reservations mine ON mine.id = itself
          JOIN reservations n ON n.instrument_id = p.other_id AND n.organisation_id = firm
           AND n.status IN ('tentative', 'confirmed', 'in_use')
           AND n.ends_at > mine.starts_at AND n.starts_at < mine.ends_at
          JOIN instruments i ON i.id = n.instrument_id
         WHERE p.instrument_id = instrument AND p.pairing = 'needed_by'
           AND NOT EXISTS (
               SELECT FROM reservations other
                WHERE other.instrument_id = instrument AND other.organisation_id = firm
                  AND other.id <> itself AND other.ends_at > n.starts_at
                  AND other.starts_at < n.ends_at
                  AND other.status IN ('tentative', 'confirmed', 'in_use'));
    END IF;
    RETURN json_build_array(held, pairs, alone);
END $$
"""


def upgrade() -> None:
    """Create it; schedules keep their terms and inherit everything else, which is nothing yet."""
    op.add_column("schedules", sa.Column("classes", postgresql.ARRAY(sa.String())))
    op.add_column("schedules", sa.Column("conditions", postgresql.JSONB()))
    op.add_column(
        "schedules",
        sa.Column(
            "inherits",
            postgresql.ARRAY(sa.String()),
            nullable=False,
            server_default=sa.text(INHERITED),
        ),
    )
    op.create_check_constraint(
        op.f("ck_schedules_classes"), "schedules", "cardinality(classes) > 0"
    )
    op.create_index(
        "ix_schedules_restricted",
        "schedules",
        ["instrument_id"],
        postgresql_where=sa.text("classes IS NOT NULL"),
        postgresql_include=["classes"],
    )
    op.create_table(
        "policy_defaults",
        sa.Column("institution_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("given", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["organisations.id"],
            name=op.f("fk_policy_defaults_institution_id"),
        ),
        sa.PrimaryKeyConstraint("institution_id", name=op.f("pk_policy_defaults")),
    )
    op.create_table(
        "instrument_pairs",
        sa.Column("instrument_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("other_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pairing", sa.String(), nullable=False),
        sa.CheckConstraint("instrument_id <> other_id", name=op.f("ck_instrument_pairs_two")),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name=op.f("fk_instrument_pairs_instrument_id")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["instruments.id"], name=op.f("fk_instrument_pairs_other_id")
        ),
        sa.PrimaryKeyConstraint(
            "instrument_id", "other_id", "pairing", name=op.f("pk_instrument_pairs")
        ),
    )
    op.create_table(
        "overrides",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("reservation_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reservation_id"], ["reservations.id"], name=op.f("fk_overrides_reservation_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_overrides_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overrides")),
    )
    op.create_index(op.f("ix_overrides_reservation_id"), "overrides", ["reservation_id"])
    op.execute(BESIDE)


def downgrade() -> None:
    """Drop it; all may book again as their terms say."""
    op.execute(
        "DROP FUNCTION booked_beside(bigint, bigint, bigint, timestamptz, timestamptz, "
        "timestamptz, boolean, boolean)"
    )
    for table in ("overrides", "instrument_pairs", "policy_defaults"):
        op.drop_table(table)
    op.drop_index("ix_schedules_restricted", table_name="schedules")
    op.drop_constraint(op.f("ck_schedules_classes"), "schedules", type_="check")
    for name in ("inherits", "conditions", "classes"):
        op.drop_column("schedules", name)
