"""Several bookings at once on the last prepaid hours: no balance goes below nothing, no deadlock.

The control at the end takes the guards away and shows that the same race then does go below.
"""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from booking.accounts.models import Organisation
from booking.accounts.rules import Role
from booking.kernel.db import db, transaction
from booking.packages import queries as packages
from booking.packages import service as ledger
from booking.packages.models import PrepaidEntry
from booking.packages.rules import EntryKind
from booking.reservations import service
from tests.factories import make_balance, make_caller, make_package
from tests.reservations.racing import WRITERS, Arena, nth, racing

pytestmark = [pytest.mark.service, pytest.mark.real]
LAST = 3  # hours that are left


@pytest.fixture
def app(scratch_url: str, now: object) -> Iterator[Flask]:
    with racing(scratch_url) as program:
        yield program


class Prepaid(Arena):
    """The arena, in which one firm has several people and a balance of so many hours."""

    def __init__(self, app: Flask, hours: int) -> None:
        super().__init__(app)
        with app.app_context(), transaction():
            self.owner = self.operator.seats[0].organisation_id
            firm = self.firms[0].seats[0].organisation_id
            owner = db.session.get_one(Organisation, self.owner)
            buyer = db.session.get_one(Organisation, firm)
            self.firms = [make_caller(buyer) for _ in range(WRITERS)]
            self.finance = make_caller(owner, Role.FINANCE)
            self.balance = make_balance(make_package(owner, hours=hours), buyer).id

    def reserve(self, writer: int, number: int) -> int:
        caller = self.firms[writer]
        made = service.reserve(self.instrument, nth(number), caller=caller, prepaid=self.balance)
        return made.id

    def left(self) -> int:
        with self.app.app_context():
            return packages.lock(self.balance).left_minutes

    def breaches(self) -> list[str]:
        with self.app.app_context():
            return [*super().breaches(), *packages.breaches()]


def test_the_last_hours_are_taken_once(app):
    arena = Prepaid(app, LAST)

    outcomes = arena.race(*([lambda w=writer: arena.reserve(w, w)] for writer in range(WRITERS)))

    assert outcomes == {"won": LAST, "not_bookable": WRITERS - LAST}
    assert arena.left() == 0
    assert arena.breaches() == []


def test_bookings_moves_and_cancellations_cross_without_deadlock(app):
    """Same slots and one balance: who waits for time never holds what the other waits for."""
    arena = Prepaid(app, 10)
    made = arena.setup(*(lambda n=number: arena.reserve(0, n) for number in range(4)))

    def cancel_and_again(writer: int) -> list[object]:
        mine = made[writer % 4]
        caller = arena.firms[writer]
        return [
            lambda: arena.reserve(writer, writer % 4),
            lambda: service.move(mine, nth(20 + writer), caller=arena.operator),
            lambda: service.cancel(mine, caller=arena.operator),
            lambda: arena.reserve(writer, writer % 4),
            lambda: service.reserve(arena.instrument, nth(10 + writer), caller=caller),
        ]

    arena.race(*(cancel_and_again(writer) for writer in range(WRITERS)))

    assert arena.breaches() == []


def test_a_correction_and_a_booking_never_take_the_same_hour(app):
    arena = Prepaid(app, 1)

    outcomes = arena.race(
        [lambda: arena.reserve(0, 0)],
        [lambda: ledger.correct(arena.balance, caller=arena.finance, minutes=-60, reason="退款")],
    )

    assert outcomes["won"] == 1
    assert arena.left() == 0
    assert arena.breaches() == []


def test_control_without_the_guards_the_same_hours_are_taken_twice(app):
    arena = Prepaid(app, 1)
    with app.app_context(), transaction():
        db.session.execute(
            text("ALTER TABLE prepaid_balances DROP CONSTRAINT ck_prepaid_balances_left")
        )

    def take(number: int) -> None:
        db.session.add(
            PrepaidEntry(
                balance_id=arena.balance, kind=EntryKind.HELD, minutes=-60, reservation_id=number
            )
        )

    arena.race(*([lambda n=number: take(n)] for number in (1, 2)))

    assert arena.left() == -60
    assert arena.breaches() != []
