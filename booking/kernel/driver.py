"""Statements handed straight to the driver, inside the session's own transaction.

For the few that every request sends: there SQLAlchemy's execution costs more than the statement
itself (docs/decisions/0013). Everything else goes through the session.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from booking.kernel.db import db

Row = tuple[Any, ...]


def first(statement: str, values: Mapping[str, Any]) -> Row | None:
    """Return the first row, or None; the statement names its values as `%(name)s`.

    What the session holds back is written first. Raises what the session would raise.
    """
    return _executed(statement, values).fetchone()


def rows(statement: str, values: Mapping[str, Any]) -> Sequence[Row]:
    """Return all rows; otherwise as `first`."""
    return _executed(statement, values).fetchall()


def _executed(statement: str, values: Mapping[str, Any]) -> psycopg.Cursor[Row]:
    session = db.session()
    session.flush()
    connection = session.connection()
    driver: psycopg.Connection[Row] = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        return driver.execute(statement, values, prepare=True)
    except psycopg.Error as exc:
        raise _as_sqlalchemy(exc, connection, statement, values) from exc


def _as_sqlalchemy(
    error: psycopg.Error, connection: Connection, statement: str, values: Mapping[str, Any]
) -> BaseException:
    """Return the error SQLAlchemy makes of it; a lost connection leaves the pool."""
    driver = connection.connection.driver_connection
    lost = connection.dialect.is_disconnect(error, driver, None)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(error)
    return DBAPIError.instance(
        statement,
        values,
        error,
        psycopg.Error,
        connection_invalidated=lost,
        dialect=connection.dialect,
    )
