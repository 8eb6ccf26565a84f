"""The timetable job -> cron, and running what is due; the only importer of apscheduler."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType

import structlog
from apscheduler.triggers.cron import CronTrigger

from booking.accounts import jobs as accounts
from booking.calendars import jobs as calendars
from booking.journal import jobs as journal
from booking.kernel import clock, jobruns
from booking.kernel.db import db, transaction
from booking.kernel.errors import Conflict, NotFound
from booking.kernel.idempotency import forget_old_answers
from booking.kernel.text import N_
from booking.reference import jobs as reference

log = structlog.get_logger("booking")


class UnknownJob(NotFound):
    """No job of the timetable has this name."""

    code = "unknown_job"

    def __init__(self, name: str) -> None:
        known = "、".join(names())
        super().__init__(N_("没有名为 %(name)s 的任务，可选：%(known)s。", name=name, known=known))


class JobRunning(Conflict):
    """Another process is running the job now."""

    code = "job_running"

    def __init__(self, name: str) -> None:
        super().__init__(N_("任务 %(name)s 正在另一个进程中运行，请稍后再试。", name=name))


@dataclass(frozen=True)
class Job:
    """A job, when it is due in Chinese civil time (cron), and what to call."""

    name: str
    cron: str
    work: Callable[[], str]

    @property
    def trigger(self) -> CronTrigger:
        """Return when it is due."""
        return CronTrigger.from_crontab(self.cron, timezone=clock.CHINA)


@dataclass(frozen=True)
class JobOutcome:
    """How a run ended; `detail` is the job's report, or the error's text."""

    name: str
    due_at: datetime
    succeeded: bool
    detail: str


def _forget_answers() -> str:
    with transaction():
        return f"清理幂等应答 {forget_old_answers()} 条"


TIMETABLE = (
    Job("journal-seal", "10 0 * * *", journal.seal),
    Job("forget-answers", "40 * * * *", _forget_answers),
    Job("forget-log-ins", "20 4 * * *", accounts.forget),
    Job("calendar-texts", "50 3 * * *", calendars.forget_texts),
    Job("calendar-years", "20 3 1 * *", reference.reseed_calendar),
)


def names() -> list[str]:
    """Return the names of all jobs."""
    return [job.name for job in TIMETABLE]


def run_due(now: datetime) -> list[JobOutcome]:
    """Run every job whose last due time has no run yet; one that fails does not stop the others."""
    return [outcome for job in TIMETABLE if (outcome := _run(job, last_due(job, now)))]


def run(name: str) -> JobOutcome:
    """Run one job now, due or not; raises UnknownJob, JobRunning."""
    job = next((job for job in TIMETABLE if job.name == name), None)
    if job is None:
        raise UnknownJob(name)
    outcome = _run(job, clock.now())
    if outcome is None:
        raise JobRunning(name)
    return outcome


def last_due(job: Job, now: datetime) -> datetime:
    """Return the latest instant, not after now, at which the job was due."""
    for hours in (1, 24, 24 * 32, 24 * 366):
        due = list(_due_between(job, now - timedelta(hours=hours), now))
        if due:
            return due[-1]
    raise ValueError(f"{job.cron} is never due")


def _due_between(job: Job, since: datetime, until: datetime) -> Iterator[datetime]:
    due = job.trigger.get_next_fire_time(None, since)
    while due is not None and due <= until:
        yield due
        due = job.trigger.get_next_fire_time(due, due)


def _run(job: Job, due_at: datetime) -> JobOutcome | None:
    """Run the job for this due time, or return None if that is done or another process does it."""
    with jobruns.alone(job.name) as held:
        run_id = jobruns.claim(job.name, due_at) if held else None
        if run_id is None:
            return None
        with _Attempt(job.name) as attempt:
            attempt.detail = job.work()
        jobruns.finish(run_id, succeeded=attempt.succeeded, detail=attempt.detail)
    return JobOutcome(job.name, due_at, attempt.succeeded, attempt.detail)


class _Attempt:
    """Keeps how the work ended; an error ends this run and is kept, the other jobs go on."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.succeeded = True
        self.detail = ""

    def __enter__(self) -> "_Attempt":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is None:
            log.info("job_done", job=self.name, detail=self.detail)
            return True
        if not isinstance(error, Exception):
            return False
        # Whatever the work left open must not leak into the next job's transaction.
        db.session.rollback()
        self.succeeded, self.detail = False, f"{type(error).__name__}: {error}"
        log.error("job_failed", job=self.name, exc_info=error)
        return True
