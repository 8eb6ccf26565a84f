"""Reads of the journal, and the proof that nobody altered what was sealed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, text

from booking.journal.models import JournalEntry, JournalSeal
from booking.journal.rules import GENESIS, Chain
from booking.kernel import paging
from booking.kernel.db import db
from booking.kernel.metrics import Figure

FETCHED_AT_ONCE = 1000
GUARDS = tuple(
    (table, f"{table}_{name}")
    for table in ("journal_entries", "journal_seals")
    for name in ("append_only", "no_truncate")
)
_GUARDS = text("""
SELECT t.tgname
  FROM pg_trigger t
  JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE t.tgrelid IN (CAST('journal_entries' AS regclass), CAST('journal_seals' AS regclass))
   AND t.tgenabled IN ('O', 'A') AND p.proname = 'refuse_change' AND p.prosrc LIKE '%RAISE%'
""")


def entries(first_id: int, last_id: int) -> Iterator[dict[str, Any]]:
    """Yield the entries of a range of ids in order, a thousand in memory at a time."""
    columns = JournalEntry.__table__.columns
    statement = select(*columns).where(columns.id.between(first_id, last_id)).order_by(columns.id)
    result = db.session.execute(statement.execution_options(yield_per=FETCHED_AT_ONCE))
    names = [column.name for column in columns]
    for row in result:
        yield dict(zip(names, row, strict=True))


def list_entries(subject_type: str, subject_id: int, *, limit: int = 200) -> list[JournalEntry]:
    """Return what happened to one thing, latest first."""
    statement = (
        select(JournalEntry)
        .where(JournalEntry.subject_type == subject_type, JournalEntry.subject_id == subject_id)
        .order_by(JournalEntry.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def by_person(user_id: int) -> list[dict[str, Any]]:
    """Return all a person did, and what was done to their account, in order."""
    statement = (
        select(
            JournalEntry.at,
            JournalEntry.action,
            JournalEntry.subject_type,
            JournalEntry.subject_id,
            (JournalEntry.actor_id == user_id).label("by_oneself"),
            JournalEntry.data,
        )
        .where(
            or_(
                JournalEntry.actor_id == user_id,
                (JournalEntry.subject_type == "user") & (JournalEntry.subject_id == user_id),
            )
        )
        .order_by(JournalEntry.id)
    )
    return [dict(row._mapping) for row in db.session.execute(statement)]


def count_by(user_id: int) -> int:
    """Return how many entries say that this person did something."""
    mine = select(func.count()).where(JournalEntry.actor_id == user_id)
    return db.session.scalar(mine) or 0


def subjects_of(user_id: int, action: str) -> list[int]:
    """Return to what a person did this: the subjects' ids."""
    done = select(JournalEntry.subject_id).where(
        JournalEntry.actor_id == user_id, JournalEntry.action == action
    )
    return list(db.session.scalars(done.distinct()))


@dataclass(frozen=True)
class Search:
    """What to look for: who, did what, to which thing, when; None and "" are not asked for."""

    actor_id: int | None = None
    action: str = ""
    subject_type: str = ""
    subject_id: int | None = None
    since: datetime | None = None
    before: datetime | None = None


