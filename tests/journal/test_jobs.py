"""Sealing as a job: among writers, and with several processes at it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from booking.journal import jobs, queries
from booking.journal.models import JournalSeal
from booking.kernel.db import db, transaction
from tests.journal.conftest import forget_everything, write

pytestmark = pytest.mark.service

LOCK = text("LOCK TABLE journal_entries IN ROW EXCLUSIVE MODE")


@pytest.fixture
def committed(app, now, monkeypatch):
    """The application with a journal that other connections see."""
    monkeypatch.setattr(jobs, "PAUSE_SECONDS", 0)
    with app.app_context():
        with transaction():
            forget_everything()
        yield app
        with transaction():
            forget_everything()


def test_the_job_seals_and_tells_the_digest(committed):
    with transaction():
        write(2)

    report = jobs.seal()

    assert report == f"封存日志 2 条，摘要 {queries.last_seal().digest.hex()}"
    assert jobs.seal() == "没有需要封存的日志"


def test_the_job_waits_for_writers_without_making_others_wait(committed, monkeypatch):
    with transaction():
        write(2)
    pauses = []
    writer = db.engine.connect()
    writer.execute(LOCK)

    def pause(_seconds):
        pauses.append(1)
        writer.rollback()

    monkeypatch.setattr(jobs.time, "sleep", pause)
    report = jobs.seal()
    writer.close()

    assert pauses == [1]
    assert report.startswith("封存日志 2 条")


def test_the_job_gives_up_where_writers_never_pause(committed, monkeypatch):
    monkeypatch.setattr(jobs, "TRIES", 2)
    monkeypatch.setattr(jobs.service.settled_end, "__kwdefaults__", {"patience_ms": 10})
    with transaction():
        write()

    with db.engine.connect() as writer:
        writer.execute(LOCK)
        with pytest.raises(OperationalError):
            jobs._settled_end(2)

    assert queries.last_seal() is None


def test_an_entry_not_yet_committed_is_never_left_behind(committed, now):
    """A writer that drew an id before a later one committed: the seal must wait for it."""
    slow = db.engine.connect()
    slow.execute(
        text(
            "INSERT INTO journal_entries (at, action, subject_type, subject_id, data)"
            " VALUES (now(), 'slow', 'x', 1, '{}')"
        )
    )
    with transaction():
        write()

    with pytest.raises(OperationalError):
        jobs._settled_end(1)
    slow.commit()
    slow.close()
    jobs.seal()

    assert queries.last_seal().entry_count == 2
    assert list(queries.breaches()) == []


def test_many_processes_make_one_seal(committed):
    with transaction():
        write(50)
    start = Barrier(4)

    def race():
        with committed.app_context():
            start.wait()
            return jobs.seal()

    with ThreadPoolExecutor(4) as pool:
        reports = [future.result() for future in [pool.submit(race) for _ in range(4)]]

    assert sum(report.startswith("封存日志 50 条") for report in reports) == 1
    assert len(db.session.scalars(select(JournalSeal)).all()) == 1
    assert list(queries.breaches()) == []
