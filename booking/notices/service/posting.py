"""Writing into the outbox: one statement in the caller's transaction."""

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
VALUES (%(kind)s, %(subject_type)s, %(subject_id)s, %(key)s, CAST(%(audience)s AS jsonb),
        CAST(%(facts)s AS jsonb), 'waiting', %(now)s, %(now)s, 0, '')
    ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING
RETURNING id
"""


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
    rules.check_facts(kind, facts)
    subject_type, subject_id = subject
    values = {
        "kind": kind.value,
        "subject_type": subject_type,
        "subject_id": subject_id,
        "key": key,
        "audience": json.dumps([each.plain() for each in to]),
        "facts": json.dumps(dict(facts), ensure_ascii=False, default=_plain),
        "now": clock.now(),
    }
    return driver.first(_POST, values) is not None


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"a notice cannot hold {value!r}")
