"""Writing into the outbox: one statement in the caller's transaction, or none of its own."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from booking.kernel import clock, driver
from booking.notices import rules
from booking.notices.rules import Kind, To

# Plain SQL, as the journal's: on the busiest path the mapper would cost more than the insert.
_POST = """
INSERT INTO notices
  (kind, subject_type, subject_id, key, audience, facts, state, posted_at, due_at, attempts, error)
SELECT %(notice_kind)s, %(notice_subject_type)s, {subject_id}, %(notice_key)s,
       CAST(%(notice_audience)s AS jsonb), CAST(%(notice_facts)s AS jsonb),
       'waiting', %(notice_at)s, %(notice_at)s, 0, ''
"""
_POST_ONE = (
    _POST.format(subject_id="%(notice_subject_id)s")
    + "ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING RETURNING id"
)


def post(
    kind: Kind,
    subject: tuple[str, int],
    *,
    to: Sequence[To],
    facts: Mapping[str, Any],
    key: str | None = None,
) -> bool:
    """Tell these people of a subject, e.g. `("reservation", 7)`; with a key, only once.

    Who they are, in which language and whether by mail is settled when it is delivered; what is
    told is what the facts say now. The first in `to` through whom somebody is reached decides
    their side. Returns whether it is new. Raises ValueError if the kind needs more facts.
    """
    subject_type, subject_id = subject
    values = posting_values(kind, subject_type, to=to, facts=facts, key=key)
    return driver.first(_POST_ONE, values | {"notice_subject_id": subject_id}) is not None


def posting(source: str) -> str:
    """Return what posts beside an insert, in its statement: `source` names what it returned.

    For the busiest path; its values are `posting_values`.
    """
    return f"told AS ({_POST.format(subject_id=f'{source}.id')} FROM {source})"


def posting_values(
    kind: Kind,
    subject_type: str,
    *,
    to: Sequence[To],
    facts: Mapping[str, Any],
    key: str | None = None,
) -> dict[str, Any]:
    """Return what the statement of `posting` is given; raises as `post`."""
    rules.check_facts(kind, facts)
    return {
        "notice_kind": kind.value,
        "notice_subject_type": subject_type,
        "notice_key": key,
        "notice_audience": json.dumps([each.plain() for each in to]),
        "notice_facts": json.dumps(dict(facts), ensure_ascii=False, default=_plain),
        "notice_at": clock.now(),
    }


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"a notice cannot hold {value!r}")
