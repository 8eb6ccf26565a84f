"""Counting statements: a list that asks once per row fails here, not in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from booking.kernel.db import db

_BOOKKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK")


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements sent while inside, without the tests' own savepoints."""
    statements: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(_BOOKKEEPING):
            statements.append(statement)

    db.session.flush()
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
        db.session.flush()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
