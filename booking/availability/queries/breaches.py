"""What must never be true of the calendars, looked for without trusting the constraint."""

from collections.abc import Iterator

from sqlalchemy import text

from booking.kernel.db import db

# A unit's rows in order of their start: whoever begins before all earlier ones have ended
# overlaps one of them. One sort, where a join of the table with itself would be quadratic.
_OVERLAPS = text("""
SELECT instrument_id, unit, id, starts_at
  FROM (SELECT instrument_id, unit, id, starts_at,
               max(ends_at) OVER (PARTITION BY instrument_id, unit ORDER BY starts_at, id
                                  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS held_until
          FROM occupancies) o
 WHERE starts_at < held_until
 ORDER BY id
""")
_MALFORMED = text("""
SELECT id, instrument_id FROM occupancies
 WHERE ends_at <= starts_at OR unit < 1 OR (kind = 'reservation') <> (closure_id IS NULL)
 ORDER BY id
""")
# A closure holds its units without a gap from its start to its end; a lifted one until then.
_CLOSURES = text("""
SELECT c.id
  FROM closures c LEFT JOIN occupancies o ON o.closure_id = c.id
 GROUP BY c.id
HAVING coalesce(sum(o.ends_at - o.starts_at), interval '0')
       <> c.units * greatest(interval '0',
                             least(c.ends_at, coalesce(c.lifted_at, c.ends_at)) - c.starts_at)
    OR count(o.id) FILTER (WHERE o.starts_at < c.starts_at OR o.ends_at > c.ends_at
       OR o.instrument_id <> c.instrument_id OR o.kind <> c.kind OR o.unit <> c.unit) > 0
 ORDER BY c.id
""")


def breaches() -> Iterator[str]:
    """Yield one sentence for each breach of the calendars' invariants (contract §6.1)."""
    for row in db.session.execute(_OVERLAPS):
        yield (
            f"仪器 {row.instrument_id} 第 {row.unit} 台的占用 {row.id} 与在它之前开始的占用重叠"
            f"（{row.starts_at.isoformat()}）。"
        )
    for row in db.session.execute(_MALFORMED):
        yield f"仪器 {row.instrument_id} 的占用 {row.id} 内容不成立。"
    for closure_id in db.session.scalars(_CLOSURES):
        yield f"停用安排 {closure_id} 占用的时间不是它的时段。"
