"""What must never be true of the waiting list."""

from collections.abc import Iterator

from sqlalchemy import text

from booking.kernel.db import db

# An open offer holds the time that was offered, with buffers; nobody answered it before.
_HOLDS_OTHER_TIME = text("""
SELECT e.id
  FROM waiting_entries e JOIN occupancies o ON o.id = e.occupancy_id
 WHERE o.kind <> 'offer' OR o.instrument_id <> e.instrument_id OR e.ended_at IS NOT NULL
    OR e.offered_from < e.starts_at
    OR e.offered_from + make_interval(mins => e.minutes::int) > e.ends_at
    OR o.starts_at > e.offered_from
    OR o.ends_at < e.offered_from + make_interval(mins => e.minutes::int)
 ORDER BY e.id
""")
_NOBODYS = text("""
SELECT o.id FROM occupancies o LEFT JOIN waiting_entries e ON e.occupancy_id = o.id
 WHERE o.kind = 'offer' AND e.id IS NULL ORDER BY o.id
""")
_ACCEPTED = text("""
SELECT e.id
  FROM waiting_entries e LEFT JOIN reservations r ON r.id = e.reservation_id
 WHERE (e.ended_as = 'accepted') IS DISTINCT FROM (r.id IS NOT NULL) AND e.ended_as IS NOT NULL
    OR r.instrument_id <> e.instrument_id OR r.organisation_id <> e.organisation_id
 ORDER BY e.id
""")
_UNRECORDED = text("""
SELECT e.id FROM waiting_entries e
 WHERE (SELECT count(*) FROM journal_entries j
         WHERE j.subject_type = 'waiting_entry' AND j.subject_id = e.id) < e.version
 ORDER BY e.id
""")


def breaches() -> Iterator[str]:
    """Yield one sentence for each breach of the waiting list's invariants."""
    for query, sentence in (
        (_HOLDS_OTHER_TIME, "候补 {} 保留的时段与它的占用不符。"),
        (_NOBODYS, "候补保留的占用 {} 不属于任何候补。"),
        (_ACCEPTED, "候补 {} 的结果与它的预约不符。"),
        (_UNRECORDED, "候补 {} 的变更没有全部记入日志。"),
    ):
        for found in db.session.scalars(query):
            yield sentence.format(found)
