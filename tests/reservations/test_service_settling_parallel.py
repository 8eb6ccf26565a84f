"""Settling raced: twice at once, a fee twice at once, and against a declaration of relation."""

from collections.abc import Iterator
from datetime import UTC, date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from booking.accounts.rules import CustomerClass, Role
from booking.kernel import clock
from booking.kernel.db import db
from booking.relations import queries as relations
from booking.relations import service as declaring
from booking.relations.rules import Party
from booking.reservations import service
from booking.reservations.models import FeeEnd, FeeSettlement, Settlement
from booking.savings import queries as savings
from booking.savings.models import SavingsLine
from booking.tariffs.rules import Fee, Terms
from tests.conftest import MONDAY_9
from tests.factories import make_admin, make_caller, make_price
from tests.reservations.racing import WRITERS, Arena, nth, racing

pytestmark = [pytest.mark.service, pytest.mark.real]
ROUNDS = 6
TODAY = date(2026, 11, 25)
PAID = {"settlement": Settlement.PAID, "settled_on": TODAY, "reference": "回单 1"}
FEE_PAID = {"settlement": FeeEnd.PAID, "settled_on": TODAY, "reference": "回单 1"}


@pytest.fixture
def at() -> dict[str, object]:
    return {"now": MONDAY_9.astimezone(UTC)}


@pytest.fixture
def app(
    scratch_url: str, monkeypatch: pytest.MonkeyPatch, at: dict[str, object]
) -> Iterator[Flask]:
    monkeypatch.setattr(clock, "wall", lambda: clock._pretended.get() or at["now"])
    with racing(scratch_url) as program:
        yield program


@pytest.fixture
def arena(app: Flask) -> Arena:
    return Arena(app)


@pytest.fixture
def keeper(arena):
    """Somebody who keeps the books of the instrument's owner."""

    def make():
        from booking.accounts.models import Organisation

        owner = db.session.get_one(Organisation, next(iter(arena.operator.organisations)))
        return make_caller(owner, Role.MANAGER)

    (found,) = arena.setup(make)
    return found


@pytest.fixture
def agreed(arena, at):
    """A function that makes a use that the firm agreed to; it only has to be settled."""

    def make(number):
        firm, held = arena.firms[0], nth(number)
        at["now"] = MONDAY_9.astimezone(UTC)
        (made,) = arena.setup(lambda: arena.reserve(0, number))
        at["now"] = held.starts_at
        arena.setup(lambda: service.check_in(made, caller=firm))
        at["now"] = held.ends_at
        arena.setup(
            lambda: service.check_out(made, caller=firm),
            lambda: service.confirm_usage(made, caller=arena.operator),
            lambda: service.agree(made, caller=firm),
        )
        return made

    return make


def lines(arena):
    with arena.app.app_context():
        return db.session.scalar(select(func.count()).select_from(SavingsLine))


def test_of_many_who_settle_at_once_one_does_and_writes_one_line(arena, keeper, agreed):
    for number in range(ROUNDS):
        made = agreed(number)

        outcomes = arena.race(
            *([lambda m=made: service.settle(m, caller=keeper, **PAID)] for _ in range(WRITERS))
        )

        assert outcomes == {"won": 1, "wrong_state": WRITERS - 1}
        assert lines(arena) == number + 1
    assert arena.breaches() == []


def test_of_many_who_settle_a_fee_at_once_one_does(arena, keeper, at):
    terms = Terms(no_show=Fee(percent=50))

    def costly():
        from booking.registry.models import Instrument
        from tests.factories import make_instrument

        first = db.session.get_one(Instrument, arena.instrument)
        made = make_instrument(institution_id=first.institution_id, price=None)
        make_price(made, CustomerClass.SME, kept_terms=terms.plain())
        return made.id

    (instrument,) = arena.setup(costly)
    firm = arena.firms[0]
    (made,) = arena.setup(lambda: service.reserve(instrument, nth(0), caller=firm).id)
    at["now"] = nth(0).starts_at + timedelta(minutes=45)
    arena.setup(lambda: service.no_show(made, caller=arena.operator))

    outcomes = arena.race(
        *([lambda: service.settle_fee(made, caller=keeper, **FEE_PAID)] for _ in range(WRITERS))
    )

    assert outcomes == {"won": 1, "wrong_state": WRITERS - 1}
    with arena.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(FeeSettlement)) == 1
    assert arena.breaches() == []


def test_whoever_is_first_nothing_counts_between_related(arena, keeper, agreed):
    (admin,) = arena.setup(make_admin)

    def declare(firm):
        pair = [*firm.organisations, *keeper.organisations]
        parties = [Party(held.uscc, held.name) for held in map(relations.organisation_of, pair)]
        return declaring.declare(parties, caller=admin, source="股东名册", since=date(2026, 11, 1))

    for number in range(ROUNDS):
        made = agreed(number)

        outcomes = arena.race(
            [lambda m=made: service.settle(m, caller=keeper, **PAID)],
            [lambda: declare(arena.firms[0])],
        )

        assert outcomes == {"won": 2}
        with arena.app.app_context():
            assert [*relations.breaches(), *savings.breaches()] == []
    assert arena.breaches() == []
