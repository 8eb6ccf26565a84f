"""Seats and requests raced for on committed data: the last one is taken once."""

from collections.abc import Iterator

import pytest
from flask import Flask

from booking.authorisations import queries, service
from booking.kernel.db import db
from booking.registry.models import Instrument
from tests.factories import slot
from tests.reservations.racing import WRITERS, Arena, racing

pytestmark = [pytest.mark.service, pytest.mark.real]

ROUNDS = 10


@pytest.fixture
def app(scratch_url: str, now: object) -> Iterator[Flask]:
    with racing(scratch_url) as program:
        yield program


@pytest.fixture
def arena(app: Flask) -> Arena:
    return Arena(app)


def institution_of(arena: Arena) -> int:
    with arena.app.app_context():
        return db.session.get_one(Instrument, arena.instrument).institution_id


def test_the_last_seat_is_taken_once(arena):
    institution = institution_of(arena)
    for _ in range(ROUNDS):
        (offered,) = arena.setup(
            lambda: (
                service.offer(
                    institution,
                    slot(),
                    caller=arena.operator,
                    instrument_ids=[arena.instrument],
                    location="教室",
                    seats=3,
                ).id
            )
        )

        outcomes = arena.race(
            *([lambda c=firm, o=offered: service.sign_up(o, caller=c)] for firm in arena.firms)
        )

        assert outcomes == {"won": 3, "session_full": WRITERS - 3}
        with arena.app.app_context():
            assert queries.count_taken(offered) == 3
            assert list(queries.breaches()) == []


def test_of_many_equal_requests_one_is_made(arena):
    one = arena.firms[0]

    outcomes = arena.race(
        *([lambda: service.request(arena.instrument, caller=one)] for _ in range(WRITERS))
    )

    assert outcomes == {"won": 1, "already_asked": WRITERS - 1}


def test_of_a_grant_and_a_refusal_one_wins(arena):
    for firm in arena.firms:
        (asked,) = arena.setup(lambda c=firm: service.request(arena.instrument, caller=c).id)

        outcomes = arena.race(
            [lambda a=asked: service.grant(a, caller=arena.operator, grounds="证")],
            [lambda a=asked: service.refuse(a, caller=arena.operator, reason="不行")],
        )

        assert outcomes == {"won": 1, "wrong_state": 1}
