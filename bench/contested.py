"""Eight writers on two hundred contested slots, through create and through move."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from bench.common import CLIENTS, Client, Measured, data_folder, line, load, server
from bench.world import bookable, firm_token, world
from booking.kernel.db import db

SLOTS = 200
LIMIT_MS = 150


def run(*, large: bool) -> None:
    """Print winners, p99 and deadlocks of both doors."""
    with data_folder() as folder, world(folder) as _, server("wsgi:app", folder) as port:
        tokens = [firm_token() for _ in range(CLIENTS)]
        target, rival = bookable(2)
        _judge("create", load(CLIENTS, lambda number: _create(port, tokens[number], target)))
        mine = [_own(port, tokens[number], rival, number) for number in range(CLIENTS)]
        _judge("move", load(CLIENTS, lambda number: _move(port, tokens[number], mine[number])))
        deadlocks = db.session.scalar(
            text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        )
        line("contested: deadlocks", deadlocks, "in all", "limit: 0", good=deadlocks == 0)


def _judge(door: str, measured: Measured) -> None:
    wins = measured.statuses.get(201, 0) + measured.statuses.get(200, 0)
    lost = measured.statuses.get(409, 0)
    others = sum(measured.statuses.values()) - wins - lost
    good = others == 0 and wins == SLOTS
    line(f"contested {door}: winners", wins, f"of {SLOTS}", f"others: {others}", good=good)
    p99 = measured.p(99)
    line(f"contested {door}: p99", p99, "ms", f"limit: {LIMIT_MS} ms", good=p99 <= LIMIT_MS)


def _slot(number: int, day: int = 2) -> dict[str, str]:
    first = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = first + timedelta(days=day, minutes=30 * number)
    return {
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(minutes=30)).isoformat(),
    }


def _create(port: int, token: str, instrument: int) -> Iterator[Callable[[], int]]:
    client = Client(port, token)
    for number in range(SLOTS):
        body = _slot(number) | {"instrument_id": instrument}
        yield lambda body=body: client.send("POST", "/api/v1/reservations", body)[0]


def _own(port: int, token: str, instrument: int, writer: int) -> list[int]:
    """Reserve a quiet slot for each contested one; return the reservations' ids."""
    client, ids = Client(port, token), []
    for number in range(SLOTS):
        body = _slot(number, day=20 + 5 * writer) | {"instrument_id": instrument}
        status, answer = client.send("POST", "/api/v1/reservations", body)
        assert status == 201, answer
        ids.append(json.loads(answer)["id"])
    return ids


def _move(port: int, token: str, mine: list[int]) -> Iterator[Callable[[], int]]:
    client = Client(port, token)
    for number, reservation in enumerate(mine):
        path, body = f"/api/v1/reservations/{reservation}", _slot(number)
        yield lambda path=path, body=body: client.send("PATCH", path, body)[0]
