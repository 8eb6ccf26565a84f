"""Slows down guessing: attempts are counted in the database before they are made."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import CheckConstraint, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from booking.kernel import clock
from booking.kernel.db import Model, db

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)
FORGIVEN_AFTER = timedelta(hours=24)


class Attempts(Model):
    """Failed attempts at one subject in a row; the subject is a digest, never a name."""

    __tablename__ = "attempts"
    __table_args__ = (CheckConstraint("failures >= 0", name="failures"),)

    subject: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    blocked_until: Mapped[datetime | None]


def wait_after(failures: int, *, free: int) -> timedelta:
    """Return the wait after so many failures in a row: none, then 1, 2, 4, 8, 15 minutes."""
    if failures < free:
        return timedelta(0)
    return min(FIRST_WAIT * (1 << min(failures - free, 10)), LONGEST_WAIT)


def admit(subjects: Mapping[str, int]) -> int:
    """Count one attempt at each subject (mapped to its free failures), or refuse the attempt.

    Returns 0 if it may be made, else the seconds to wait; the caller then rolls back. Must be
    committed before the attempt is made: it counts as failed until `succeeded` says otherwise,
    so guesses made at the same moment cannot slip through together.
    """
    now = clock.now()
    # Sorted, so that two attempts never lock the same subjects in opposite order.
    first = [{"subject": subject, "failures": 1, "last_at": now} for subject in sorted(subjects)]
    forgiven = Attempts.last_at < now - FORGIVEN_AFTER
    counted = db.session.execute(
        insert(Attempts)
        .values(first)
        .on_conflict_do_update(
            index_elements=[Attempts.subject],
            set_={"failures": case((forgiven, 1), else_=Attempts.failures + 1), "last_at": now},
            where=Attempts.blocked_until.is_(None) | (Attempts.blocked_until <= now),
        )
        .returning(Attempts.subject, Attempts.failures)
    ).all()
    if len(counted) < len(subjects):
        return _seconds_left(subjects, now)
    for subject, failures in counted:
        if wait := wait_after(failures, free=subjects[subject]):
            db.session.execute(
                update(Attempts)
                .where(Attempts.subject == subject)
                .values(blocked_until=now + wait)
                .execution_options(synchronize_session=False)
            )
    return 0


def succeeded(*, clear: Collection[str], give_back: Collection[str]) -> None:
    """Forget the failures of `clear`; take back this one attempt at each of `give_back`.

    A shared address only gets its own attempt back, or one good log-in would wipe out the
    count of all the guesses made from there.
    """
    quietly = {"synchronize_session": False}
    db.session.execute(
        delete(Attempts).where(Attempts.subject.in_(clear)).execution_options(**quietly)
    )
    db.session.execute(
        update(Attempts)
        .where(Attempts.subject.in_(give_back))
        .values(failures=func.greatest(Attempts.failures - 1, 0), blocked_until=None)
        .execution_options(**quietly)
    )


def forget_old_attempts() -> int:
    """Drop what would be forgiven anyway; returns how many."""
    old = delete(Attempts).where(Attempts.last_at < clock.now() - FORGIVEN_AFTER)
    return len(db.session.execute(old.returning(Attempts.subject)).all())


def _seconds_left(subjects: Collection[str], now: datetime) -> int:
    until = db.session.scalar(
        select(func.max(Attempts.blocked_until)).where(Attempts.subject.in_(list(subjects)))
    )
    return max(1, ceil((until - now).total_seconds())) if until else 1
