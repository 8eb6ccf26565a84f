"""/healthz: the process is up. /readyz: the database answers and its migrations are current."""

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from booking.kernel.db import db


def init_health(app: Flask) -> None:
    """Register the two addresses."""
    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", readyz)


def healthz() -> ResponseReturnValue:
    """Say that the process is up."""
    return {"status": "ok"}


def readyz() -> ResponseReturnValue:
    """Say whether requests can be served; 503 with the reason if not."""
    try:
        found = current()
    except SQLAlchemyError:
        return {"status": "database_unreachable"}, 503
    wanted = head()
    if found != wanted:
        return {"status": "migrations_pending", "current": found, "wanted": wanted}, 503
    return {"status": "ok", "migration": found}


def current() -> str | None:
    """Return the migration the database stands at."""
    found: str | None = MigrationContext.configure(db.session.connection()).get_current_revision()
    return found


def head() -> str | None:
    """Return the newest migration in the code."""
    directory = current_app.extensions["migrate"].directory
    return ScriptDirectory(directory).get_current_head()


def knows(revision: str) -> bool:
    """Tell whether the code has this migration."""
    directory = current_app.extensions["migrate"].directory
    return revision in {each.revision for each in ScriptDirectory(directory).walk_revisions()}
