"""The timetable job -> cron, running what is due, and the worker; only importer of apscheduler."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from types import TracebackType

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask

from booking.accounts import jobs as accounts
from booking.authorisations import jobs as authorisations
from booking.calendars import jobs as calendars
from booking.console import jobs as console
from booking.files import jobs as files
from booking.journal import jobs as journal
from booking.kernel import clock, jobruns
from booking.kernel.db import db, transaction
from booking.kernel.errors import Conflict, NotFound
from booking.kernel.idempotency import forget_old_answers
from booking.kernel.text import N_
from booking.notices import jobs as notices
from booking.packages import jobs as packages
from booking.qualifications import jobs as qualifications
from booking.reference import jobs as reference
from booking.reservations import jobs as reservations
from booking.waiting import jobs as waiting

LOOK_SECONDS = 1  # how often every worker looks for what waits
LEAD_SECONDS = 5  # how often the leader looks at the timetable, and others whether there is one
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5, 120

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
    Job("journal-check", "40 0 * * *", journal.check),
    Job("forget-answers", "40 * * * *", _forget_answers),
    Job("forget-log-ins", "20 4 * * *", accounts.forget),
    Job("calendar-texts", "50 3 * * *", calendars.forget_texts),
    Job("calendar-years", "20 3 1 * *", reference.reseed_calendar),
    Job("reminders", "*/15 * * * *", reservations.remind),
    Job("close-settled", "20 1 * * *", reservations.close),
    Job("unclaimed", "*/5 * * * *", reservations.release_unclaimed),
    Job("holds", "*/5 * * * *", reservations.expire_holds),
    Job("waiting-list", "* * * * *", waiting.offer),
    Job("forget-notices", "30 4 * * *", notices.forget),
    Job("certificates", "0 8 * * *", qualifications.remind),
    Job("authorisations", "5 8 * * *", authorisations.remind),
    Job("prepaid", "10 1 * * *", packages.expire),
    Job("sweep-files", "15 4 * * *", files.sweep),
    Job("forget-imports", "45 4 * * *", console.forget_imports),
)
# What every worker does all the time, side by side with the others; each says how much it did.
CONTINUOUS: dict[str, Callable[[Callable[[], bool]], str]] = {
    "notices": notices.expand,
    "mails": notices.send,
    "imports": console.run_imports,
}


def names() -> list[str]:
    """Return the names of all jobs."""
    return [*(job.name for job in TIMETABLE), *CONTINUOUS]


def run_everything_due(now: datetime) -> list[JobOutcome]:
    """Run what is due by the timetable, then once whatever else waits: what a worker would do."""
    return [*run_due(now), *run_asked(), *(_run_once(name) for name in CONTINUOUS)]


def run_due(now: datetime) -> list[JobOutcome]:
    """Run every job whose last due time has no run yet; one that fails does not stop the others."""
    return [outcome for job in TIMETABLE if (outcome := _run(job, last_due(job, now)))]


def run_asked() -> list[JobOutcome]:
    """Run what somebody asked for; what runs elsewhere just now waits for the next look."""
    done = []
    for name, asked_at in jobruns.asked_for().items():
        job = next((job for job in TIMETABLE if job.name == name), None)
        outcome = _run(job, asked_at) if job else None
        if job is None or outcome is not None:
            jobruns.took_on(name)
        if outcome is not None:
            done.append(outcome)
    return done


def next_due(job: Job, now: datetime) -> datetime:
    """Return the next instant after now at which the job is due."""
    found: datetime = job.trigger.get_next_fire_time(None, now)
    return found


def run(name: str) -> JobOutcome:
    """Run one job now, due or not; raises UnknownJob, JobRunning."""
    if name in CONTINUOUS:
        return _run_once(name)
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
    if attempt.succeeded:
        log.info("job_done", job=job.name, detail=attempt.detail)
    return JobOutcome(job.name, due_at, attempt.succeeded, attempt.detail)


def _run_once(name: str, go_on: Callable[[], bool] = lambda: True) -> JobOutcome:
    with _Attempt(name) as attempt:
        attempt.detail = CONTINUOUS[name](go_on)
    return JobOutcome(name, clock.now(), attempt.succeeded, attempt.detail)


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
            return True
        if not isinstance(error, Exception):
            return False
        # Whatever the work left open must not leak into the next job's transaction.
        db.session.rollback()
        self.succeeded, self.detail = False, f"{type(error).__name__}: {error}"
        log.error("job_failed", job=self.name, exc_info=error)
        return True


class Worker:
    """Does what waits, and leads the timetable while no other worker does. Any number may run."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.stopping = Event()
        self.leadership = jobruns.Leadership()
        self.leads = False
        self.pauses = {name: _Pause() for name in CONTINUOUS}

    def run(self) -> None:
        """Work until `stopping` is set; what has begun is brought to an end."""
        # That a tick is left out while the one before still works is meant, and happens often.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        ticks = BackgroundScheduler(timezone=clock.CHINA)
        for name in CONTINUOUS:
            self._every(ticks, LOOK_SECONDS, self._look, name)
        self._every(ticks, LEAD_SECONDS, self._lead)
        ticks.start()
        log.info("worker_started")
        self.stopping.wait()
        ticks.shutdown(wait=True)
        self.leadership.let_go()
        log.info("worker_stopped")

    def _every(
        self, ticks: BackgroundScheduler, seconds: int, work: Callable[..., None], *given: str
    ) -> None:
        ticks.add_job(
            work,
            IntervalTrigger(seconds=seconds, timezone=clock.CHINA),
            args=given,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )

    def _look(self, name: str) -> None:
        pause = self.pauses[name]
        if pause.is_over():
            with self.app.app_context():
                outcome = _run_once(name, lambda: not self.stopping.is_set())
            pause.after(succeeded=outcome.succeeded)

    def _lead(self) -> None:
        with self.app.app_context():
            led, self.leads = self.leads, self.leadership.held()
            if self.leads != led:
                log.info("worker_leads" if self.leads else "worker_leads_no_more")
            if self.leads:
                run_due(clock.now())
                run_asked()


class _Pause:
    """After a failure, longer each time: a mail server that is down is not asked each second."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.until = 0.0

    def is_over(self) -> bool:
        return time.monotonic() >= self.until

    def after(self, *, succeeded: bool) -> None:
        if succeeded:
            self.seconds = 0.0
            return
        longer = max(FIRST_PAUSE_SECONDS, 2 * self.seconds)
        self.seconds = min(longer, LONGEST_PAUSE_SECONDS)
        self.until = time.monotonic() + self.seconds
