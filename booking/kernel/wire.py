"""A prepared statement in one call of libpq: what psycopg's cursor does, without its generality.

A cursor costs several times as much and gives the interpreter's lock away twice as often, which
is what threads under load wait for (docs/decisions/0013).
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

Row = tuple[Any, ...]

_NAMED = re.compile(r"%\((\w+)\)s")
_DONE = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK})


class Wire:
    """One connection and what has been prepared on it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._libpq = connection.pgconn
        self._encoding = connection.info.encoding
        self._adapter = Transformer(connection)
        self._prepared: dict[tuple[str, tuple[int, ...]], bytes] = {}

    def run(self, statement: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Return its rows, in a transaction as the driver begins one; raises its errors."""
        if self._libpq.transaction_status == TransactionStatus.IDLE:
            self._checked(self._libpq.exec_(b"BEGIN"))
        names, numbered = _numbered(statement)
        given = self._adapter.dump_sequence(
            [values[name] for name in names], [PyFormat.AUTO] * len(names)
        )
        types, formats = self._adapter.types or (), self._adapter.formats
        name = self._prepared.get((statement, types)) or self._prepare(statement, numbered, types)
        # The stub forgets that a value may be NULL.
        result = self._checked(self._libpq.exec_prepared(name, given, formats))  # type: ignore[arg-type]
        self._adapter.set_pgresult(result)
        return self._adapter.load_rows(0, result.ntuples, tuple)

    def _prepare(self, statement: str, numbered: bytes, types: tuple[int, ...]) -> bytes:
        name = f"wire_{len(self._prepared)}".encode()
        self._checked(self._libpq.prepare(name, numbered, types))
        self._prepared[statement, types] = name
        return name

    def _checked(self, result: PGresult) -> PGresult:
        if result.status in _DONE:
            return result
        if self._libpq.status == ConnStatus.BAD:
            raise psycopg.OperationalError(result.get_error_message(self._encoding))
        raise errors.error_from_result(result, self._encoding)


@lru_cache
def _numbered(statement: str) -> tuple[list[str], bytes]:
    """Return the names of the values in order, and the statement with `$1` for the first."""
    names = list(dict.fromkeys(_NAMED.findall(statement)))
    numbered = _NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", statement)
    return names, numbered.replace("%%", "%").encode()
