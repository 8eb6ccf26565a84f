"""What the operator asks of the program itself. Never commits."""

from booking.journal import service as journal
from booking.kernel import jobruns


def ask_for_run(job: str, *, by: int) -> None:
    """Let the worker run a job as soon as it can; asked again before that, it runs once."""
    request_id = jobruns.ask_for(job, by=by)
    if request_id is not None:
        journal.record("job.asked", "job_request", request_id, by=by, job=job)
