"""From the outbox to people: who is told what, in which language, and whether by mail."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from booking.kernel import clock
from booking.kernel.db import db
from booking.notices import gateway, queries, rules
from booking.notices.models import Message, Notice
from booking.notices.rules import ALWAYS, DOORS, Kind, MailState, Person, Side, State, To

log = structlog.get_logger("booking")

BATCH = 100
LONGEST_ERROR = 500
People = Mapping[To, Sequence[Person]]


def expand(*, limit: int = BATCH, by_mail: bool = True) -> int:
    """Turn waiting notices into messages; returns how many notices were taken in hand.

    Others take other rows meanwhile. One that fails is tried again later and stops nobody else.
    """
    now = clock.now()
    query = (
        select(Notice)
        .where(Notice.state == State.WAITING, Notice.due_at <= now)
        .order_by(Notice.due_at, Notice.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = db.session.scalars(query).all()
    if taken and not _all_went_well(taken, now, by_mail=by_mail):
        for notice in taken:
            _all_went_well([notice], now, by_mail=by_mail)
    return len(taken)


def _all_went_well(notices: Sequence[Notice], now: datetime, *, by_mail: bool) -> bool:
    """Expand them all or none; a single one that fails is marked."""
    with Trial() as trial, db.session.begin_nested():
        _expand(notices, now, by_mail=by_mail)
    if trial.error is not None and len(notices) == 1:
        _failed(notices[0], trial.error, now)
    return trial.error is None


class Trial:
    """Keeps the error of one thing, so that the others go on; what ends the process passes."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> "Trial":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if isinstance(error, Exception):
            self.error = error
        return isinstance(error, Exception)


def _expand(notices: Sequence[Notice], now: datetime, *, by_mail: bool) -> None:
    _complete(notices)
    asked = {To.of(plain) for notice in notices for plain in notice.audience}
    people = gateway.reach(asked)
    muted = queries.muted({person.id for found in people.values() for person in found})
    rows = [
        _row(notice, side, person, now, wanted=by_mail and _is_wanted(notice.kind, muted, person))
        for notice in notices
        for person, side in _readers(notice, people)
    ]
    if rows:
        db.session.execute(insert(Message).on_conflict_do_nothing(), rows)
    for notice in notices:
        notice.state, notice.error = State.DONE, ""
    db.session.flush()


def _complete(notices: Sequence[Notice]) -> None:
    """Add what else there is to say; what was posted stands as it was."""
    of_type: dict[str, list[Notice]] = defaultdict(list)
    for notice in notices:
        of_type[notice.subject_type].append(notice)
    for subject_type, found in of_type.items():
        known = gateway.complete(subject_type, {notice.subject_id for notice in found})
        for notice in found:
            notice.facts = {**known.get(notice.subject_id, {}), **notice.facts}


def _readers(notice: Notice, people: People) -> Iterator[tuple[Person, Side]]:
    """Yield each person once, on the side through which they are reached first."""
    seen: set[int] = set()
    for to in map(To.of, notice.audience):
        for person in people.get(to, ()):
            if person.id not in seen:
                seen.add(person.id)
                yield person, to.side


def _is_wanted(kind: Kind, muted: Mapping[int, Collection[str]], person: Person) -> bool:
    return kind in ALWAYS or kind not in muted.get(person.id, ())


def _row(
    notice: Notice, side: Side, person: Person, now: datetime, *, wanted: bool
) -> dict[str, Any]:
    is_door = notice.kind in DOORS
    mailed = person.email is not None and wanted
    return {
        "notice_id": notice.id,
        "user_id": person.id,
        "side": side,
        "name": person.name,
        "email": person.email,
        "locale": person.locale,
        "is_listed": not is_door,
        "mail": MailState.WAITING if mailed else MailState.NONE,
        "due_at": now,
        "attempts": 0,
        "error": "",
        "created_at": notice.posted_at,
    }


def _failed(notice: Notice, error: Exception, now: datetime) -> None:
    log.error("notice_failed", notice=notice.id, kind=notice.kind.value, exc_info=error)
    notice.attempts += 1
    notice.error = described(error)
    pause = rules.pause_after(notice.attempts)
    if pause is None:
        notice.state = State.DEAD
    else:
        notice.due_at = now + pause
    db.session.flush()


def described(error: Exception) -> str:
    """Return an error as administrators read it."""
    return rules.one_line(f"{type(error).__name__}: {error}")[:LONGEST_ERROR]
