"""Runs migrations in one transaction each, with a lock timeout so that they never queue traffic."""

from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app

from booking.kernel.db import UtcDateTime, Word, db

LOCK_TIMEOUT = "5s"


def render_item(kind: str, obj: Any, _: AutogenContext) -> str | bool:
    """Write our column types as what they are in the database."""
    if kind == "type" and isinstance(obj, UtcDateTime):
        return "sa.TIMESTAMP(timezone=True)"
    if kind == "type" and isinstance(obj, Word):
        return "sa.String()"
    return False


def run() -> None:
    """Upgrade or downgrade over the application's own engine."""
    with db.engine.connect() as connection:
        connection.execute(sa.text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(sa.text("SET statement_timeout = 0"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=current_app.extensions["sqlalchemy"].metadata,
            render_item=render_item,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
