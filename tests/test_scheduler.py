"""The timetable: what is due, run once by however many processes, failures kept."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, text

from booking import scheduler
from booking.kernel import clock, jobruns
from booking.kernel.db import db, transaction
from booking.kernel.jobruns import JobRun
from booking.scheduler import Job, JobRunning, UnknownJob

pytestmark = pytest.mark.service


def china(text):
    return datetime.fromisoformat(text).replace(tzinfo=clock.CHINA)


class Work:
    """A job's work that counts its runs, and fails if told to."""

    def __init__(self):
        self.runs = 0
        self.error = None

    def __call__(self):
        self.runs += 1
        if self.error:
            raise self.error
        return f"run {self.runs}"


@pytest.fixture
def daily(monkeypatch):
    """A timetable of two jobs; returns the work of the first."""
    first, second = Work(), Work()
    jobs = (Job("first", "10 0 * * *", first), Job("second", "40 * * * *", second))
    monkeypatch.setattr(scheduler, "TIMETABLE", jobs)
    return first


@pytest.mark.parametrize(
    ("cron", "now", "due"),
    [
        pytest.param("10 0 * * *", "2026-11-23T09:00", "2026-11-23T00:10", id="daily"),
        pytest.param("10 0 * * *", "2026-11-23T00:09", "2026-11-22T00:10", id="daily-not-yet"),
        pytest.param("10 0 * * *", "2026-11-23T00:10", "2026-11-23T00:10", id="on-the-minute"),
        pytest.param("40 * * * *", "2026-11-23T09:00", "2026-11-23T08:40", id="hourly"),
        pytest.param("20 3 1 * *", "2026-11-23T09:00", "2026-11-01T03:20", id="monthly"),
        pytest.param("20 3 1 * *", "2026-03-01T03:19", "2026-02-01T03:20", id="monthly-not-yet"),
        pytest.param("0 0 1 1 *", "2026-11-23T09:00", "2026-01-01T00:00", id="yearly"),
    ],
)
def test_the_last_due_time_in_chinese_civil_time(cron, now, due):
    assert scheduler.last_due(Job("x", cron, str), china(now)) == china(due)


@given(st.integers(0, 6 * 365 * 24 * 60))
def test_a_daily_job_was_due_within_the_last_day(minutes):
    now = china("2024-01-01T00:00") + timedelta(minutes=minutes)

    due = scheduler.last_due(Job("x", "10 0 * * *", str), now)

    assert timedelta(0) <= now - due < timedelta(days=1)
    assert (due.hour, due.minute) == (0, 10)


def test_a_job_that_is_never_due_is_a_mistake():
    with pytest.raises(ValueError, match="never"):
        scheduler.last_due(Job("x", "0 0 30 2 *", str), china("2026-11-23T09:00"))


def test_the_real_timetable_has_unique_names_and_runs():
    assert len(set(scheduler.names())) == len(scheduler.names())
    assert {"journal-seal", "forget-answers", "calendar-years"} <= set(scheduler.names())


def test_every_job_of_the_real_timetable_runs(session, now, use_mail):
    outcomes = scheduler.run_everything_due(now.at)

    assert [outcome.name for outcome in outcomes] == scheduler.names()
    assert [outcome for outcome in outcomes if not outcome.succeeded] == []


def test_what_is_due_runs_once(session, now, daily):
    outcomes = scheduler.run_due(now.at)

    assert [(o.name, o.due_at, o.succeeded, o.detail) for o in outcomes] == [
        ("first", china("2026-11-23T00:10"), True, "run 1"),
        ("second", china("2026-11-23T08:40"), True, "run 1"),
    ]
    assert scheduler.run_due(now.at) == []
    assert daily.runs == 1


def test_the_next_due_time_is_another_run(session, now, daily):
    scheduler.run_due(now.at)

    assert [o.name for o in scheduler.run_due(now.at + timedelta(hours=1))] == ["second"]
    assert len(scheduler.run_due(now.at + timedelta(days=1))) == 2


def test_runs_missed_while_nothing_ran_are_made_up_by_one(session, now, daily):
    scheduler.run_due(now.at)

    scheduler.run_due(now.at + timedelta(days=9))

    assert daily.runs == 2


def test_a_failure_is_kept_and_stops_nobody_else(session, now, daily):
    daily.error = OSError("disk full")

    first, second = scheduler.run_due(now.at)

    assert (first.succeeded, first.detail) == (False, "OSError: disk full")
    assert second.succeeded
    run = session.scalar(select(JobRun).where(JobRun.job == "first"))
    assert (run.succeeded, run.detail) == (False, "OSError: disk full")


def test_a_failed_job_is_tried_again_later(session, now, daily):
    daily.error = OSError("disk full")
    scheduler.run_due(now.at)
    daily.error = None

    assert scheduler.run_due(now.at) == []
    now.advance(minutes=5)
    assert [(o.name, o.succeeded) for o in scheduler.run_due(now.at)] == [("first", True)]


