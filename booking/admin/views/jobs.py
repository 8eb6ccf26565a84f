"""Jobs: when each ran last, how it went, when it is due, and asking for a run now."""

from flask import Response, flash, render_template
from flask_babel import gettext

from booking import scheduler
from booking.accounts.auth import caller
from booking.admin import service
from booking.admin.views.frame import SHOWN, admins_only, bp, go
from booking.kernel import clock, forms, jobruns
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound


@bp.get("/admin/jobs")
@admins_only
def jobs() -> str:
    """List all jobs with their last run; what runs all the time is named too."""
    now = clock.now()
    return render_template(
        "admin/jobs.html",
        jobs=[(job, scheduler.next_due(job, now)) for job in scheduler.TIMETABLE],
        continuous=list(scheduler.CONTINUOUS),
        runs={run.job: run for run in jobruns.latest_runs()},
        asked=jobruns.asked_for(),
        is_led=jobruns.is_led(),
    )


@bp.get("/admin/jobs/<string:name>")
@admins_only
def job(name: str) -> str:
    """Show the runs of one job, latest first."""
    _known(name)
    return render_template(
        "admin/job.html",
        name=name,
        runs=jobruns.runs_of(name, limit=SHOWN),
        asked=name in jobruns.asked_for(),
        is_led=jobruns.is_led(),
    )


@bp.post("/admin/jobs/<string:name>/run")
@admins_only
def run_job(name: str) -> Response:
    """Ask the worker to run a job now; asked twice it runs once."""
    forms.check_token()
    _known(name)
    with transaction():
        service.ask_for_run(name, by=caller().user_id)
    flash(gettext("已排队，后台任务几秒内开始运行。"), "ok")
    return go("job", name=name)


def _known(name: str) -> None:
    if all(job.name != name for job in scheduler.TIMETABLE):
        raise NotFound
