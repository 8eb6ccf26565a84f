"""What a firm has booked already, as far as an instrument's policy asks; part of the sheet."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from booking.accounts.rules import CustomerClass
from booking.availability.rules import COUNTING, Held, Pair, Pairing
from booking.kernel import clock, driver
from booking.kernel.timeslot import TimeSlot
from booking.reservations.rules import Left, Standing

_COUNTS = f"coalesce(s.conditions ?| '{{{','.join(COUNTING)}}}', false)"
# A column of the sheet; NULL, and nothing looked at, where no such rule is set. The function
# (migration 0015) first waits for others who book by the same quotas or pairs.
BESIDE = f"""
       CASE WHEN {_COUNTS} OR EXISTS (
           SELECT FROM instrument_pairs ip WHERE ip.instrument_id = i.id) THEN
           booked_beside(i.id, o.id, %(itself)s, %(starts_at)s, %(ends_at)s, %(since)s,
                         {_COUNTS}, %(waits)s) END AS beside"""

# A week, and the widest gap after its beginning.
_BACK = timedelta(days=15)


# The locks that the function takes for one instrument, for several in the same order.
_WAIT = """
SELECT pg_advisory_xact_lock(1347374153, beside.lock)
  FROM (SELECT hashtext(format('firm %%s %%s', CAST(%(firm)s AS bigint), id)) AS lock
          FROM unnest(CAST(%(ids)s AS bigint[])) AS id
        UNION
        SELECT hashtext(format('pair %%s %%s', least(p.instrument_id, p.other_id),
                               greatest(p.instrument_id, p.other_id)))
          FROM instrument_pairs p WHERE p.instrument_id = ANY(CAST(%(ids)s AS bigint[]))
        ORDER BY 1) beside
"""


def wait_beside(instrument_ids: Collection[int], organisation_id: int) -> None:
    """Wait for all who book by the same quotas or pairs, before any time is taken."""
    driver.rows(_WAIT, {"ids": sorted(instrument_ids), "firm": organisation_id})


def beside_values(slot: TimeSlot, *, itself: int, waits: bool) -> dict[str, Any]:
    """Return the values of `BESIDE`: of which reservation, if any, the slot is to be."""
    return {
        "itself": itself,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "since": min(clock.now(), slot.starts_at - _BACK),
        "waits": waits,
    }


def standing(
    found: Sequence[Any] | None, *, customer_class: CustomerClass, user_id: int
) -> Standing:
    """Return what `BESIDE` found of whom."""
    if found is None:
        return Standing(customer_class, user_id)
    held, pairs, left = found
    # Users, starts and ends, each a list; all of them None where nothing is held.
    is_held = held is not None and held[0] is not None
    return Standing(
        customer_class,
        user_id,
        held=list(map(Held, *held)) if is_held else (),
        pairs=[
            Pair(other, name, Pairing(pairing), is_booked)
            for other, name, pairing, is_booked in pairs or ()
        ],
        left=[
            Left(f"R-{number:06d}", name, _slot(starts, ends))
            for number, name, starts, ends in left or ()
        ],
    )


def _slot(starts: str, ends: str) -> TimeSlot:
    return TimeSlot(datetime.fromisoformat(starts), datetime.fromisoformat(ends))
