"""Reads of notices: one's own inbox and settings, and for administrators what did not arrive."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from booking.kernel import clock, driver, paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.kernel.metrics import Figure
from booking.notices.models import Message, Notice, NoticeSetting
from booking.notices.rules import MailState, State

COUNTED = 100  # more are as many to the eye
_UNREAD = """
SELECT count(*) FROM (SELECT FROM messages
 WHERE user_id = %(user_id)s AND is_listed AND read_at IS NULL LIMIT %(counted)s) unread
"""


def unread(user_id: int) -> int:
    """Return how many entries of the inbox have not been read, counted up to 100."""
    row = driver.first(_UNREAD, {"user_id": user_id, "counted": COUNTED})
    return int(row[0]) if row else 0


def list_inbox(
    user_id: int, *, limit: int, cursor: str | None, unread_only: bool = False
) -> paging.Page[Message]:
    """Return a page of the person's inbox with the notices, latest first."""
    query = (
        select(Message)
        .where(Message.user_id == user_id, Message.is_listed)
        .options(joinedload(Message.notice, innerjoin=True))
    )
    if unread_only:
        query = query.where(Message.read_at.is_(None))
    if cursor is not None:
        query = query.where(Message.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(Message.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )


def get_entry(message_id: int, *, user_id: int) -> Message:
    """Return an entry of the person's inbox, or raise NotFound."""
    found = db.session.scalar(
        select(Message)
        .where(Message.id == message_id, Message.user_id == user_id, Message.is_listed)
        .options(joinedload(Message.notice, innerjoin=True))
    )
    if found is None:
        raise NotFound
    return found


def muted(user_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """Return the kinds that each of these people does not want by mail, if they said so."""
    query = select(NoticeSetting.user_id, NoticeSetting.muted).where(
        NoticeSetting.user_id.in_(user_ids)
    )
    return {user_id: frozenset(kinds) for user_id, kinds in db.session.execute(query)}


def anything_to_send(now: datetime) -> bool:
    """Tell whether a mail is due."""
    due = select(Message.id).where(Message.mail == MailState.WAITING, Message.due_at <= now)
    return db.session.scalar(due.limit(1)) is not None


@dataclass(frozen=True)
class Backlog:
    """What has not arrived: how much waits since when, and how much has failed for good."""

    waiting: int
    oldest_at: datetime | None
    dead: int


def backlog() -> Backlog:
    """Return how the outbox stands."""
    waiting = select(func.count(), func.min(Message.created_at)).where(
        Message.mail == MailState.WAITING
    )
    count, oldest_at = db.session.execute(waiting).one()
    dead = select(func.count()).select_from(Message).where(Message.mail == MailState.DEAD)
    return Backlog(count, oldest_at, db.session.scalar(dead) or 0)


def list_undelivered(*, limit: int, cursor: str | None) -> paging.Page[Message]:
    """Return a page of mails that failed for good or at least once, latest first."""
    query = (
        select(Message)
        .where(
            or_(
                Message.mail == MailState.DEAD,
                (Message.mail == MailState.WAITING) & (Message.error != ""),
            )
        )
        .options(joinedload(Message.notice, innerjoin=True))
    )
    if cursor is not None:
        query = query.where(Message.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(Message.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )


def list_unworded(*, limit: int) -> Sequence[Notice]:
    """Return notices that could not be turned into messages, latest first."""
    query = select(Notice).where(Notice.state != State.DONE, Notice.error != "")
    return db.session.scalars(query.order_by(Notice.id.desc()).limit(limit)).all()


def personal_data(user_id: int) -> list[dict[str, Any]]:
    """Return what a person was told, with the facts it was worded from, in order."""
    rows = db.session.scalars(
        select(Message)
        .where(Message.user_id == user_id)
        .options(joinedload(Message.notice, innerjoin=True))
        .order_by(Message.id)
    )
    return [
        {
            "kind": row.notice.kind.value,
            "about": f"{row.notice.subject_type} {row.notice.subject_id}",
            # What opens a door belongs to nobody's papers.
            "facts": {key: value for key, value in row.notice.facts.items() if key != "nonce"},
            "name": row.name,
            "email": row.email,
            "mail": row.mail.value,
            "created_at": row.created_at,
            "sent_at": row.sent_at,
            "read_at": row.read_at,
        }
        for row in rows
    ]


def figures() -> Iterator[Figure]:
    """Yield how the outbox stands."""
    now, stands = clock.now(), backlog()
    unworded = select(func.count()).select_from(Notice)
    for state in (State.WAITING, State.DEAD):
        yield Figure(
            "booking_outbox_notices",
            "Notices that are not messages yet, or never became any.",
            db.session.scalar(unworded.where(Notice.state == state)) or 0,
            {"state": state.value},
        )
    for name, count in (("waiting", stands.waiting), ("dead", stands.dead)):
        yield Figure("booking_outbox_mails", "Mails not sent.", count, {"state": name})
    waited = (now - stands.oldest_at).total_seconds() if stands.oldest_at else 0
    yield Figure("booking_outbox_oldest_seconds", "How long the oldest mail waits.", waited)
