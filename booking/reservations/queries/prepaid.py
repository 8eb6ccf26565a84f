"""What must never be true of reservations that are paid with hours bought beforehand."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import select, text
from sqlalchemy.orm import joinedload

from booking.kernel.db import db
from booking.pricegroups import queries as groups
from booking.reservations.models import Reservation
from booking.tariffs import queries as tariffs
from booking.tariffs.rules import Hours, QuoteLine, Usage, covered_by, quote, with_hours

# What is held is what a reservation that may still come about agreed to pay so; what is used is
# what its confirmed use came to; what came to nothing has nothing.
_HELD = text("""
SELECT r.id
  FROM reservations r
  LEFT JOIN uses u ON u.reservation_id = r.id
  LEFT JOIN (SELECT balance_id, reservation_id, -sum(minutes) AS minutes
               FROM prepaid_entries WHERE reservation_id IS NOT NULL
              GROUP BY balance_id, reservation_id) e
    ON e.reservation_id = r.id AND e.balance_id = r.prepaid_id
 WHERE r.prepaid_id IS NOT NULL AND coalesce(e.minutes, 0) <> coalesce((
       SELECT (line ->> 'quantity')::bigint
         FROM jsonb_array_elements(CASE
              WHEN r.status IN ('tentative', 'confirmed', 'in_use', 'completed') THEN r.lines
              WHEN r.status IN ('usage_confirmed', 'settled', 'closed') THEN u.lines
              ELSE '[]' END) line
        WHERE line ->> 'item' = 'prepaid'), 0)
 ORDER BY r.id
""")
_NOBODYS = text("""
SELECT DISTINCT e.balance_id
  FROM prepaid_entries e
  LEFT JOIN reservations r ON r.id = e.reservation_id
 WHERE e.reservation_id IS NOT NULL
 GROUP BY e.balance_id, e.reservation_id, r.id, r.prepaid_id
HAVING r.id IS NULL OR (r.prepaid_id IS DISTINCT FROM e.balance_id AND sum(e.minutes) <> 0)
""")
_NOT_THEIRS = text("""
SELECT r.id FROM reservations r
  JOIN prepaid_balances b ON b.id = r.prepaid_id
  JOIN instruments i ON i.id = r.instrument_id
 WHERE b.organisation_id <> r.organisation_id OR b.institution_id <> i.institution_id
 ORDER BY r.id
""")
_SETTLED = text("""
SELECT u.reservation_id FROM uses u JOIN reservations r ON r.id = u.reservation_id
 WHERE u.settlement = 'prepaid' AND (r.prepaid_id IS NULL OR u.reference = '')
 ORDER BY u.reservation_id
""")


def prepaid_breaches() -> Iterator[str]:
    """Yield one sentence for each breach."""
    for query, sentence in (
        (_HELD, "预约 {} 与预付机时明细不符。"),
        (_NOBODYS, "预付机时 {} 有不属于任何预约的占用。"),
        (_NOT_THEIRS, "预约 {} 用了不属于该企业或该机构的预付机时。"),
        (_SETTLED, "预约 {} 按预付机时结算，但没有对应的余额。"),
    ):
        for found in db.session.scalars(query):
            yield sentence.format(found)
    for reservation_id in _repriced():
        yield f"预约 {reservation_id} 的金额与它约定的价格和预付机时不符。"


def _repriced() -> Iterator[int]:
    """Yield those whose amounts are not what list, terms and balance make of them.

    Where hours have a price of their own the calendar they went by may have been corrected since.
    """
    found = db.session.scalars(
        select(Reservation)
        .options(joinedload(Reservation.use))
        .where(Reservation.prepaid_id.is_not(None))
        .order_by(Reservation.id)
    )
    for each in found:
        agreed = Usage(each.starts_at, each.slot.minutes, each.samples, each.is_assisted)
        amounts = [(agreed, each.price_lines, each.list_minor, each.price_minor)]
        if (use := each.use) is not None and use.minutes is not None:
            done = Usage(use.started_at, use.minutes, use.samples or 0, each.is_assisted)
            amounts.append((done, use.price_lines, use.list_minor or 0, use.price_minor or 0))
        if not all(_is_so(each, *parts) for parts in amounts):
            yield each.id


def _is_so(
    reservation: Reservation, usage: Usage, lines: Sequence[QuoteLine], listed: int, due: int
) -> bool:
    facts = tariffs.get_price(reservation.price_id).facts if reservation.price_id else None
    if facts is not None:
        if facts.terms.windows:
            return True
        concession = groups.concession_of(
            reservation.price_group_terms_id, reservation.instrument_id
        )
        facts = replace(facts, group=concession)
    quoted = quote(
        facts, usage, customer_class=reservation.customer_class, now=reservation.created_at
    )
    covered = covered_by(lines, reservation.prepaid_id)
    if quoted is not None and covered is not None:
        quoted = with_hours(quoted, Hours(covered.id, covered.per_hour, covered.minutes))
    return quoted is not None and (quoted.list_price.minor, quoted.price.minor) == (listed, due)
