"""The board of a day: 300 instruments, four visits each."""

import statistics
from pathlib import Path

from sqlalchemy import text

from bench.common import Client, data_folder, line, percentile, server, timed
from bench.world import fill, world
from booking.accounts.rules import Role
from booking.kernel.db import db, transaction
from tests import factories

INSTRUMENTS, REQUESTS, RUNS, LIMIT = 300, 40, 3, 100
# Every occupancy of the world becomes somebody's reservation.
_RESERVATIONS = text("""
INSERT INTO reservations (instrument_id, organisation_id, user_id, occupancy_id, unit, starts_at,
    ends_at, buffer_before_minutes, buffer_after_minutes, status, purpose, customer_class,
    currency, list_minor, price_minor, cancel_reason, sequence, version, created_at, updated_at)
SELECT instrument_id, :firm, :person, id, unit, starts_at, ends_at, 0, 0, 'confirmed', '拉伸试验',
       'sme', 'CNY', 36000, 28800, '', 0, 1, now(), now()
  FROM occupancies
""")


def run(*, large: bool) -> None:
    """Print the p95 beside its limit."""
    del large
    with data_folder() as folder, world(folder) as _:
        secret = _filled()
        _measure(folder, secret)


def _filled() -> str:
    """Put all instruments under one roof and return the session of somebody who works there."""
    fill(INSTRUMENTS, INSTRUMENTS * 40)
    with transaction():
        owner, firm = factories.make_institution(), factories.make_organisation()
        person = factories.make_user(firm)
        db.session.execute(text("UPDATE instruments SET institution_id = :id"), {"id": owner.id})
        db.session.execute(_RESERVATIONS, {"firm": firm.id, "person": person.id})
        keeper = factories.make_user(owner, Role.MANAGER)
        return factories.bearer(keeper)["Authorization"].removeprefix("Bearer ")


def _measure(folder: Path, token: str) -> None:
    with server("wsgi:app", folder) as port:
        client = Client(port, token)

        def ask() -> None:
            status, body = client.get("/institution/today")
            assert status == 200, body
            assert body.count(b'class="bar') >= 3 * INSTRUMENTS

        ask()
        p95 = statistics.median(percentile(timed(REQUESTS, ask), 95) for _ in range(RUNS))
    line("board of a day, 300 instruments: p95", p95, "ms", f"limit: {LIMIT} ms", good=p95 <= LIMIT)
