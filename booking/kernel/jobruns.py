"""Which job ran for which due time, once however many processes ask, and which process leads."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta

from sqlalchemy import (
    Connection,
    Index,
    UniqueConstraint,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from booking.kernel import clock
from booking.kernel.db import Model, db, transaction
from booking.kernel.metrics import Figure

MOST_ATTEMPTS = 5
RETRY_AFTER = timedelta(minutes=5)
LONGEST_DETAIL = 2000


class JobRun(Model):
    """A job's run for one due time; without `finished_at` it is running, or its process died."""

    __tablename__ = "job_runs"
    __table_args__ = (UniqueConstraint("job", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str]
    due_at: Mapped[datetime]
    claimed_at: Mapped[datetime]
    attempts: Mapped[int]
    finished_at: Mapped[datetime | None]
    succeeded: Mapped[bool | None]
    detail: Mapped[str] = mapped_column(default="")


class JobRequest(Model):
    """Somebody wants a job to run now; taken by the worker that leads."""

    __tablename__ = "job_requests"
    __table_args__ = (
        Index(
            "uq_job_requests_waiting", "job", unique=True, postgresql_where=text("taken_at IS NULL")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str]
    asked_at: Mapped[datetime]
    asked_by: Mapped[int]  # a user, whom this layer does not know
    taken_at: Mapped[datetime | None]


class Leadership:
    """Held by one process at a time: an advisory lock on a connection of its own.

    The lock dies with the connection, and so with its process. A leader whose connection broke
    learns of it when it asks next; until then two may lead, which `claim` makes harmless.
    """

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._leads = False

    def held(self) -> bool:
        """Tell whether this process leads, trying to become the leader if nobody is."""
        try:
            connection = self._connected()
            if self._leads:
                connection.execute(select(1))
            else:
                lock = func.pg_try_advisory_lock(_key("leader"))
                self._leads = bool(connection.scalar(select(lock)))
        except DBAPIError:
            self.let_go()
        return self._leads

    def let_go(self) -> None:
        """Stop leading; another process may at once."""
        connection, self._connection, self._leads = self._connection, None, False
        if connection is not None:
            with suppress(SQLAlchemyError), closing(connection):
                # By closing alone the lock would end a moment later, when the server notices.
                connection.execute(select(func.pg_advisory_unlock_all()))

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = db.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()  # closed when we close it, and never lent to anybody
            self._connection = connection
        return self._connection


@contextmanager
def alone(job: str) -> Iterator[bool]:
    """Hold the job's lock, or yield False if another process runs it now.

    The lock lives in its own connection and dies with its process: whoever gets it may be sure
    that a run found unfinished was cut off.
    """
    key = _key(job)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        held = bool(connection.scalar(select(func.pg_try_advisory_lock(key))))
        try:
            yield held
        finally:
            if held:
                connection.execute(select(func.pg_advisory_unlock(key)))


def _key(job: str) -> int:
    return int.from_bytes(hashlib.sha256(f"job {job}".encode()).digest()[:8], "big", signed=True)


def claim(job: str, due_at: datetime) -> int | None:
    """Return the run's id, or None if it has been done or has to wait; call it `alone`.

    A run that was cut off may be claimed again at once, a failed one after five minutes, either
    five times at most.
    """
    now = clock.now()
    values = {"claimed_at": now, "finished_at": None, "succeeded": None, "detail": ""}
    statement = insert(JobRun).values(job=job, due_at=due_at, attempts=1, **values)
    failed = JobRun.succeeded.is_(False) & (JobRun.finished_at <= now - RETRY_AFTER)
    statement = statement.on_conflict_do_update(
        index_elements=["job", "due_at"],
        set_=values | {"attempts": JobRun.attempts + 1},
        where=(JobRun.attempts < MOST_ATTEMPTS) & or_(JobRun.finished_at.is_(None), failed),
    )
    with transaction():
        return db.session.scalar(statement.returning(JobRun.id))


def is_led() -> bool:
    """Tell whether some process holds the leader's lock now."""
    key = _key("leader")
    held = (
        select(literal(1))
        .select_from(text("pg_locks"))
        .where(
            text(
                "locktype = 'advisory' AND granted AND objsubid = 1 AND classid = :high"
                " AND objid = :low AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )
    )
    halves = {"high": key >> 32 & 0xFFFF_FFFF, "low": key & 0xFFFF_FFFF}
    return db.session.scalar(held, halves) is not None


def ask_for(job: str, *, by: int) -> int | None:
    """Ask for a run as soon as possible; None if one was asked for already and has not begun."""
    return db.session.scalar(
        insert(JobRequest)
        .values(job=job, asked_at=clock.now(), asked_by=by)
        .on_conflict_do_nothing()
        .returning(JobRequest.id)
    )


def asked_for() -> dict[str, datetime]:
    """Return the jobs somebody asked for that have not begun, with when."""
    waiting = select(JobRequest.job, JobRequest.asked_at).where(JobRequest.taken_at.is_(None))
    return dict(db.session.execute(waiting.order_by(JobRequest.id)).all())


def took_on(job: str) -> None:
    """Note that what was asked for has run."""
    with transaction():
        db.session.execute(
            update(JobRequest)
            .where(JobRequest.job == job, JobRequest.taken_at.is_(None))
            .values(taken_at=clock.now())
        )


def runs_of(job: str, *, limit: int) -> Sequence[JobRun]:
    """Return the runs of one job, latest first."""
    return db.session.scalars(
        select(JobRun).where(JobRun.job == job).order_by(JobRun.due_at.desc()).limit(limit)
    ).all()


def latest_runs() -> Sequence[JobRun]:
    """Return each job's latest run that ended."""
    return db.session.scalars(
        select(JobRun)
        .where(JobRun.finished_at.is_not(None))
        .order_by(JobRun.job, JobRun.due_at.desc())
        .ext(distinct_on(JobRun.job))
    ).all()


def figures() -> Iterator[Figure]:
    """Yield of each job when it ran last, how long and whether well."""
    for run in latest_runs():
        if run.finished_at is None:
            continue
        job = {"job": run.job}
        ended, took = run.finished_at, run.finished_at - run.claimed_at
        yield Figure(
            "booking_job_last_run_timestamp_seconds",
            "When the job's last run ended.",
            ended.timestamp(),
            job,
        )
        yield Figure(
            "booking_job_last_run_seconds",
            "How long the job's last run took.",
            took.total_seconds(),
            job,
        )
        yield Figure(
            "booking_job_last_run_succeeded",
            "Whether the job's last run went well.",
            float(bool(run.succeeded)),
            job,
        )


def failed_lately(now: datetime) -> Sequence[JobRun]:
    """Return each job whose latest run failed, latest first."""
    latest = (
        select(JobRun.id)
        .where(JobRun.finished_at.is_not(None), JobRun.due_at <= now)
        .order_by(JobRun.job, JobRun.due_at.desc())
        .ext(distinct_on(JobRun.job))
    )
    failed = select(JobRun).where(JobRun.id.in_(latest), JobRun.succeeded.is_(False))
    return db.session.scalars(failed.order_by(JobRun.due_at.desc())).all()


def finish(run_id: int, *, succeeded: bool, detail: str) -> None:
    """Keep how the run ended."""
    with transaction():
        db.session.execute(
            update(JobRun)
            .where(JobRun.id == run_id)
            .values(finished_at=clock.now(), succeeded=succeeded, detail=detail[:LONGEST_DETAIL])
        )
