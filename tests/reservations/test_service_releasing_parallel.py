"""Releasing what nobody claimed, raced against who comes after all, on committed data."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from booking.kernel import clock
from booking.kernel.db import db
from booking.reservations import service
from booking.reservations.models import Reservation, ReservationStatus
from tests.conftest import MONDAY_9
from tests.reservations.racing import Arena, nth, racing

pytestmark = [pytest.mark.service, pytest.mark.real]
ROUNDS = 12


@pytest.fixture
def moment() -> dict[str, datetime]:
    return {"now": MONDAY_9.astimezone(UTC)}


@pytest.fixture
def app(
    scratch_url: str, moment: dict[str, datetime], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    monkeypatch.setattr(clock, "wall", lambda: moment["now"])
    with racing(scratch_url) as program:
        yield program


def test_either_they_came_or_nobody_did_and_two_jobs_release_it_once(app, moment):
    arena = Arena(app, schedule={"release_after_minutes": 30})
    for number in range(ROUNDS):
        (held,) = arena.setup(lambda n=number: arena.reserve(0, 3 * n))
        before, moment["now"] = moment["now"], nth(3 * number).starts_at + timedelta(minutes=31)
        released: list[int] = []

        came = arena.race(
            [lambda h=held: service.check_in(h, caller=arena.firms[0])],
            [lambda r=released: r.append(service.release_unclaimed())],
            [lambda r=released: r.append(service.release_unclaimed())],
        )

        with app.app_context():
            status = db.session.get_one(Reservation, held).status
        assert status in {ReservationStatus.IN_USE, ReservationStatus.NO_SHOW}
        is_in_use = status is ReservationStatus.IN_USE
        assert sum(released) == (0 if is_in_use else 1)
        assert came == ({"won": 3} if is_in_use else {"won": 2, "wrong_state": 1})
        moment["now"] += timedelta(minutes=10)
        if is_in_use:
            arena.setup(lambda h=held: service.check_out(h, caller=arena.firms[0]))
        moment["now"] = before
    assert arena.breaches() == []
