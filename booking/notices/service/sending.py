"""From messages to mails: each claimed for a while, sent, and marked.

At least once: what was handed over but not marked (the process died between) is sent again after
its lease, under the same Message-ID. Nothing can do better over SMTP.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from flask_babel import force_locale
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from booking.kernel import clock
from booking.kernel.db import db
from booking.notices import gateway, rules
from booking.notices.errors import Postponed, Refused, Unreachable
from booking.notices.gateway import Carrier, Envelope
from booking.notices.models import Message
from booking.notices.rules import LEASE, LONGEST_SEND, MailState
from booking.notices.service.expanding import Trial, described

log = structlog.get_logger("booking")

BATCH = 20


@dataclass(frozen=True)
class Outcome:
    """How sending a mail ended; `broken`: this connection carries nothing more."""

    state: MailState
    error: str = ""
    broken: bool = False


def claim(*, limit: int = BATCH) -> Sequence[Message]:
    """Take due mails for a while, others than other processes take; commit before sending."""
    now = clock.now()
    due = (
        select(Message.id)
        .where(Message.mail == MailState.WAITING, Message.due_at <= now)
        .order_by(Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # with its locks it is never inlined, and so run once
    )
    taken = db.session.scalars(
        update(Message)
        .where(Message.id == due.c.id)
        .values(due_at=now + LEASE, attempts=Message.attempts + 1)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    ).all()
    query = (
        select(Message)
        .where(Message.id.in_(taken))
        .options(joinedload(Message.notice, innerjoin=True))
        .order_by(Message.id)
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).all()


def send(message: Message, carrier: Carrier) -> Outcome | None:
    """Send one claimed mail; None, and nothing done, if its lease is too short by now."""
    now, kind, facts = clock.now(), message.notice.kind, message.notice.facts
    if message.due_at - now < LONGEST_SEND:
        return None
    if rules.is_too_late(kind, facts, now):
        return Outcome(MailState.DROPPED)
    with Trial() as trial, force_locale(message.locale):
        letter = gateway.compose(kind, message.side, facts, subject_id=message.notice.subject_id)
        mail = gateway.build(letter, envelope_of(message), date=now)
        carrier.send(mail, to=mail_address(message))
    return _outcome(message, trial.error)


def envelope_of(message: Message) -> Envelope:
    """Return to whom it goes and from which message it is made."""
    at = message.notice.posted_at
    return Envelope(id=message.id, name=message.name, email=mail_address(message), at=at)


def mail_address(message: Message) -> str:
    """Return the address; mails that wait have one."""
    assert message.email is not None  # noqa: S101 - the table's CHECK says so
    return message.email


def _outcome(message: Message, error: Exception | None) -> Outcome:
    said = {"message": message.id, "attempts": message.attempts}
    if error is None:
        log.info("mail_sent", **said)
        return Outcome(MailState.SENT)
    if isinstance(error, Refused):
        log.warning("mail_refused", error=str(error), **said)
        return Outcome(MailState.DEAD, str(error))
    if isinstance(error, Postponed | Unreachable):
        log.warning("mail_postponed", error=str(error), **said)
        return Outcome(MailState.WAITING, str(error), broken=isinstance(error, Unreachable))
    log.error("mail_failed", exc_info=error, **said)
    return Outcome(MailState.WAITING, described(error))


def mark(message: Message, outcome: Outcome) -> None:
    """Keep how it ended, unless the lease ran out and another has it now."""
    now = clock.now()
    state, due_at = outcome.state, message.due_at
    if state is MailState.WAITING:
        pause = rules.pause_after(message.attempts)
        state, due_at = (MailState.DEAD, due_at) if pause is None else (state, now + pause)
    _change(
        message,
        mail=state,
        due_at=due_at,
        sent_at=now if state is MailState.SENT else None,
        error=outcome.error,
    )


def give_back(messages: Sequence[Message]) -> None:
    """Leave claimed mails to whoever comes next; it was no attempt."""
    for message in messages:
        _change(message, due_at=clock.now(), attempts=message.attempts - 1)


def note_outage(error: str) -> None:
    """Write why nothing can be sent beside the mail that has waited longest."""
    oldest = (
        select(Message.id)
        .where(Message.mail == MailState.WAITING, Message.due_at <= clock.now())
        .order_by(Message.due_at, Message.id)
        .limit(1)
    )
    db.session.execute(
        update(Message)
        .where(Message.id.in_(oldest))
        .values(error=error)
        .execution_options(synchronize_session=False)
    )


def _change(message: Message, **values: object) -> None:
    db.session.execute(
        update(Message)
        .where(
            Message.id == message.id,
            Message.mail == MailState.WAITING,
            Message.attempts == message.attempts,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
