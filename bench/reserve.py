"""POST /reservations on the real path against a bare INSERT endpoint, same server and disk."""

import itertools
import json
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from bench.common import (
    CLIENTS,
    Client,
    Measured,
    data_folder,
    line,
    load,
    processor_seconds,
    server,
)
from bench.world import bookable, firm_token, world
from booking.accounts.rules import CustomerClass
from booking.availability.rules import QUOTAS
from booking.kernel.db import db, transaction
from tests.queries_counted import counted

ROUNDS, SECONDS, INSTRUMENTS = 3, 4.0, 64


def run(*, large: bool) -> None:
    """Print both rates, both p99s, their ratio, and the number of SQL round trips."""
    with data_folder() as folder, world(folder) as app:
        token, ids, ruled = firm_token(), bookable(INSTRUMENTS), _ruled()
        with transaction():
            db.session.execute(
                text("CREATE TABLE bare_occupancies (LIKE occupancies INCLUDING ALL)")
            )
        _count_statements(app, token, ids[0])
        _count_statements(app, token, ruled[0])
        slots, ruled_slots = _Slots(ids), _Slots(ruled, every=90)
        real: list[Measured] = []
        spent: list[float] = []  # before bare, between, after real
        spent_under_rules: list[float] = []
        under_rules: list[Measured] = []
        bare: list[Measured] = []
        with server("wsgi:app", folder) as ours, server("bench.bare:app", folder) as theirs:
            for _ in range(ROUNDS):
                spent.append(processor_seconds(folder))
                bare.append(load(CLIENTS, lambda _: _take(theirs, slots)))
                spent.append(processor_seconds(folder))
                real.append(load(CLIENTS, lambda _: _reserve(ours, token, slots)))
                spent.append(processor_seconds(folder))
                under_rules.append(load(CLIENTS, lambda _: _reserve(ours, token, ruled_slots)))
                spent_under_rules.append(processor_seconds(folder) - spent[-1])
        for name, runs in (("bare", bare), ("real", real), ("under rules", under_rules)):
            assert all(set(m.statuses) == {201} for m in runs), (name, [m.statuses for m in runs])
        real_rate = statistics.median(m.rate for m in real)
        bare_rate = statistics.median(m.rate for m in bare)
        real_p99 = statistics.median(m.p(99) for m in real)
        bare_p99 = statistics.median(m.p(99) for m in bare)
        line(
            "reservations per second", real_rate, "1/s", f"bare INSERT endpoint: {bare_rate:.0f}/s"
        )
        line("reservation p99", real_p99, "ms", f"bare INSERT endpoint: {bare_p99:.1f} ms")
        ratio = 100 * real_rate / bare_rate
        line("reservations against bare", ratio, "%", "limit: 50 %", good=ratio >= 50)
        bare_ms = _each(bare, [b - a for a, b in zip(spent[::3], spent[1::3], strict=True)])
        real_ms = _each(real, [b - a for a, b in zip(spent[1::3], spent[2::3], strict=True)])
        ruled_ms = _each(under_rules, spent_under_rules)
        beside = f"bare INSERT endpoint: {bare_ms:.2f} ms"
        line("processor time of a reservation, servers and database", real_ms, "ms", beside)
        beside = f"limit: 30 % more than the {real_ms:.2f} ms without"
        good = ruled_ms <= 1.3 * real_ms
        line("processor time under every booking rule", ruled_ms, "ms", beside, good=good)
        ruled_rate = statistics.median(m.rate for m in under_rules)
        line("reservations per second under every booking rule", ruled_rate, "1/s", "")


def _each(runs: list[Measured], used: list[float]) -> float:
    """The median of the processor time of one request, in milliseconds."""
    return statistics.median(
        1000 * seconds / len(run.seconds) for run, seconds in zip(runs, used, strict=True)
    )


def _ruled() -> list[int]:
    """Ids of such instruments under every kind of rule, each of which the bench keeps."""
    ids = bookable(INSTRUMENTS + 1)
    anybody = [each.value for each in CustomerClass]
    asked = {"classes": anybody, "lead_minutes": 0, "longest_minutes": 1440}
    quotas = {name: quota.most for name, quota in QUOTAS.items()}
    conditions = {
        "gap_minutes": 30,
        "quotas": quotas,
        "night": asked | {"begins_minute": 1080, "ends_minute": 480},
        "days_off": asked,
    }
    with transaction():
        db.session.execute(
            text(
                "UPDATE schedules SET classes = :classes, conditions = CAST(:conditions AS jsonb)"
                " WHERE instrument_id = ANY(:ids)"
            ),
            {"classes": anybody, "conditions": json.dumps(conditions), "ids": ids},
        )
        db.session.execute(
            text(
                "INSERT INTO instrument_pairs (instrument_id, other_id, pairing)"
                " SELECT unnest(CAST(:ids AS bigint[])), :other, 'apart_all'"
            ),
            {"ids": ids[1:], "other": ids[0]},
        )
    return ids[1:]


class _Slots:
    """Half-hours nobody has had yet."""

    def __init__(self, ids: list[int], *, every: int = 30) -> None:
        self.ids, self.every = ids, every
        self.numbers = itertools.count()
        now = datetime.now(UTC)
        self.first = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)

    def body(self) -> dict[str, object]:
        number = next(self.numbers)
        start = self.first + timedelta(minutes=self.every * (number // len(self.ids)))
        return {
            "instrument_id": self.ids[number % len(self.ids)],
            "starts_at": start.isoformat(),
            "ends_at": (start + timedelta(minutes=30)).isoformat(),
        }


def _reserve(port: int, token: str, slots: _Slots) -> Iterator[Callable[[], int]]:
    client, until = Client(port, token), time.monotonic() + SECONDS
    while time.monotonic() < until:
        body = slots.body() | {"purpose": "拉伸试验"}
        key = {"Idempotency-Key": str(uuid.uuid4())}
        yield lambda body=body, key=key: client.send("POST", "/api/v1/reservations", body, **key)[0]


def _take(port: int, slots: _Slots) -> Iterator[Callable[[], int]]:
    client, until = Client(port), time.monotonic() + SECONDS
    while time.monotonic() < until:
        body = slots.body()
        yield lambda body=body: client.send("POST", "/take", body)[0]


def _count_statements(app, token: str, instrument_id: int) -> None:
    body = _Slots([instrument_id]).body()
    body["starts_at"] = (
        datetime.fromisoformat(body["starts_at"]) + timedelta(days=300)
    ).isoformat()
    body["ends_at"] = (datetime.fromisoformat(body["ends_at"]) + timedelta(days=300)).isoformat()
    with counted() as sent:
        answer = app.test_client().post(
            "/api/v1/reservations",
            json=body,
            headers={
                "Authorization": f"Bearer {token}",
                "Idempotency-Key": f"count {instrument_id}",
            },
        )
    assert answer.status_code == 201, answer.get_json()
    line(
        "statements per reservation",
        len(sent),
        "round trips",
        "aim: 6, besides BEGIN and COMMIT",
        good=len(sent) <= 6,
    )