def test_stopping_the_process_is_no_failure_of_the_job(session, now, daily):
    daily.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        scheduler.run_due(now.at)
    daily.error = None

    first, _ = scheduler.run_due(now.at)

    assert (first.name, first.succeeded) == ("first", True)


def test_a_job_can_be_forced_any_time(session, now, daily):
    scheduler.run_due(now.at)
    now.advance(seconds=1)

    outcome = scheduler.run("first")

    assert (outcome.due_at, outcome.detail) == (now.at, "run 2")


def test_a_job_that_runs_elsewhere_is_not_forced(session, now, daily):
    with jobruns.alone("first"), pytest.raises(JobRunning):
        scheduler.run("first")

    assert daily.runs == 0


def test_an_unknown_job_is_refused_with_the_known_ones(daily):
    with pytest.raises(UnknownJob, match="可选：first、second"):
        scheduler.run("third")


def test_however_many_processes_ask_each_job_runs_once(app, now, daily):
    start = Barrier(4)

    def ask():
        with app.app_context():
            start.wait()
            return scheduler.run_due(now.at)

    with ThreadPoolExecutor(4) as pool:
        asked = [future.result() for future in [pool.submit(ask) for _ in range(4)]]

    with app.app_context(), transaction():
        db.session.execute(delete(JobRun))
    assert daily.runs == 1
    assert sorted(outcome.name for outcomes in asked for outcome in outcomes) == ["first", "second"]


# Who holds the leader's lock here; the two halves of its number stand in columns of their own.
LEADERS = (
    "FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
    f" AND classid::bigint = {jobruns._key('leader') >> 32 & 0xFFFFFFFF}"
    f" AND objid::bigint = {jobruns._key('leader') & 0xFFFFFFFF}"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@pytest.fixture
def looked(monkeypatch):
    """What every worker does all the time, as one piece of work that counts."""
    work = Work()
    monkeypatch.setattr(scheduler, "CONTINUOUS", {"looking": lambda go_on: work()})
    return work


def test_what_waits_is_done_along_with_what_is_due(session, now, daily, looked):
    outcomes = scheduler.run_everything_due(now.at)

    assert [o.name for o in outcomes] == ["first", "second", "looking"]
    assert scheduler.run("looking").detail == "run 2"


class TestWorker:
    @pytest.fixture
    def working(self, app, now, daily, looked, monkeypatch):
        monkeypatch.setattr(scheduler, "LOOK_SECONDS", 0.05)
        monkeypatch.setattr(scheduler, "LEAD_SECONDS", 0.05)
        started = []

        def start():
            worker = scheduler.Worker(app)
            thread = Thread(target=worker.run)
            thread.start()
            started.append((worker, thread))
            return worker

        yield start
        for worker, thread in started:
            worker.stopping.set()
            thread.join(10)
        with app.app_context(), transaction():
            db.session.execute(delete(JobRun))
        assert not any(thread.is_alive() for _, thread in started)

    def test_looks_all_the_time_and_leads_the_timetable(self, working, daily, looked):
        worker = working()

        assert until(lambda: looked.runs > 3 and daily.runs)
        assert worker.leads
        assert daily.runs == 1

    def test_only_one_leads_and_all_look(self, working, daily, looked):
        workers = [working() for _ in range(3)]

        assert until(lambda: any(worker.leads for worker in workers) and looked.runs > 9)
        assert [worker.leads for worker in workers].count(True) == 1
        assert daily.runs == 1

    def test_another_takes_over_when_the_leader_stops(self, working):
        first = working()
        assert until(lambda: first.leads)
        second = working()
        first.stopping.set()

        assert until(lambda: second.leads)

    def test_a_leader_whose_connection_breaks_leads_again_on_a_new_one(self, app, working):
        worker = working()
        assert until(lambda: worker.leads)
        with app.app_context(), transaction():
            ended = db.session.scalar(text(f"SELECT pg_terminate_backend(pid) {LEADERS}"))
        assert ended

        assert until(lambda: _leaders(app) == 1)
        assert until(lambda: worker.leads)

    def test_after_a_failure_it_pauses_longer_each_time(self, working, looked):
        looked.error = OSError("no mail server")
        worker = working()
        assert until(lambda: looked.runs == 1)
        pause = worker.pauses["looking"]

        assert until(lambda: pause.seconds == scheduler.FIRST_PAUSE_SECONDS)
        assert not pause.is_over()
        for expected in (10, 20, 40, 80, 120, 120):
            pause.after(succeeded=False)
            assert pause.seconds == expected
        pause.after(succeeded=True)
        assert pause.seconds == 0


def _leaders(app):
    with app.app_context(), transaction():
        return db.session.scalar(text(f"SELECT count(*) {LEADERS}"))


def until(true):
    """Wait until it is true, ten seconds at most."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False