def search(wanted: Search, *, limit: int, cursor: str | None) -> paging.Page[JournalEntry]:
    """Return a page of the entries that fit, latest first."""
    query = select(JournalEntry)
    equal = {
        JournalEntry.actor_id: wanted.actor_id,
        JournalEntry.action: wanted.action,
        JournalEntry.subject_type: wanted.subject_type,
        JournalEntry.subject_id: wanted.subject_id,
    }
    for column, value in equal.items():
        if value is not None and value != "":
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(JournalEntry.at >= wanted.since)
    if wanted.before is not None:
        query = query.where(JournalEntry.at < wanted.before)
    if cursor is not None:
        query = query.where(JournalEntry.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(JournalEntry.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )


# A list of the few words there are, without reading millions of rows: from one to the next.
_WORDS = """
WITH RECURSIVE word AS (
    (SELECT {column} AS found FROM journal_entries ORDER BY {column} LIMIT 1)
    UNION ALL
    SELECT (SELECT {column} FROM journal_entries WHERE {column} > word.found
             ORDER BY {column} LIMIT 1)
      FROM word WHERE word.found IS NOT NULL
)
SELECT found FROM word WHERE found IS NOT NULL
"""


def actions() -> Sequence[str]:
    """Return every kind of change there is in the journal, in the order of the alphabet."""
    return db.session.scalars(text(_WORDS.format(column="action"))).all()


def subject_types() -> Sequence[str]:
    """Return every kind of thing the journal speaks of, in the order of the alphabet."""
    return db.session.scalars(text(_WORDS.format(column="subject_type"))).all()


def list_seals(*, limit: int) -> Sequence[JournalSeal]:
    """Return the latest seals, latest first."""
    return db.session.scalars(
        select(JournalSeal).order_by(JournalSeal.last_id.desc()).limit(limit)
    ).all()


def find_seal(seal_id: int) -> JournalSeal | None:
    """Return one seal, or None."""
    return db.session.get(JournalSeal, seal_id)


def count_sealed() -> int:
    """Return how many entries are sealed."""
    return db.session.scalar(select(func.coalesce(func.sum(JournalSeal.entry_count), 0))) or 0


def count_unsealed() -> int:
    """Return how many entries wait for their seal."""
    seal = last_seal()
    after = JournalEntry.id > (seal.last_id if seal else 0)
    return db.session.scalar(select(func.count()).where(after)) or 0


def last_seal() -> JournalSeal | None:
    """Return the newest link of the chain, or None; its digest is worth keeping elsewhere."""
    return db.session.scalar(select(JournalSeal).order_by(JournalSeal.last_id.desc()).limit(1))


def last_entry_id() -> int:
    """Return the id of the newest entry, 0 if there is none."""
    return db.session.scalar(select(func.coalesce(func.max(JournalEntry.id), 0))) or 0


def follow(previous: bytes, first_id: int, last_id: int) -> Chain:
    """Return the chain after the entries of the range, computed from what stands now."""
    chain = Chain(previous)
    for entry in entries(first_id, last_id):
        chain.add(entry)
    return chain


def breaches() -> Iterator[str]:
    """Yield one sentence for each thing that is wrong with the journal (contract §6.5)."""
    yield from _unguarded()
    next_id, previous = 1, GENESIS
    for seal in db.session.scalars(select(JournalSeal).order_by(JournalSeal.last_id)).all():
        yield from _broken(seal, next_id=next_id, previous=previous)
        next_id, previous = seal.last_id + 1, seal.digest


def breaches_of(seal: JournalSeal) -> Iterator[str]:
    """Yield what is wrong with one seal, by the entries as they stand and the seal before it."""
    before = db.session.scalar(
        select(JournalSeal)
        .where(JournalSeal.last_id < seal.last_id)
        .order_by(JournalSeal.last_id.desc())
        .limit(1)
    )
    yield from _broken(
        seal,
        next_id=before.last_id + 1 if before else 1,
        previous=before.digest if before else GENESIS,
    )


def _unguarded() -> Iterator[str]:
    active = set(db.session.scalars(_GUARDS))
    for table, trigger in GUARDS:
        if trigger not in active:
            yield f"日志表 {table} 的保护触发器 {trigger} 缺失或已停用。"


def _broken(seal: JournalSeal, **expected: Any) -> Iterator[str]:
    name = f"{seal.sealed_on} 的日志封存"
    if seal.first_id != expected["next_id"] or seal.previous_digest != expected["previous"]:
        yield f"{name}与前一次封存不衔接，其间的封存被删除或更改。"
    chain = follow(seal.previous_digest, seal.first_id, seal.last_id)
    if chain.count != seal.entry_count:
        yield f"{name}应有 {seal.entry_count} 条记录，现有 {chain.count} 条。"
    elif seal.digest != chain.digest(
        sealed_on=seal.sealed_on, first_id=seal.first_id, last_id=seal.last_id
    ):
        yield f"{name}摘要不符，编号 {seal.first_id} 至 {seal.last_id} 的记录被更改。"


def figures() -> Iterator[Figure]:
    """Yield when the journal was sealed last; its absence says that it never was."""
    if (seal := last_seal()) is not None:
        yield Figure(
            "booking_journal_last_seal_timestamp_seconds",
            "When the journal was sealed last.",
            seal.sealed_at.timestamp(),
        )
