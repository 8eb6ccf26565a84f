"""Where the open time of many instruments has a gap: a lower bound, worked out by the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from booking.availability.models import LONGEST_OCCUPANCY
from booking.availability.rules import Span, slot_of
from booking.kernel.db import db
from booking.kernel.timeslot import TimeSlot


@dataclass(frozen=True)
class Opening:
    """When some instruments are open, and how long a gap has to be."""

    opened: Sequence[Span]
    minutes: int


# Thousands of rows stay in the database: to bring them here costs ten times what adding them up
# does. The condition on `:end_at_most` says nothing new; it lets the index stop.
_FIRST_GAPS = text("""
WITH held AS MATERIALIZED (
    SELECT instrument_id, range_agg(tstzrange(starts_at, ends_at)) AS spans
      FROM occupancies
     WHERE instrument_id = ANY(CAST(:ids AS bigint[])) AND unit = 1
       AND ends_at > :starts_at AND starts_at < :ends_at AND ends_at < :end_at_most
     GROUP BY instrument_id
), opening AS MATERIALIZED (
    SELECT row_number() OVER () AS number, opened, make_interval(mins => minutes) AS length
      FROM unnest(CAST(:opened AS tstzmultirange[]), CAST(:minutes AS integer[]))
        AS each_one(opened, minutes)
)
SELECT asked.id, floor(date_part('epoch', min(lower(gap))) / 60)::bigint
  FROM unnest(CAST(:ids AS bigint[]), CAST(:openings AS integer[])) AS asked(id, opening)
  JOIN opening ON opening.number = asked.opening
  LEFT JOIN held ON held.instrument_id = asked.id
 CROSS JOIN LATERAL unnest(opening.opened - coalesce(held.spans, '{}')) AS gap
 WHERE upper(gap) - lower(gap) >= opening.length
 GROUP BY asked.id
""")


def first_gaps(
    asked: Sequence[tuple[int, int]], openings: Sequence[Opening], window: TimeSlot
) -> dict[int, int]:
    """Return the minute of the first gap that is long enough, by instrument, if there is any.

    `asked` are instruments, each with the index of its opening. Nothing fits on unit 1 before
    the gap; whether something fits there depends on grid and buffers too.
    """
    values = {
        "ids": [each for each, _ in asked],
        "openings": [index + 1 for _, index in asked],
        "opened": [_multirange(opening.opened) for opening in openings],
        "minutes": [opening.minutes for opening in openings],
        "starts_at": window.starts_at,
        "ends_at": window.ends_at,
        "end_at_most": window.ends_at + LONGEST_OCCUPANCY,
    }
    rows = db.session.execute(_FIRST_GAPS, values)
    return dict(rows.all())


def _multirange(spans: Sequence[Span]) -> str:
    slots = map(slot_of, spans)
    return f"{{{','.join(f'[{slot.starts_at},{slot.ends_at})' for slot in slots)}}}"
