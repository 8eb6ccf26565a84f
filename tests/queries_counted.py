"""Counting statements: a list that asks once per row fails here, not in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from booking.kernel.db import db

# The tests' own; BEGIN and COMMIT never come as statements.
_BOOKKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK")


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements the driver sends while inside, whoever hands them to it."""
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def note(cursor: Any, statement: Any, *values: Any, **options: Any) -> Any:
        if not str(statement).startswith(_BOOKKEEPING):
            statements.append(str(statement))
        return execute(cursor, statement, *values, **options)

    db.session.flush()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", note)
        yield statements
        db.session.flush()
