"""Eight writers at once on committed data: whatever the door, nobody double-books, nobody hangs.

Each race runs on a database of its own, with real connections. The control at the end takes the
guard away and shows that the same race then does overlap.
"""

import random
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from booking.availability import queries as calendars
from booking.availability.errors import SlotTaken
from booking.availability.models import NO_OVERLAP, Occupancy, OccupancyKind
from booking.kernel.db import db, transaction
from booking.reservations import service
from tests.reservations.racing import SLOTS, WRITERS, Arena, Job, nth, racing

pytestmark = [pytest.mark.service, pytest.mark.real]


@pytest.fixture
def app(scratch_url: str, now: object) -> Iterator[Flask]:
    with racing(scratch_url) as program:
        yield program


@pytest.mark.parametrize("units", [1, 2])
def test_contested_slots_have_as_many_winners_as_units(app, units):
    arena = Arena(app, units=units)

    outcomes = arena.race(
        *(
            [lambda w=writer, n=number: arena.reserve(w, n) for number in range(SLOTS)]
            for writer in range(WRITERS)
        )
    )

    assert outcomes == {"won": units * SLOTS, "slot_taken": (WRITERS - units) * SLOTS}
    assert arena.breaches() == []


def test_contested_moves_have_one_winner_each(app):
    arena = Arena(app)
    parked = {
        (writer, number): arena.setup(
            lambda w=writer, n=number: arena.reserve(w, SLOTS + w * SLOTS + n)
        )[0]
        for writer in range(WRITERS)
        for number in range(SLOTS)
    }

    def move(writer: int, number: int) -> object:
        return service.move(parked[writer, number], nth(number), caller=arena.firms[writer])

    outcomes = arena.race(
        *(
            [lambda w=writer, n=number: move(w, n) for number in range(SLOTS)]
            for writer in range(WRITERS)
        )
    )

    assert outcomes == {"won": SLOTS, "slot_taken": (WRITERS - 1) * SLOTS}
    assert arena.breaches() == []


def test_moves_that_would_swap_slots_are_refused_and_never_wait_for_each_other(app):
    arena = Arena(app)
    held = [arena.setup(lambda w=writer: arena.reserve(w, w))[0] for writer in range(WRITERS)]

    def to_neighbour(writer: int, step: int) -> object:
        there = nth((writer + step) % WRITERS)
        return service.move(held[writer], there, caller=arena.firms[writer])

    outcomes = arena.race(
        *(
            [lambda w=writer, s=step: to_neighbour(w, s) for step in (1, -1) * 15]
            for writer in range(WRITERS)
        )
    )

    assert outcomes == {"slot_taken": WRITERS * 30}
    assert arena.breaches() == []


def test_of_two_moves_that_saw_the_same_version_one_is_stale(app):
    arena = Arena(app)
    (held,) = arena.setup(lambda: arena.reserve(0, 0))

    def move(to: int, version: int) -> object:
        return service.move(held, nth(to), caller=arena.firms[0], version=version)

    rounds = [
        arena.race([lambda v=v: move(2 * v, v)], [lambda v=v: move(2 * v + 1, v)])
        for v in range(1, 16)
    ]

    assert rounds == [{"won": 1, "stale": 1}] * 15
    assert arena.breaches() == []


def test_closures_and_reservations_never_share_an_hour(app):
    arena = Arena(app, units=2)

    def close(number: int) -> object:
        return service.close(
            arena.instrument, nth(number), OccupancyKind.MAINTENANCE, caller=arena.operator
        )

    outcomes = arena.race(
        *([lambda n=number: close(n) for number in range(SLOTS)] for _ in range(2)),
        *(
            [lambda w=writer, n=number: arena.reserve(w, n) for number in range(SLOTS)]
            for writer in range(WRITERS - 2)
        ),
    )

    assert set(outcomes) == {"won", "slot_taken"}
    assert arena.breaches() == []
    assert _hours_without_a_closure_or_two_reservations(arena) == 0


def _hours_without_a_closure_or_two_reservations(arena: Arena) -> int:
    # A closure takes both units, two reservations one each: every hour is full, and of one kind.
    with arena.app.app_context():
        return SLOTS - db.session.scalar(
            text("""
                SELECT count(*) FROM (
                    SELECT starts_at FROM occupancies GROUP BY starts_at
                    HAVING count(*) = 2 AND count(DISTINCT kind) = 1) hours
            """)
        )


@pytest.mark.parametrize("seed", range(3))
def test_every_door_at_once(app, seed):
    arena = Arena(app, units=2)
    dice = random.Random(seed)
    held = [
        (writer, arena.setup(lambda w=writer: arena.reserve(w, w // 2))[0])
        for writer in range(WRITERS)
    ]

    def any_job() -> Job:
        number, (writer, reservation) = dice.randrange(8), dice.choice(held)
        caller, some = arena.firms[writer], nth(number)
        return dice.choice(
            [
                lambda: arena.reserve(writer, number),
                lambda: service.move(reservation, some, caller=caller),
                lambda: service.cancel(reservation, caller=caller),
                lambda: service.close(
                    arena.instrument,
                    some,
                    OccupancyKind.FAULT,
                    caller=arena.operator,
                    unit=dice.choice([None, 1, 2]),
                    cancel=[reservation],
                ),
            ]
        )

    outcomes = arena.race(*([any_job() for _ in range(30)] for _ in range(WRITERS)))

    assert set(outcomes) <= {"won", "slot_taken", "wrong_state", "validation_failed"}
    assert outcomes["won"]
    assert arena.breaches() == []


def test_control_without_the_constraint_the_same_race_overlaps(app):
    arena = Arena(app)
    with app.app_context(), transaction():
        db.session.execute(text(f"ALTER TABLE occupancies DROP CONSTRAINT {NO_OVERLAP}"))

    def look_then_insert(number: int) -> None:
        if not calendars.is_free(arena.instrument, nth(number), units=1):
            raise SlotTaken(nth(number))
        db.session.add(
            Occupancy(
                instrument_id=arena.instrument,
                unit=1,
                slot=nth(number),
                kind=OccupancyKind.RESERVATION,
            )
        )

    outcomes = arena.race(
        *([lambda n=number: look_then_insert(n) for number in range(SLOTS)] for _ in range(WRITERS))
    )

    assert outcomes["won"] > SLOTS
    assert [line for line in arena.breaches() if "重叠" in line]
