"""Tables of the booking core."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "attempts",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_attempts_failures")),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_last_at"), "attempts", ["last_at"], unique=False)
    op.create_table(
        "calendar_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_workday", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_days")),
    )
    op.create_table(
        "categories",
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("scheme", "code", name=op.f("pk_categories")),
    )
    op.create_table(
        "event_texts",
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("stamp", sa.String(), nullable=False),
        sa.Column("kept_until", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint(
            "source_id", "source", "audience", "locale", name=op.f("pk_event_texts")
        ),
    )
    op.create_table(
        "industries",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_industries")),
    )
    op.create_table(
        "job_runs",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("succeeded", sa.Boolean(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
        sa.UniqueConstraint("job", "due_at", name=op.f("uq_job_runs_job_due_at")),
    )
    op.create_table(
        "journal_entries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entries")),
    )
    op.create_index(
        "ix_journal_entries_subject",
        "journal_entries",
        ["subject_type", "subject_id"],
        unique=False,
    )
    op.create_table(
        "journal_seals",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("sealed_on", sa.Date(), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_count", sa.BigInteger(), nullable=False),
        sa.Column("previous_digest", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_seals")),
        sa.UniqueConstraint("first_id", name=op.f("uq_journal_seals_first_id")),
        sa.UniqueConstraint("sealed_on", name=op.f("uq_journal_seals_sealed_on")),
    )
    op.create_table(
        "regions",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("parent_code", sa.String(), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=True),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("code ~ '^[0-9]{6}$'", name=op.f("ck_regions_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regions")),
    )
    op.create_index(op.f("ix_regions_code"), "regions", ["code"], unique=False)
    op.create_index(op.f("ix_regions_parent_code"), "regions", ["parent_code"], unique=False)
    op.create_index(
        "uq_regions_code_name_valid_from",
        "regions",
        ["code", "name", "valid_from"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "stored_answers",
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_stored_answers")),
    )
    op.create_index(
        op.f("ix_stored_answers_created_at"), "stored_answers", ["created_at"], unique=False
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("mobile", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("password_changed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("invitation_digest", sa.String(), nullable=True),
        sa.Column("invited_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("purpose_notice", sa.String(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_users_email_lower")),
        sa.CheckConstraint(
            "email IS NOT NULL OR mobile IS NOT NULL", name=op.f("ck_users_reachable")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("invitation_digest", name=op.f("uq_users_invitation_digest")),
        sa.UniqueConstraint("mobile", name=op.f("uq_users_mobile")),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_tokens_digest")),
    )
    op.create_index(op.f("ix_api_tokens_user_id"), "api_tokens", ["user_id"], unique=False)
    op.create_table(
        "login_sessions",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("client", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_login_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_sessions")),
        sa.UniqueConstraint("digest", name=op.f("uq_login_sessions_digest")),
    )
    op.create_index(op.f("ix_login_sessions_user_id"), "login_sessions", ["user_id"], unique=False)
    op.create_table(
        "organisations",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("region_code", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("nrii_code", sa.String(), nullable=True),
        sa.Column("verified_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("verified_by", sa.BigInteger(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "uscc IS NOT NULL OR kind = 'platform'", name=op.f("ck_organisations_has_uscc")
        ),
        sa.CheckConstraint(
            "uscc ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'", name=op.f("ck_organisations_uscc")
        ),
        sa.ForeignKeyConstraint(
            ["verified_by"], ["users.id"], name=op.f("fk_organisations_verified_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("uscc", name=op.f("uq_organisations_uscc")),
    )
    op.create_table(
        "calendar_feeds",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(kind = 'user') = (organisation_id IS NULL)", name=op.f("ck_calendar_feeds_owner")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_calendar_feeds_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_calendar_feeds_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("digest", name=op.f("uq_calendar_feeds_digest")),
    )
    op.create_index(
        op.f("ix_calendar_feeds_organisation_id"),
        "calendar_feeds",
        ["organisation_id"],
        unique=False,
    )
    op.create_index(op.f("ix_calendar_feeds_user_id"), "calendar_feeds", ["user_id"], unique=False)
    op.create_table(
        "enterprise_declarations",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("industry_code", sa.String(), nullable=False),
        sa.Column("size_class", sa.String(), nullable=False),
        sa.Column("declared_on", sa.Date(), nullable=False),
        sa.Column("declared_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["declared_by"], ["users.id"], name=op.f("fk_enterprise_declarations_declared_by")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_enterprise_declarations_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enterprise_declarations")),
    )
    op.create_index(
        op.f("ix_enterprise_declarations_organisation_id"),
        "enterprise_declarations",
        ["organisation_id"],
        unique=False,
    )
    op.create_table(
        "instruments",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("institution_id", sa.BigInteger(), nullable=False),
        sa.Column("inner_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("english_name", sa.String(), nullable=False),
        sa.Column("category_scheme", sa.String(), nullable=False),
        sa.Column("category_code", sa.String(), nullable=False),
        sa.Column("instrument_type", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("worth_wan", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("funds", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("nation", sa.String(), nullable=False),
        sa.Column("manufacturer", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("commissioned_on", sa.Date(), nullable=True),
        sa.Column("subjects", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("technical", sa.String(), nullable=False),
        sa.Column("functions", sa.String(), nullable=False),
        sa.Column("service_content", sa.String(), nullable=False),
        sa.Column("achievement", sa.String(), nullable=False),
        sa.Column("requirement", sa.String(), nullable=False),
        sa.Column("fee_note", sa.String(), nullable=False),
        sa.Column("service_url", sa.String(), nullable=False),
        sa.Column("standards", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("region_code", sa.String(), nullable=True),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("postal_code", sa.String(), nullable=False),
        sa.Column("running_state", sa.String(), nullable=False),
        sa.Column("sharing_mode", sa.String(), nullable=False),
        sa.Column("customs_supervised", sa.Boolean(), nullable=False),
        sa.Column("customs_declaration", sa.String(), nullable=False),
        sa.Column("customs_item", sa.String(), nullable=False),
        sa.Column("customs_released_on", sa.Date(), nullable=True),
        sa.Column("customs_goods_name", sa.String(), nullable=False),
        sa.Column("attached_to", sa.String(), nullable=False),
        sa.Column("rated_hours", sa.BigInteger(), nullable=True),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("publication", sa.String(), nullable=False),
        sa.Column("published_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("contributed_by", sa.BigInteger(), nullable=True),
        sa.Column("source_format", sa.String(), nullable=False),
        sa.Column("source_row", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("search_text", sa.String(), nullable=False),
        sa.Column("search_tokens", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("name_pinyin", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "category_code ~ '^[0-9]{6}$'", name=op.f("ck_instruments_category_code")
        ),
        sa.CheckConstraint("units BETWEEN 1 AND 99", name=op.f("ck_instruments_units")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["organisations.id"], name=op.f("fk_instruments_institution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instruments")),
        sa.UniqueConstraint("institution_id", "inner_id", name="uq_instruments_inner_id"),
    )
    op.create_index(
        "ix_instruments_category", "instruments", ["category_code", "region_code"], unique=False
    )
    op.create_index(
        op.f("ix_instruments_institution_id"), "instruments", ["institution_id"], unique=False
    )
    op.create_index(
        op.f("ix_instruments_name_pinyin"), "instruments", ["name_pinyin"], unique=False
    )
    op.create_index("ix_instruments_region", "instruments", ["region_code"], unique=False)
    op.create_index(
        "ix_instruments_tokens",
        "instruments",
        ["search_tokens"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "memberships",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_memberships_organisation_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
    )
    op.create_index(
        op.f("ix_memberships_organisation_id"), "memberships", ["organisation_id"], unique=False
    )
    op.create_index(
        "uq_memberships_current",
        "memberships",
        ["user_id", "organisation_id", "role"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "closures",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.BigInteger(), nullable=True),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("lifted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_closures_forwards")),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name=op.f("fk_closures_instrument_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closures")),
    )
    op.create_index(op.f("ix_closures_instrument_id"), "closures", ["instrument_id"], unique=False)
    op.create_table(
        "prices",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_class", sa.String(), nullable=False),
        sa.Column("per_hour_minor", sa.BigInteger(), nullable=False),
        sa.Column("per_hour_currency", sa.String(), nullable=False),
        sa.Column("discount_percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("discount_reason", sa.String(), nullable=False),
        sa.Column("published_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("published_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "discount_percent >= 0 AND discount_percent <= 100", name=op.f("ck_prices_discount")
        ),
        sa.CheckConstraint("per_hour_minor >= 0", name=op.f("ck_prices_per_hour")),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name=op.f("fk_prices_instrument_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prices")),
    )
    op.create_index(op.f("ix_prices_instrument_id"), "prices", ["instrument_id"], unique=False)
    op.create_index(
        "uq_prices_current",
        "prices",
        ["instrument_id", "customer_class"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "schedules",
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_minutes", sa.BigInteger(), nullable=False),
        sa.Column("shortest_minutes", sa.BigInteger(), nullable=False),
        sa.Column("longest_minutes", sa.BigInteger(), nullable=False),
        sa.Column("lead_minutes", sa.BigInteger(), nullable=False),
        sa.Column("horizon_days", sa.BigInteger(), nullable=False),
        sa.Column("change_until_minutes", sa.BigInteger(), nullable=False),
        sa.Column("buffer_before_minutes", sa.BigInteger(), nullable=False),
        sa.Column("buffer_after_minutes", sa.BigInteger(), nullable=False),
        sa.Column("observes_holidays", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "buffer_after_minutes BETWEEN 0 AND 1440", name=op.f("ck_schedules_buffer_after")
        ),
        sa.CheckConstraint(
            "buffer_before_minutes BETWEEN 0 AND 1440", name=op.f("ck_schedules_buffer_before")
        ),
        sa.CheckConstraint(
            "grid_minutes IN (5, 10, 15, 20, 30, 60)", name=op.f("ck_schedules_grid")
        ),
        sa.CheckConstraint("horizon_days BETWEEN 1 AND 366", name=op.f("ck_schedules_horizon")),
        sa.CheckConstraint("lead_minutes BETWEEN 0 AND 43200", name=op.f("ck_schedules_lead")),
        sa.CheckConstraint("longest_minutes <= 20160", name=op.f("ck_schedules_longest")),
        sa.CheckConstraint(
            "shortest_minutes BETWEEN 5 AND longest_minutes", name=op.f("ck_schedules_shortest")
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name=op.f("fk_schedules_instrument_id")
        ),
        sa.PrimaryKeyConstraint("instrument_id", name=op.f("pk_schedules")),
    )
    op.create_table(
        "occupancies",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("closure_id", sa.BigInteger(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(instrument_id, instrument_id, '[]')"), "="),
            (sa.text("int8range(unit, unit, '[]')"), "="),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            using="gist",
            name="ex_occupancies_no_overlap",
        ),
        sa.CheckConstraint(
            "ends_at - starts_at <= interval '16 days'", name=op.f("ck_occupancies_length")
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_occupancies_forwards")),
        sa.CheckConstraint("unit >= 1", name=op.f("ck_occupancies_unit")),
        sa.ForeignKeyConstraint(
            ["closure_id"], ["closures.id"], name=op.f("fk_occupancies_closure_id")
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name=op.f("fk_occupancies_instrument_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occupancies")),
    )
    op.create_index(
        "ix_occupancies_closure",
        "occupancies",
        ["closure_id"],
        unique=False,
        postgresql_where=sa.text("closure_id IS NOT NULL"),
    )
    op.create_index(
        "ix_occupancies_instrument_ends",
        "occupancies",
        ["instrument_id", "ends_at", "starts_at"],
        unique=False,
        postgresql_include=["unit"],
    )
    op.create_table(
        "opening_hours",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("weekday", sa.BigInteger(), nullable=False),
        sa.Column("opens_minute", sa.BigInteger(), nullable=False),
        sa.Column("closes_minute", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "opens_minute >= 0 AND closes_minute <= 1440 AND opens_minute < closes_minute",
            name=op.f("ck_opening_hours_minutes"),
        ),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_opening_hours_weekday")),
        sa.ForeignKeyConstraint(
            ["instrument_id"],
            ["schedules.instrument_id"],
            name=op.f("fk_opening_hours_instrument_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_hours")),
    )
    op.create_index(
        op.f("ix_opening_hours_instrument_id"), "opening_hours", ["instrument_id"], unique=False
    )
    op.create_table(
        "special_days",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opens_minute", sa.BigInteger(), nullable=True),
        sa.Column("closes_minute", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint(
            "(opens_minute IS NULL) = (closes_minute IS NULL) AND (opens_minute IS NULL OR (opens_minute >= 0 AND closes_minute <= 1440 AND opens_minute < closes_minute))",
            name=op.f("ck_special_days_minutes"),
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"],
            ["schedules.instrument_id"],
            name=op.f("fk_special_days_instrument_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_special_days")),
    )
    op.create_index(
        "ix_special_days_instrument_day", "special_days", ["instrument_id", "day"], unique=False
    )
    op.create_table(
        "reservations",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("occupancy_id", sa.BigInteger(), nullable=True),
        sa.Column("unit", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("buffer_before_minutes", sa.BigInteger(), nullable=False),
        sa.Column("buffer_after_minutes", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("customer_class", sa.String(), nullable=False),
        sa.Column("price_id", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("list_minor", sa.BigInteger(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("baseline_minor", sa.BigInteger(), nullable=True),
        sa.Column("baseline_rank", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.BigInteger(), nullable=True),
        sa.Column("cancel_reason", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status NOT IN ('cancelled', 'declined', 'expired') OR occupancy_id IS NULL",
            name=op.f("ck_reservations_let_go"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('tentative', 'confirmed', 'in_use') OR occupancy_id IS NOT NULL",
            name=op.f("ck_reservations_holds"),
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_reservations_forwards")),
        sa.CheckConstraint(
            "price_minor >= 0 AND list_minor >= price_minor", name=op.f("ck_reservations_price")
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name=op.f("fk_reservations_instrument_id")
        ),
        sa.ForeignKeyConstraint(
            ["occupancy_id"],
            ["occupancies.id"],
            name=op.f("fk_reservations_occupancy_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_reservations_organisation_id")
        ),
        sa.ForeignKeyConstraint(["price_id"], ["prices.id"], name=op.f("fk_reservations_price_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reservations_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
        sa.UniqueConstraint("occupancy_id", name=op.f("uq_reservations_occupancy_id")),
    )
    op.create_index(
        "ix_reservations_instrument", "reservations", ["instrument_id", "ends_at"], unique=False
    )
    op.create_index(
        "ix_reservations_organisation", "reservations", ["organisation_id", "id"], unique=False
    )
    op.create_index(
        "ix_reservations_organisation_ends",
        "reservations",
        ["organisation_id", "ends_at"],
        unique=False,
    )
    op.create_index(
        "ix_reservations_paid_in_full",
        "reservations",
        ["price_id"],
        unique=False,
        postgresql_where=sa.text(
            "price_minor = list_minor AND status IN ('usage_confirmed', 'settled', 'closed')"
        ),
    )
    op.create_index("ix_reservations_user", "reservations", ["user_id", "id"], unique=False)
    op.create_index(
        "ix_reservations_user_ends", "reservations", ["user_id", "ends_at"], unique=False
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_reservations_user_ends", table_name="reservations")
    op.drop_index("ix_reservations_user", table_name="reservations")
    op.drop_index(
        "ix_reservations_paid_in_full",
        table_name="reservations",
        postgresql_where=sa.text(
            "price_minor = list_minor AND status IN ('usage_confirmed', 'settled', 'closed')"
        ),
    )
    op.drop_index("ix_reservations_organisation_ends", table_name="reservations")
    op.drop_index("ix_reservations_organisation", table_name="reservations")
    op.drop_index("ix_reservations_instrument", table_name="reservations")
    op.drop_table("reservations")
    op.drop_index("ix_special_days_instrument_day", table_name="special_days")
    op.drop_table("special_days")
    op.drop_index(op.f("ix_opening_hours_instrument_id"), table_name="opening_hours")
    op.drop_table("opening_hours")
    op.drop_index(
        "ix_occupancies_instrument_ends", table_name="occupancies", postgresql_include=["unit"]
    )
    op.drop_index(
        "ix_occupancies_closure",
        table_name="occupancies",
        postgresql_where=sa.text("closure_id IS NOT NULL"),
    )
    op.drop_table("occupancies")
    op.drop_table("schedules")
    op.drop_index(
        "uq_prices_current", table_name="prices", postgresql_where=sa.text("superseded_at IS NULL")
    )
    op.drop_index(op.f("ix_prices_instrument_id"), table_name="prices")
    op.drop_table("prices")
    op.drop_index(op.f("ix_closures_instrument_id"), table_name="closures")
    op.drop_table("closures")
    op.drop_index(
        "uq_memberships_current",
        table_name="memberships",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index(op.f("ix_memberships_organisation_id"), table_name="memberships")
    op.drop_table("memberships")
    op.drop_index("ix_instruments_tokens", table_name="instruments", postgresql_using="gin")
    op.drop_index("ix_instruments_region", table_name="instruments")
    op.drop_index(op.f("ix_instruments_name_pinyin"), table_name="instruments")
    op.drop_index(op.f("ix_instruments_institution_id"), table_name="instruments")
    op.drop_index("ix_instruments_category", table_name="instruments")
    op.drop_table("instruments")
    op.drop_index(
        op.f("ix_enterprise_declarations_organisation_id"), table_name="enterprise_declarations"
    )
    op.drop_table("enterprise_declarations")
    op.drop_index(op.f("ix_calendar_feeds_user_id"), table_name="calendar_feeds")
    op.drop_index(op.f("ix_calendar_feeds_organisation_id"), table_name="calendar_feeds")
    op.drop_table("calendar_feeds")
    op.drop_table("organisations")
    op.drop_index(op.f("ix_login_sessions_user_id"), table_name="login_sessions")
    op.drop_table("login_sessions")
    op.drop_index(op.f("ix_api_tokens_user_id"), table_name="api_tokens")
    op.drop_table("api_tokens")
    op.drop_table("users")
    op.drop_index(op.f("ix_stored_answers_created_at"), table_name="stored_answers")
    op.drop_table("stored_answers")
    op.drop_index(
        "uq_regions_code_name_valid_from", table_name="regions", postgresql_nulls_not_distinct=True
    )
    op.drop_index(op.f("ix_regions_parent_code"), table_name="regions")
    op.drop_index(op.f("ix_regions_code"), table_name="regions")
    op.drop_table("regions")
    op.drop_table("journal_seals")
    op.drop_index("ix_journal_entries_subject", table_name="journal_entries")
    op.drop_table("journal_entries")
    op.drop_table("job_runs")
    op.drop_table("industries")
    op.drop_table("event_texts")
    op.drop_table("categories")
    op.drop_table("calendar_days")
    op.drop_index(op.f("ix_attempts_last_at"), table_name="attempts")
    op.drop_table("attempts")
