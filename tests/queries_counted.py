"""Counting statements: a list that asks once per row fails here, not in production."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from booking.kernel.db import db
from booking.kernel.wire import Wire

# The tests' own; BEGIN and COMMIT never come as statements.
_BOOKKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK")


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements the driver sends while inside, whoever hands them to it."""
    statements: list[str] = []

    def noting(send: Callable[..., Any]) -> Callable[..., Any]:
        def note(sender: Any, statement: Any, *values: Any, **options: Any) -> Any:
            if not str(statement).startswith(_BOOKKEEPING):
                statements.append(str(statement))
            return send(sender, statement, *values, **options)

        return note

    db.session.flush()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", noting(psycopg.Cursor.execute))
        patch.setattr(Wire, "run", noting(Wire.run))
        yield statements
        db.session.flush()
