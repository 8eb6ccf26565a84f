"""Eight writers at once on committed data, each race on a database of its own."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier

import psycopg
from flask import Flask

from booking.accounts.rules import Role
from booking.app import create_app
from booking.availability import queries as calendars
from booking.kernel.db import db, transaction
from booking.kernel.errors import DomainError
from booking.kernel.timeslot import TimeSlot
from booking.reservations import queries, service
from tests.factories import make_caller, make_institution, make_instrument, slot

WRITERS, SLOTS = 8, 25
HOUR = timedelta(hours=1)
ALWAYS_OPEN = {day: [(0, 1440)] for day in range(7)}
Job = Callable[[], object]


def nth(number: int) -> TimeSlot:
    """The number-th hour from the first slot on."""
    start = slot().starts_at + number * HOUR
    return TimeSlot(start, start + HOUR)


class Arena:
    """A database with one instrument, its owner, and firms that want it."""

    def __init__(
        self, app: Flask, schedule: Mapping[str, object] | None = None, **instrument: object
    ) -> None:
        self.app = app
        with app.app_context(), transaction():
            owner = make_institution()
            self.operator = make_caller(owner, Role.OPERATOR)
            self.firms = [make_caller() for _ in range(WRITERS)]
            self.instrument = make_instrument(
                institution=owner,
                hours=ALWAYS_OPEN,
                schedule={"horizon_days": 366, "change_until_minutes": 0, **(schedule or {})},
                **instrument,
            ).id

    def reserve(self, writer: int, number: int) -> int:
        """Reserve the number-th hour; returns the reservation's id."""
        caller = self.firms[writer]
        return service.reserve(self.instrument, nth(number), caller=caller).id

    def setup(self, *jobs: Job) -> list[object]:
        """Do these one after the other, committed."""
        with self.app.app_context(), transaction():
            return [job() for job in jobs]

    def race(self, *sides: list[Job]) -> Counter[str]:
        """Let all sides do their jobs at once, each job in a transaction; count the outcomes."""
        start = Barrier(len(sides))

        def run(side: list[Job]) -> Counter[str]:
            start.wait()
            return Counter(self.outcome(job) for job in side)

        with ThreadPoolExecutor(len(sides)) as pool:
            return sum(pool.map(run, sides), Counter())

    def outcome(self, job: Job) -> str:
        """Do one job; anything but a refusal of ours goes through and fails the test."""
        with self.app.app_context():
            try:
                with transaction():
                    job()
            except DomainError as refused:
                return refused.code
        return "won"

    def breaches(self) -> list[str]:
        """Return what `booking verify` would say of calendars and reservations."""
        with self.app.app_context():
            return [*calendars.breaches(), *queries.breaches()]


@contextmanager
def racing(url: str) -> Iterator[Flask]:
    """Give a program on a database of its own; in the end nothing has deadlocked there."""
    app = create_app("testing", DATABASE_URL=url, DB_POOL_SIZE=WRITERS)
    yield app
    with app.app_context():
        db.engine.dispose()  # the others' counts arrive when they leave
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        counted = connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert counted == (0,)
