"""Approving raced against everything else that may happen to a hold, on committed data."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, timedelta

import pytest
from flask import Flask

from booking.availability.rules import ApprovalMode
from booking.kernel import clock
from booking.kernel.db import db
from booking.reservations import service
from booking.reservations.models import HOLDING, Reservation
from tests.conftest import MONDAY_9
from tests.reservations.racing import WRITERS, Arena, Job, nth, racing

pytestmark = [pytest.mark.service, pytest.mark.real]

ROUNDS = 12
SECOND = timedelta(seconds=1)


@pytest.fixture
def app(scratch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    # Frozen for all but those who pretend: their processes' clocks differ by a second.
    frozen = MONDAY_9.astimezone(UTC)
    monkeypatch.setattr(clock, "wall", lambda: clock._pretended.get() or frozen)
    with racing(scratch_url) as program:
        yield program


@pytest.fixture
def arena(app: Flask) -> Arena:
    return Arena(app, schedule={"approval_mode": ApprovalMode.ALWAYS, "hold_working_hours": 4})


def asked(arena: Arena, number: int) -> int:
    (held,) = arena.setup(lambda: arena.reserve(0, number))
    return int(held)


def approve(arena: Arena, held: int) -> Job:
    return lambda: service.approve(held, caller=arena.operator)


def status_of(arena: Arena, held: int) -> str:
    with arena.app.app_context():
        return db.session.get_one(Reservation, held).status


def test_of_many_who_approve_at_once_one_does(arena):
    for number in range(ROUNDS):
        held = asked(arena, number)

        outcomes = arena.race(*([approve(arena, held)] for _ in range(WRITERS)))

        assert outcomes == {"won": 1, "wrong_state": WRITERS - 1}
    assert arena.breaches() == []


def test_approving_and_declining_never_both_happen(arena):
    for number in range(ROUNDS):
        held = asked(arena, number)

        outcomes = arena.race(
            [approve(arena, held)],
            [lambda h=held: service.decline(h, caller=arena.operator, reason="不行")],
        )

        assert outcomes == {"won": 1, "wrong_state": 1}
        assert status_of(arena, held) in {"confirmed", "declined"}
    assert arena.breaches() == []


def test_what_is_cancelled_while_it_is_approved_ends_cancelled(arena):
    seen: Counter[str] = Counter()
    for number in range(ROUNDS):
        held = asked(arena, number)

        seen += arena.race(
            [approve(arena, held)], [lambda h=held: service.cancel(h, caller=arena.firms[0])]
        )

        assert status_of(arena, held) == "cancelled"
    assert set(seen) <= {"won", "wrong_state"}
    assert arena.breaches() == []


def test_what_is_moved_while_it_is_approved_waits_for_the_new_slot_or_was_stale(arena):
    for number in range(ROUNDS):
        held = asked(arena, number)

        arena.race(
            [lambda h=held: service.approve(h, caller=arena.operator, version=1)],
            [lambda h=held, n=number: service.move(h, nth(100 + n), caller=arena.firms[0])],
        )

        # Approved is what was seen: never a slot nobody was asked about.
        assert status_of(arena, held) == "tentative"
    assert arena.breaches() == []


def test_a_hold_that_ends_while_it_is_approved_is_either_approved_or_free(arena):
    for number in range(ROUNDS):
        held = asked(arena, number)
        with arena.app.app_context():
            ends = db.session.get_one(Reservation, held).expires_at

        def at(moment, job):
            def pretending() -> object:
                with clock.pretend(moment):
                    return job()

            return pretending

        arena.race(
            [at(ends - SECOND, approve(arena, held))], *([at(ends, service.expire_holds)],) * 3
        )

        status = status_of(arena, held)
        assert status in {"confirmed", "expired"}
        with arena.app.app_context():
            kept = db.session.get_one(Reservation, held).occupancy_id is not None
        assert kept == (status in HOLDING)
    assert arena.breaches() == []


def test_what_is_freed_by_expiry_is_taken_once(arena):
    for number in range(ROUNDS):
        held = asked(arena, number)
        with arena.app.app_context():
            ends = db.session.get_one(Reservation, held).expires_at

        def wanting(writer: int, number: int = number) -> Job:
            return lambda: arena.reserve(writer, number)

        def expiring(moment=ends) -> object:
            with clock.pretend(moment):
                return service.expire_holds()

        outcomes = arena.race([expiring], *([wanting(writer)] for writer in range(1, 4)))

        assert outcomes["won"] in {1, 2}  # the job, and at most one of them
        assert status_of(arena, held) == "expired"
    assert arena.breaches() == []
