"""Eight writers at once with bundles and series: all or none each, one winner, nobody hangs."""

import random
from collections.abc import Iterator
from functools import partial
from itertools import permutations

import pytest
from flask import Flask
from sqlalchemy import text

from booking.availability.rules import Pairing
from booking.kernel.db import db
from booking.reservations import service
from booking.reservations.rules import Reach
from booking.reservations.service import Pattern, Wish
from tests.reservations.racing import WRITERS, nth, racing
from tests.reservations.test_service_parallel_policies import Ruled

pytestmark = [pytest.mark.service, pytest.mark.real]
ROUNDS = 12


@pytest.fixture
def app(scratch_url: str, now: object) -> Iterator[Flask]:
    with racing(scratch_url) as program:
        yield program


class Crowded(Ruled):
    """Instruments with one unit each, so that every slot has one winner."""

    def __init__(self, app: Flask, pairing: Pairing | None = None, **own: object) -> None:
        super().__init__(app, pairing, **own)
        self.setup(lambda: db.session.execute(text("UPDATE instruments SET units = 1")))

    def bundle(self, writer: int, *wanted: tuple[int, int]) -> object:
        """Reserve several (instrument, hour) at once."""
        wishes = [Wish(instrument_id, nth(number)) for instrument_id, number in wanted]
        return service.reserve_all(wishes, caller=self.firms[writer])


# Groups that are not whole, and reservations that nobody wanted by themselves.
PARTIAL = """
SELECT count(*) FROM reservation_groups g
 WHERE g.size <> (SELECT count(*) FROM reservations r WHERE r.group_id = g.id)
"""


def test_bundles_in_any_order_have_one_winner_each_and_are_whole(app):
    arena = Crowded(app)
    dice = random.Random(5)

    def wanted(number: int) -> list[tuple[int, int]]:
        both = [(arena.instrument, 2 * number), (arena.other, 2 * number + 1)]
        return dice.choice([*permutations(both)])

    outcomes = arena.race(
        *([partial(arena.bundle, w, *wanted(n)) for n in range(ROUNDS)] for w in range(WRITERS))
    )

    assert outcomes == {"won": ROUNDS, "slot_taken": (WRITERS - 1) * ROUNDS}
    assert arena.count("SELECT count(*) FROM reservations") == 2 * ROUNDS
    assert arena.count(PARTIAL) == 0
    assert arena.breaches() == []


def test_bundles_that_cross_each_other_moves_and_single_ones_never_hang(app):
    arena = Crowded(app)
    dice = random.Random(6)
    either = (arena.instrument, arena.other)
    parked = [
        arena.setup(lambda w=w: arena.take(w, arena.instrument, 100 + w))[0] for w in range(WRITERS)
    ]

    def job(writer: int) -> object:
        hours = dice.sample(range(8), 3)
        match writer % 4:
            case 0:
                there = slot_of(hours[0], 2)
                return lambda: service.move(parked[writer], there, caller=arena.firms[writer])
            case 1:
                return lambda: arena.take(writer, dice.choice(either), hours[0])
        wanted = [(dice.choice(either), hour) for hour in hours]
        return lambda: arena.bundle(writer, *wanted)

    outcomes = arena.race(*([job(w) for _ in range(ROUNDS)] for w in range(WRITERS)))

    assert set(outcomes) <= {"won", "slot_taken", "not_bookable"}
    assert outcomes["won"]
    assert arena.count(PARTIAL) == 0
    assert arena.breaches() == []


def slot_of(number: int, hours: int) -> object:
    first, last = nth(number), nth(number + hours - 1)
    return type(first)(first.starts_at, last.ends_at)


def test_bundles_exceed_no_quota_together(app):
    arena = Crowded(app, quotas={"firm_open_bookings": 3})

    outcomes = arena.race(
        *(
            [lambda w=w: arena.bundle(w, (arena.instrument, 2 * w), (arena.instrument, 2 * w + 1))]
            for w in range(WRITERS)
        )
    )

    assert outcomes == {"won": 1, "not_bookable": WRITERS - 1}
    assert arena.count("SELECT count(*) FROM reservations") == 2


def test_bundles_of_what_needs_each_other_never_hang(app):
    arena = Crowded(app, Pairing.NEEDS)

    def wanted(writer: int, number: int) -> list[tuple[int, int]]:
        both = [(arena.instrument, number), (arena.other, number)]
        return both if writer % 2 else both[::-1]

    outcomes = arena.race(
        *(
            [lambda w=w, n=n: arena.bundle(w, *wanted(w, n)) for n in range(ROUNDS)]
            for w in range(WRITERS)
        )
    )

    assert outcomes == {"won": ROUNDS, "slot_taken": (WRITERS - 1) * ROUNDS}
    assert arena.breaches() == []


def test_series_moved_cancelled_and_made_at_once_never_hang(app):
    arena = Crowded(app)

    def weekly(writer: int, hour: int) -> object:
        pattern = Pattern(arena.instrument, nth(hour), "FREQ=DAILY;COUNT=3")
        return service.reserve_series(pattern, {}, caller=arena.firms[writer])

    held = [
        arena.setup(lambda w=w: weekly(w, w).reservations[0].id)[0] for w in range(WRITERS // 2)
    ]

    done: list[str] = []

    def make(writer: int, number: int) -> None:
        weekly(writer, number)
        done.append("made")

    def change(writer: int, turn: int) -> None:
        there, who = nth((writer * 3 + turn) % 10), arena.firms[writer]
        service.change(held[writer], slot=there, caller=who, scope=Reach.ALL)
        done.append("moved")

    def job(writer: int, turn: int) -> object:
        if writer >= len(held):
            return lambda: make(writer, (writer + turn) % 10)
        if turn == ROUNDS - 1:
            who = arena.firms[writer]
            return lambda: service.cancel(held[writer], caller=who, scope=Reach.ALL)
        return lambda: change(writer, turn)

    outcomes = arena.race(*([job(w, t) for t in range(ROUNDS)] for w in range(WRITERS)))

    assert set(outcomes) <= {"won", "slot_taken", "not_bookable"}
    assert outcomes["won"] >= WRITERS // 2  # all cancel in the end
    assert set(done) == {"made", "moved"}
    assert arena.count(PARTIAL) == 0
    assert arena.breaches() == []
