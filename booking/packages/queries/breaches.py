"""What must never be true of packages and prepaid hours."""

from collections.abc import Iterator

from sqlalchemy import text

from booking.kernel.db import db

_SUMS = text("""
SELECT b.id FROM prepaid_balances b
  LEFT JOIN (SELECT balance_id, sum(minutes) AS minutes FROM prepaid_entries
              GROUP BY balance_id) e ON e.balance_id = b.id
 WHERE b.left_minutes <> coalesce(e.minutes, 0) OR b.left_minutes < 0
 ORDER BY b.id
""")
# Read in order, the entries never went below nothing, and began with what was bought.
_WENT_BELOW = text("""
SELECT DISTINCT balance_id FROM (
  SELECT balance_id, kind, sum(minutes) OVER entries AS left_then,
         row_number() OVER entries AS place
    FROM prepaid_entries
  WINDOW entries AS (PARTITION BY balance_id ORDER BY id)) e
 WHERE left_then < 0 OR (place = 1) <> (kind = 'bought')
 ORDER BY balance_id
""")
_BOUGHT = text("""
SELECT b.id FROM prepaid_balances b
  JOIN hour_packages p ON p.id = b.package_id
  LEFT JOIN prepaid_entries e ON e.balance_id = b.id AND e.kind = 'bought'
 WHERE e.minutes IS DISTINCT FROM b.minutes OR b.minutes <> p.hours * 60
    OR b.institution_id <> p.institution_id OR b.organisation_id = b.institution_id
 ORDER BY b.id
""")
_UNRECORDED = text("""
SELECT e.id FROM prepaid_entries e
 WHERE NOT EXISTS (
       SELECT FROM journal_entries j
        WHERE j.subject_type = 'prepaid_balance' AND j.subject_id = e.balance_id
          AND j.action = 'prepaid.' || e.kind)
 ORDER BY e.id
""")


def breaches() -> Iterator[str]:
    """Yield one sentence for each breach of what must never be true of prepaid hours."""
    for query, sentence in (
        (_SUMS, "预付机时 {} 的余额与明细之和不符。"),
        (_WENT_BELOW, "预付机时 {} 的余额曾为负数，或没有从购买开始。"),
        (_BOUGHT, "预付机时 {} 的购买与机时包不符。"),
        (_UNRECORDED, "预付机时明细 {} 没有记入日志。"),
    ):
        for found in db.session.scalars(query):
            yield sentence.format(found)
