"""Offering and answering raced against everything else, on committed data."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC

import pytest
from flask import Flask

from booking.availability.models import OccupancyKind
from booking.kernel import clock
from booking.kernel.db import db, transaction
from booking.reservations import service as reserving
from booking.waiting import queries, service
from booking.waiting.models import WaitingEntry
from tests.conftest import MONDAY_9
from tests.reservations.racing import WRITERS, Arena, Job, nth, racing

pytestmark = [pytest.mark.service, pytest.mark.real]

ROUNDS = 10
QUOTA = {"conditions": {"quotas": {"firm_open_bookings": 500}}, "inherits": []}


@pytest.fixture
def app(scratch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    frozen = MONDAY_9.astimezone(UTC)
    monkeypatch.setattr(clock, "wall", lambda: clock._pretended.get() or frozen)
    with racing(scratch_url) as program:
        yield program


@pytest.fixture
def arena(app: Flask) -> Arena:
    return Arena(app)


def waits(arena: Arena, number: int, *writers: int) -> list[int]:
    """Let these wait for an hour that was taken and then called off; returns their entries."""
    (held,) = arena.setup(lambda: arena.reserve(0, number))
    joins = [
        lambda w=writer: (
            service.join(arena.instrument, nth(number), minutes=60, caller=arena.firms[w]).id
        )
        for writer in writers
    ]
    found = arena.setup(*joins)
    arena.setup(lambda: reserving.cancel(held, caller=arena.firms[0]))
    return [int(each) for each in found]


def offer(arena: Arena) -> Job:
    return lambda: service.offer_next(arena.instrument)


def offered(arena: Arena, number: int) -> int:
    (entry,) = waits(arena, number, 1)
    arena.setup(offer(arena))
    return entry


def accept(arena: Arena, entry: int) -> Job:
    return lambda: service.accept(entry, caller=arena.firms[1])


def standing(arena: Arena, entry: int) -> str:
    with arena.app.app_context():
        return db.session.get_one(WaitingEntry, entry).standing.value


def clean(arena: Arena) -> bool:
    with arena.app.app_context():
        return [*arena.breaches(), *queries.breaches()] == []


def test_jobs_that_offer_at_once_offer_a_slot_once(arena):
    for number in range(ROUNDS):
        entries = waits(arena, number, 1, 2, 3)

        arena.race(*([offer(arena)] for _ in range(WRITERS)))

        assert [standing(arena, each) for each in entries] == ["offered", "waiting", "waiting"]
        arena.setup(
            *(
                lambda e=each, w=writer: service.leave(e, caller=arena.firms[w])
                for writer, each in enumerate(entries, 1)
            )
        )
    assert clean(arena)


def test_accepting_twice_reserves_once(arena):
    for number in range(ROUNDS):
        entry = offered(arena, number)

        outcomes = arena.race(*([accept(arena, entry)] for _ in range(WRITERS)))

        assert outcomes == {"won": 1, "wrong_state": WRITERS - 1}
    assert clean(arena)


def test_accepting_and_lapsing_never_both_happen(arena):
    seen: Counter[str] = Counter()
    for number in range(ROUNDS):
        entry = offered(arena, number)
        with arena.app.app_context():
            until = db.session.get_one(WaitingEntry, entry).answer_by

        def lapse(until=until) -> None:
            with clock.pretend(until):
                service.tidy(arena.instrument)

        outcomes = arena.race([accept(arena, entry)], [lapse])

        seen[standing(arena, entry)] += 1
        expected = {"won": 2} if standing(arena, entry) == "accepted" else {"won", "offer_lapsed"}
        assert outcomes == expected or set(outcomes) == expected
    assert set(seen) <= {"accepted", "lapsed"}
    assert clean(arena)


def test_accepting_and_closing_never_both_have_the_time(arena):
    for number in range(ROUNDS):
        entry = offered(arena, number)

        outcomes = arena.race(
            [accept(arena, entry)],
            [
                lambda n=number: reserving.close(
                    arena.instrument, nth(n), OccupancyKind.FAULT, caller=arena.operator
                )
            ],
        )

        is_accepted = standing(arena, entry) == "accepted"
        assert outcomes == {"won": 1, "slot_taken" if is_accepted else "wrong_state": 1}
        if not is_accepted:
            arena.setup(lambda e=entry: service.leave(e, caller=arena.firms[1]))
    assert clean(arena)


def test_an_offer_and_a_reservation_never_both_have_the_time(arena):
    for number in range(ROUNDS):
        (entry,) = waits(arena, number, 1)

        outcomes = arena.race(
            [offer(arena)],
            *([lambda w=w, n=number: arena.reserve(w, n)] for w in range(2, WRITERS)),
        )

        is_offered = standing(arena, entry) == "offered"
        assert outcomes["won"] == (1 if is_offered else 2)
        arena.setup(lambda e=entry: service.leave(e, caller=arena.firms[1]))
    assert clean(arena)


def test_accepting_beside_ones_own_reservation_deadlocks_never(app):
    # Quotas make whoever books for a firm wait for the firm's others.
    arena = Arena(app, schedule=QUOTA)
    for number in range(ROUNDS):
        entry = offered(arena, number)

        outcomes = arena.race(
            [accept(arena, entry)],
            *([lambda n=number: arena.reserve(1, n)] for _ in range(3)),
        )

        assert outcomes == {"won": 1, "slot_taken": 3}
    assert clean(arena)


def test_what_a_firm_asks_for_at_once_it_waits_for_once(arena):
    arena.setup(lambda: arena.reserve(0, 0))
    join = lambda: service.join(  # noqa: E731
        arena.instrument, nth(0), minutes=60, caller=arena.firms[1]
    )

    assert arena.race(*([join] for _ in range(WRITERS))) == {
        "won": 1,
        "already_waiting": WRITERS - 1,
    }


def test_the_job_does_it_all(arena):
    from booking.waiting import jobs

    (entry,) = waits(arena, 0, 1)
    with arena.app.app_context():
        jobs.offer()
    assert standing(arena, entry) == "offered"
    with arena.app.app_context(), transaction():
        service.decline(entry, caller=arena.firms[1])
    assert clean(arena)
