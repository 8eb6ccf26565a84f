"""What people do with their notices: read them, choose what comes by mail, try again."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.notices.errors import NothingToRetry
from booking.notices.models import Message, Notice, NoticeSetting
from booking.notices.rules import KEPT, OPTIONAL, Kind, MailState, State


def mark_read(user_id: int, *, message_id: int | None = None) -> None:
    """Mark one entry of the person's inbox as read, or all."""
    query = update(Message).where(
        Message.user_id == user_id, Message.is_listed, Message.read_at.is_(None)
    )
    if message_id is not None:
        query = query.where(Message.id == message_id)
    db.session.execute(
        query.values(read_at=clock.now()).execution_options(synchronize_session=False)
    )


def mark_old_read(before: datetime) -> None:
    """Mark everybody's older entries as read: demo data begin with a past."""
    old = update(Message).where(Message.read_at.is_(None), Message.created_at < before)
    db.session.execute(old.values(read_at=clock.now()).execution_options(synchronize_session=False))


def choose(user_id: int, by_mail: Collection[Kind]) -> None:
    """Keep which kinds the person wants by mail; the inbox has them all anyway."""
    muted = sorted(kind.value for kind in OPTIONAL if kind not in by_mail)
    statement = insert(NoticeSetting).values(user_id=user_id, muted=muted)
    db.session.execute(
        statement.on_conflict_do_update(index_elements=["user_id"], set_={"muted": muted})
    )
    journal.record("notices.chosen", "user", user_id, by=user_id, muted=muted)


def retry_mail(message_id: int, *, by: int) -> None:
    """Send a mail that failed for good once more; raises NothingToRetry."""
    found = db.session.scalar(
        update(Message)
        .where(Message.id == message_id, Message.mail == MailState.DEAD)
        .values(mail=MailState.WAITING, due_at=clock.now(), attempts=0)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    if found is None:
        raise NothingToRetry
    journal.record("mail.retried", "message", message_id, by=by)


def retry_notice(notice_id: int, *, by: int) -> None:
    """Try again at once to turn a notice into messages; raises NothingToRetry."""
    found = db.session.scalar(
        select(Notice).where(Notice.id == notice_id, Notice.error != "").with_for_update()
    )
    if found is None or found.state is State.DONE:
        raise NothingToRetry
    found.state, found.due_at, found.attempts = State.WAITING, clock.now(), 0
    db.session.flush()
    journal.record("notice.retried", "notice", notice_id, by=by)


def forget() -> int:
    """Drop notices, and all messages of them, after thirteen months; returns how many."""
    old = delete(Notice).where(Notice.posted_at < clock.now() - KEPT, Notice.state != State.WAITING)
    return len(db.session.execute(old.returning(Notice.id)).all())
