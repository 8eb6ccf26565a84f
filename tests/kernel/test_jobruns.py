"""Claiming runs: once, again after a crash or a failure, never for ever."""

from datetime import UTC, datetime
from unittest.mock import Mock

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from booking.kernel import jobruns
from booking.kernel.jobruns import JobRun, Leadership

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

DUE = datetime(2026, 11, 22, 16, 10, tzinfo=UTC)


def test_a_run_is_claimed_once_it_is_done():
    run_id = jobruns.claim("seal", DUE)
    jobruns.finish(run_id, succeeded=True, detail="3")

    assert jobruns.claim("seal", DUE) is None


def test_another_job_or_due_time_is_another_run():
    jobruns.finish(jobruns.claim("seal", DUE), succeeded=True, detail="")

    assert jobruns.claim("sweep", DUE)
    assert jobruns.claim("seal", DUE.replace(day=23))


def test_a_run_that_was_cut_off_is_claimed_again(session):
    first = jobruns.claim("seal", DUE)

    assert jobruns.claim("seal", DUE) == first
    assert session.get(JobRun, first, populate_existing=True).attempts == 2


def test_a_failed_run_waits_five_minutes(now):
    jobruns.finish(jobruns.claim("seal", DUE), succeeded=False, detail="disk full")

    now.advance(minutes=4)
    assert jobruns.claim("seal", DUE) is None
    now.advance(minutes=1)
    assert jobruns.claim("seal", DUE)


def test_a_run_is_tried_five_times_at_most():
    claims = [jobruns.claim("seal", DUE) for _ in range(6)]

    assert all(claims[:5])
    assert claims[5] is None


def test_what_came_of_it_is_kept_and_cut_to_size(session, now):
    run_id = jobruns.claim("seal", DUE)
    now.advance(seconds=3)

    jobruns.finish(run_id, succeeded=False, detail="x" * 5000)

    run = session.get(JobRun, run_id, populate_existing=True)
    assert (run.succeeded, len(run.detail), run.finished_at) == (False, 2000, now.at)


def test_a_job_runs_in_one_process_at_a_time():
    with jobruns.alone("seal") as first, jobruns.alone("seal") as second:
        assert (first, second) == (True, False)
    with jobruns.alone("seal") as again:
        assert again


def test_different_jobs_run_side_by_side():
    with jobruns.alone("seal") as first, jobruns.alone("sweep") as second:
        assert (first, second) == (True, True)


class TestLeadership:
    @pytest.fixture
    def lead(self, app):
        """A function that makes one who would lead; all let go in the end."""
        made = []

        def make():
            made.append(jobruns.Leadership())
            return made[-1]

        yield make
        for each in made:
            each.let_go()

    def test_is_held_by_one_and_keeps_being(self, lead):
        first, second = lead(), lead()

        assert [first.held(), second.held(), first.held()] == [True, False, True]

    def test_passes_on_when_it_is_let_go(self, lead):
        first, second = lead(), lead()
        first.held()
        first.let_go()

        assert second.held()
        assert not first.held()

    def test_is_lost_with_the_connection_and_can_be_won_again(self, lead):
        first = lead()
        first.held()
        first._connection.connection.dbapi_connection.close()

        assert not first.held()
        assert first.held()

    def test_nobody_leads_while_the_database_is_away(self, lead, monkeypatch):
        first = lead()
        first.held()
        first._connection.connection.dbapi_connection.close()
        error = OperationalError("SELECT 1", {}, psycopg.OperationalError("away"))
        monkeypatch.setattr(Leadership, "_connected", Mock(side_effect=error))

        assert not first.held()
