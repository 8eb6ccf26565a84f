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
from booking.kernel.wire import Row, Wire

__all__ = ["Row", "first", "rows"]

_WIRE = "booking_wire"  # beside the pool's connection, as long as that lives


def first(statement: str, values: Mapping[str, Any]) -> Row | None:
    """Return the first row, or None; the statement names its values as `%(name)s`.

    What the session holds back is written first. Raises what the session would raise.
    """
    return next(iter(rows(statement, values)), None)


def rows(statement: str, values: Mapping[str, Any]) -> Sequence[Row]:
    """Return all rows; otherwise as `first`."""
    session = db.session()
    session.flush()
    connection = session.connection()
    try:
        return _wire(connection).run(statement, values)
    except psycopg.Error as exc:
        raise _as_sqlalchemy(exc, connection, statement, values) from exc


def _wire(connection: Connection) -> Wire:
    pooled = connection.connection
    wire = pooled.info.get(_WIRE)
    if wire is None:
        driver: psycopg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]
        wire = pooled.info[_WIRE] = Wire(driver)
    return wire


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
