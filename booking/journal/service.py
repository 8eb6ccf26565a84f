"""Writing entries in the caller's transaction, and sealing what has settled."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, text

from booking.journal import queries
from booking.journal.models import JournalSeal
from booking.journal.rules import GENESIS
from booking.kernel import clock, driver
from booking.kernel.db import db

# Plain SQL: every change writes one, and the mapper would cost more than the insert.
_INSERT = """
INSERT INTO journal_entries
  (at, action, subject_type, subject_id, actor_id, organisation_id, data)
SELECT %(journal_at)s, %(journal_action)s, %(journal_subject_type)s, {subject_id},
       %(journal_actor_id)s, %(journal_organisation_id)s, CAST(%(journal_data)s AS jsonb)
"""
_RECORD = _INSERT.format(subject_id="%(journal_subject_id)s") + " RETURNING id"
_SEALING = 0x6A6F75726E616C  # "journal": the advisory lock of whoever seals


def record(
    action: str,
    subject_type: str,
    subject_id: int,
    *,
    by: int | None,
    organisation_id: int | None = None,
    **data: Any,
) -> None:
    """Add an entry to the caller's transaction; `by` is None for the program's own jobs."""
    entry = _entry(action, subject_type, by, organisation_id, data)
    driver.first(_RECORD, entry | {"journal_subject_id": subject_id})


# One statement for many entries; the texts travel as arrays.
_RECORD_EACH = text("""
INSERT INTO journal_entries
  (at, action, subject_type, subject_id, actor_id, organisation_id, data)
SELECT :at, :action, :subject_type, each.id, :by, :organisation_id, CAST(each.data AS jsonb)
  FROM unnest(CAST(:ids AS bigint[]), CAST(:data AS text[])) WITH ORDINALITY each(id, data, place)
 ORDER BY each.place
""")


def record_each(
    action: str,
    subject_type: str,
    entries: Sequence[tuple[int, dict[str, Any]]],
    *,
    by: int | None,
    organisation_id: int | None = None,
) -> None:
    """Add one entry for each subject's id with its data: `record` for imports."""
    if not entries:
        return
    values = {
        "at": clock.now(),
        "action": action,
        "subject_type": subject_type,
        "by": by,
        "organisation_id": organisation_id,
        "ids": [subject_id for subject_id, _ in entries],
        "data": [json.dumps(data, ensure_ascii=False) for _, data in entries],
    }
    db.session.execute(_RECORD_EACH, values)


def recording(insert: str, *, after: str = "", beside: str = "") -> str:
    """Return a statement for `insert_recorded`: the insert and its entry in one round trip.

    `insert` ends in `RETURNING id, …`; `after` is what it selects from, as `name AS (…)`, and
    `beside` what else is written from the new row, `made`.
    """
    first = f"{after}, " if after else ""
    last = f", {beside}" if beside else ""
    entry = _INSERT.format(subject_id="made.id")
    return f"WITH {first}made AS ({insert}), entry AS ({entry} FROM made){last} SELECT * FROM made"  # noqa: S608 - our own words


def insert_recorded(
    statement: str,
    values: dict[str, Any],
    *,
    action: str,
    subject_type: str,
    by: int | None,
    organisation_id: int | None = None,
    **data: Any,
) -> driver.Row | None:
    """Run a `recording` statement with its values and its entry.

    Returns what the insert returned, or None if it inserted and recorded nothing.
    """
    entry = _entry(action, subject_type, by, organisation_id, data)
    return driver.first(statement, values | entry)


def _entry(
    action: str,
    subject_type: str,
    by: int | None,
    organisation_id: int | None,
    data: dict[str, Any],
) -> dict[str, Any]:
    return {
        "journal_at": clock.now(),
        "journal_action": action,
        "journal_subject_type": subject_type,
        "journal_actor_id": by,
        "journal_organisation_id": organisation_id,
        "journal_data": json.dumps(data, ensure_ascii=False),
    }


def settled_end(*, patience_ms: int = 200) -> int:
    """Return an id below which no entry can still appear; commit at once, it holds a lock.

    Writers hold ROW EXCLUSIVE until they commit and draw their ids under it, so once SHARE is
    granted every id given out so far is visible or lost for ever. While we wait, new writers
    queue behind us: hence the short patience. Raises OperationalError (55P03) when it runs out.
    """
    db.session.execute(text(f"SET LOCAL lock_timeout = {int(patience_ms)}"))
    db.session.execute(text("LOCK TABLE journal_entries IN SHARE MODE"))
    return queries.last_entry_id()


def seal(up_to: int) -> JournalSeal | None:
    """Chain all entries not yet sealed, up to a settled end, into today's seal.

    None if there is nothing to seal, today has its seal, or another process is sealing.
    """
    if not db.session.scalar(select(func.pg_try_advisory_xact_lock(_SEALING))):
        return None
    today, previous = clock.today(), queries.last_seal()
    if db.session.scalar(select(JournalSeal.id).where(JournalSeal.sealed_on == today)):
        return None
    first_id = previous.last_id + 1 if previous else 1
    before = previous.digest if previous else GENESIS
    chain = queries.follow(before, first_id, up_to)
    if chain.count == 0:
        return None
    link = JournalSeal(
        sealed_on=today,
        sealed_at=clock.now(),
        first_id=first_id,
        last_id=up_to,
        entry_count=chain.count,
        previous_digest=before,
        digest=chain.digest(sealed_on=today, first_id=first_id, last_id=up_to),
    )
    db.session.add(link)
    db.session.flush()
    return link
