"""Counting attempts before they are made."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from booking.kernel import throttle
from booking.kernel.db import db, transaction
from booking.kernel.throttle import Attempts, admit, succeeded, wait_after

service = pytest.mark.service


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (8, 8), (9, 15), (10, 15), (10_000, 15)],
)
def test_the_wait_doubles_up_to_fifteen_minutes(failures, minutes):
    assert wait_after(failures, free=5) == timedelta(minutes=minutes)


@service
def test_the_free_failures_pass_and_then_one_has_to_wait(session, now):
    admitted = [admit({"name": 5}) for _ in range(5)]
    waits = [admit({"name": 5})]
    now.advance(seconds=59)
    waits.append(admit({"name": 5}))

    assert admitted == [0] * 5
    assert waits == [60, 1]


@service
def test_after_the_wait_one_more_is_admitted_and_the_next_waits_twice_as_long(session, now):
    for _ in range(5):
        admit({"name": 5})
    now.advance(minutes=1)

    assert admit({"name": 5}) == 0
    assert admit({"name": 5}) == 120


@service
def test_a_blocked_attempt_is_not_counted_at_its_other_subject(session, now):
    for _ in range(5):
        admit({"name": 5})

    with pytest.raises(Waiting):
        _admit_or_roll_back()

    assert session.get(Attempts, "address") is None


class Waiting(Exception):
    pass


def _admit_or_roll_back():
    with transaction():
        if admit({"name": 5, "address": 50}):
            raise Waiting


@service
def test_success_forgets_the_name_but_gives_a_shared_address_only_its_own_attempt_back(session):
    for _ in range(3):
        admit({"name": 5, "address": 50})
    succeeded(clear=["name"], give_back=["address"])

    left = session.execute(select(Attempts.subject, Attempts.failures)).all()
    assert [tuple(row) for row in left] == [("address", 2)]


@service
def test_a_day_without_failures_forgives(session, now):
    for _ in range(9):
        admit({"name": 50})
    now.advance(hours=24, seconds=1)

    admit({"name": 50})

    assert session.scalar(select(Attempts.failures)) == 1


@service
def test_what_would_be_forgiven_is_dropped(session, now):
    admit({"old": 5})
    now.advance(hours=24, seconds=1)
    admit({"new": 5})

    assert throttle.forget_old_attempts() == 1
    assert session.scalars(select(Attempts.subject)).all() == ["new"]


@service
def test_of_many_guesses_at_the_same_moment_only_the_free_ones_are_admitted(app):
    """A real race: separate connections, separate transactions, committed."""
    start, admitted = threading.Barrier(6), []

    def guess(number: int) -> None:
        with app.app_context():
            start.wait()
            for _ in range(5):
                with transaction():
                    admitted.append(admit({"race": 5, f"address {number}": 50}))

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with app.app_context(), transaction():
        db.session.execute(delete(Attempts))
    assert len(admitted) == 30
    assert admitted.count(0) == 5
