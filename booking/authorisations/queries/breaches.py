"""What must never be true of authorisations and training."""

from collections.abc import Iterator

from sqlalchemy import text

from booking.kernel.db import db

_OVERFULL = text("""
SELECT t.id FROM training_sessions t
  JOIN training_seats s ON s.session_id = t.id AND s.given_up_at IS NULL
 GROUP BY t.id HAVING count(*) > t.seats ORDER BY t.id
""")
_UNRECORDED = text("""
SELECT a.id FROM authorisations a
 WHERE a.granted_at IS NOT NULL AND NOT EXISTS (
       SELECT FROM journal_entries j
        WHERE j.subject_type = 'authorisation' AND j.subject_id = a.id
          AND j.action = 'authorisation.granted')
 ORDER BY a.id
""")


def breaches() -> Iterator[str]:
    """Yield one sentence for each breach of what must never be true of authorisations."""
    for query, sentence in (
        (_OVERFULL, "培训 {} 的报名超过名额。"),
        (_UNRECORDED, "上机授权 {} 没有记入日志。"),
    ):
        for found in db.session.scalars(query):
            yield sentence.format(found)
