"""What must never be true of the calendars, looked for without trusting the constraint."""

from collections.abc import Iterator

from sqlalchemy import select, text

from booking.availability.models import PolicyDefaults, Schedule
from booking.availability.queries.policies import document_of
from booking.availability.rules import usual
from booking.kernel.db import db
from booking.registry.models import Instrument

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
 WHERE ends_at <= starts_at OR unit < 1
    OR (kind IN ('reservation', 'offer')) <> (closure_id IS NULL)
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
# What is set for one of a pair is set for the other.
_PAIRS = text("""
SELECT p.instrument_id, p.other_id, p.pairing
  FROM instrument_pairs p
 WHERE NOT EXISTS (
     SELECT FROM instrument_pairs q
      WHERE q.instrument_id = p.other_id AND q.other_id = p.instrument_id
        AND q.pairing = CASE p.pairing WHEN 'needs' THEN 'needed_by' WHEN 'needed_by' THEN 'needs'
                                       ELSE p.pairing END)
 ORDER BY p.instrument_id, p.other_id
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
    for pair in db.session.execute(_PAIRS):
        two = f"{pair.instrument_id} 与 {pair.other_id}"
        yield f"仪器 {two} 的同约规则（{pair.pairing}）只登记了一边。"
    yield from _drifted()


def _drifted() -> Iterator[str]:
    """Yield the parts of policies that are inherited but not what the institution decided."""
    rows = db.session.execute(
        select(Schedule, PolicyDefaults.given)
        .join(Instrument, Instrument.id == Schedule.instrument_id)
        .outerjoin(PolicyDefaults, PolicyDefaults.institution_id == Instrument.institution_id)
        .order_by(Schedule.instrument_id)
    )
    for schedule, given in rows:
        document, defaults = document_of(schedule), usual() | (given or {})
        for name in schedule.inherits:
            if document[name] != defaults[name]:
                yield f"仪器 {schedule.instrument_id} 的预约规则 {name} 与机构默认不一致。"
