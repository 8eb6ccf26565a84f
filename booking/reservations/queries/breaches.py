"""What must never be true of reservations (contract §6.1, §6.3 to §6.5)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, text

from booking.kernel.db import db
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot
from booking.pricegroups import queries as groups
from booking.reservations.queries.prepaid import prepaid_breaches
from booking.tariffs import queries as tariffs
from booking.tariffs.rules import Terms, Usage, fee, price

_HOLDS_NOTHING = text("""
SELECT r.id FROM reservations r LEFT JOIN occupancies o ON o.id = r.occupancy_id
 WHERE (r.status IN ('tentative', 'confirmed', 'in_use')
        AND (o.id IS NULL OR o.kind <> 'reservation'))
    OR (r.status IN ('cancelled', 'declined', 'expired') AND r.occupancy_id IS NOT NULL)
 ORDER BY r.id
""")
# Who began early holds the time from then on; who ended early, or never came, gave back the rest.
_HOLDS_OTHER_TIME = text("""
SELECT r.id
  FROM reservations r
  JOIN occupancies o ON o.id = r.occupancy_id
  LEFT JOIN uses u ON u.reservation_id = r.id
 WHERE o.instrument_id <> r.instrument_id OR o.unit <> r.unit
    OR o.starts_at <> least(
           r.starts_at - make_interval(mins => r.buffer_before_minutes::int), u.started_at)
    OR o.ends_at > r.ends_at + make_interval(mins => r.buffer_after_minutes::int)
    OR (r.status IN ('tentative', 'confirmed', 'in_use')
        AND o.ends_at < r.ends_at + make_interval(mins => r.buffer_after_minutes::int))
 ORDER BY r.id
""")
_NOBODYS = text("""
SELECT o.id FROM occupancies o LEFT JOIN reservations r ON r.occupancy_id = o.id
 WHERE o.kind = 'reservation' AND r.id IS NULL ORDER BY o.id
""")
# The list price follows from the version it was agreed on, half up, where that is nothing but a
# price per hour (`_repriced` looks at the others); the baseline is that list price or none;
# baseline = price + expected saving, which is never negative. The lines add up; a fee is due
# instead of the price, never beside it.
_PRICES = text("""
SELECT r.id FROM reservations r LEFT JOIN prices p ON p.id = r.price_id
 WHERE r.price_minor < 0 OR r.price_minor > r.list_minor
    OR (r.baseline_minor IS NULL) <> (r.baseline_rank IS NULL)
    OR r.baseline_minor <> r.list_minor
    OR (p.id IS NULL AND r.list_minor <> 0)
    OR p.instrument_id <> r.instrument_id OR p.customer_class <> r.customer_class
    OR p.per_hour_currency <> r.currency
    OR (p.terms = '{}' AND r.list_minor <> round(
           p.per_hour_minor::numeric * extract(epoch FROM r.ends_at - r.starts_at) / 3600))
    OR r.price_minor <> (SELECT coalesce(sum((line ->> 'amount_minor')::bigint), 0)
                           FROM jsonb_array_elements(r.lines) line HAVING r.lines IS NOT NULL)
    OR r.list_minor <> (SELECT coalesce(sum((line ->> 'amount_minor')::bigint), 0)
                          FROM jsonb_array_elements(r.lines) line
                         WHERE line ->> 'item' NOT IN ('discount', 'prepaid')
                        HAVING r.lines IS NOT NULL)
    OR r.fee_minor > r.price_minor
    OR (r.fee_minor > 0 AND r.status NOT IN ('cancelled', 'no_show'))
 ORDER BY r.id
""")
_USES = text("""
SELECT r.id
  FROM reservations r
  LEFT JOIN uses u ON u.reservation_id = r.id
 WHERE CASE WHEN u.settled_at IS NOT NULL THEN r.status NOT IN ('settled', 'closed')
            WHEN u.confirmed_at IS NOT NULL THEN r.status <> 'usage_confirmed'
            WHEN u.ended_at IS NOT NULL THEN r.status <> 'completed'
            WHEN u.started_at IS NOT NULL THEN r.status <> 'in_use'
            ELSE r.status IN ('in_use', 'completed', 'usage_confirmed', 'settled', 'closed') END
 ORDER BY r.id
""")
# What is due follows from the confirmed minutes and the price that was agreed, half up.
_DUES = text("""
SELECT u.reservation_id
  FROM uses u
  JOIN reservations r ON r.id = u.reservation_id
  LEFT JOIN prices p ON p.id = r.price_id
  LEFT JOIN price_group_terms g ON g.id = r.price_group_terms_id
 WHERE u.confirmed_at IS NOT NULL
   AND ((coalesce(p.terms, '{}') = '{}' AND (
            u.list_minor <> coalesce(round(p.per_hour_minor::numeric * u.minutes / 60), 0)
         OR (r.prepaid_id IS NULL AND u.price_minor <> coalesce(round(
                p.per_hour_minor * u.minutes * (100 - greatest(p.discount_percent, coalesce(
                    (g.instruments ->> r.instrument_id::text)::numeric, g.percent)))
                / 6000), 0))))
     OR u.price_minor <> (SELECT coalesce(sum((line ->> 'amount_minor')::bigint), 0)
                            FROM jsonb_array_elements(u.lines) line HAVING u.lines IS NOT NULL)
     OR u.baseline_minor IS DISTINCT FROM
        CASE WHEN r.baseline_rank IS NOT NULL AND u.not_counted IS NULL THEN u.list_minor END
     OR u.passed_on_minor <> (
            SELECT coalesce(sum((each ->> 'amount_minor')::bigint), 0)
              FROM jsonb_array_elements(coalesce(u.passed_on, '[]')) each))
 ORDER BY u.reservation_id
""")
# What other terms make of them is worked out again; where hours have a price of their own only
# the fee, for the working calendar they went by may have been corrected since.
_OTHER_TERMS = text("""
SELECT r.id, r.starts_at, r.ends_at, r.samples, r.list_minor, r.price_minor, r.price_id,
       r.price_group_terms_id, r.instrument_id, r.currency, r.fee_minor, r.status, r.is_assisted
  FROM reservations r JOIN prices p ON p.id = r.price_id
 WHERE p.terms <> '{}' AND r.prepaid_id IS NULL ORDER BY r.id
""")
_SAVINGS = text("""
SELECT r.id
  FROM reservations r
  LEFT JOIN uses u ON u.reservation_id = r.id
  LEFT JOIN savings_lines l
    ON l.subject_type = 'reservation' AND l.subject_id = r.id AND l.corrects_id IS NULL
 WHERE (r.status IN ('settled', 'closed')) <> (l.id IS NOT NULL)
    OR l.price_minor <> u.price_minor OR l.quantity <> u.minutes
    OR l.baseline_minor IS DISTINCT FROM CASE WHEN l.id IS NOT NULL THEN u.baseline_minor END
    OR l.organisation_id <> r.organisation_id
 ORDER BY r.id
""")
# What the law demanded saves nothing, before and after it was used.
_STATUTORY = text("""
SELECT r.id
  FROM reservations r
  LEFT JOIN uses u ON u.reservation_id = r.id
  LEFT JOIN savings_lines l
    ON l.subject_type = 'reservation' AND l.subject_id = r.id AND l.corrects_id IS NULL
 WHERE r.is_statutory AND (u.baseline_minor IS NOT NULL OR l.baseline_minor IS NOT NULL)
 ORDER BY r.id
""")
# A fee is settled only where there is one, of what came to nothing.
_FEES = text("""
SELECT r.id FROM fee_settlements f JOIN reservations r ON r.id = f.reservation_id
 WHERE r.fee_minor = 0 OR r.status NOT IN ('cancelled', 'no_show') ORDER BY r.id
""")
_UNRECORDED = text("""
SELECT r.id FROM reservations r
  LEFT JOIN (SELECT subject_id, count(*) AS entries FROM journal_entries
              WHERE subject_type = 'reservation' AND action LIKE 'reservation.%'
              GROUP BY subject_id) j ON j.subject_id = r.id
 WHERE coalesce(j.entries, 0) < r.version ORDER BY r.id
""")
# Whatever changed since the first notice that is kept was told in the same transaction.
_UNTOLD = text("""
WITH told AS (
  SELECT subject_id, count(*) AS notices, min(min(posted_at)) OVER () AS since
    FROM notices
   WHERE subject_type = 'reservation'
     AND kind IN ('confirmation', 'change', 'cancellation', 'request', 'approved', 'declined',
                  'expired')
   GROUP BY subject_id)
SELECT j.subject_id
  FROM journal_entries j
  LEFT JOIN told ON told.subject_id = j.subject_id
 WHERE j.subject_type = 'reservation' AND j.at >= (SELECT min(since) FROM told)
   AND j.action IN ('reservation.reserved', 'reservation.moved', 'reservation.cancelled',
                    'reservation.approved', 'reservation.declined', 'reservation.expired')
 GROUP BY j.subject_id, told.notices
HAVING count(*) > coalesce(told.notices, 0)
 ORDER BY j.subject_id
""")


# Only what waits, or waited too long, has an end of waiting; who decided is known where it is.
_HOLDS = text("""
SELECT id FROM reservations
 WHERE (status = 'tentative' AND (expires_at IS NULL OR approval_rules IS NULL))
    OR (status = 'tentative' AND expires_at > starts_at)
    OR (status = 'expired' AND (expires_at IS NULL OR updated_at < expires_at))
    OR (status = 'declined' AND (decided_by IS NULL OR decision_note = ''))
    OR (decided_at IS NULL) <> (decided_by IS NULL)
    OR (status NOT IN ('tentative', 'declined', 'expired', 'cancelled') AND expires_at IS NOT NULL)
 ORDER BY id
""")


# Who operates by themselves where that needs an authorisation had one when it was agreed. What is
# asked of before the rule was set, and of the owner's own, is not asked here.
_AUTHORISED = text("""
SELECT r.id
  FROM reservations r
  JOIN instruments i ON i.id = r.instrument_id
  JOIN schedules s ON s.instrument_id = i.id AND s.operation = 'self_operated_authorised'
 WHERE NOT r.is_assisted AND r.organisation_id <> i.institution_id
   AND r.status IN ('confirmed', 'in_use') AND r.created_at > s.updated_at
   AND NOT EXISTS (
       SELECT FROM authorisations a
        WHERE a.user_id = r.user_id AND a.institution_id = i.institution_id
          AND a.granted_at <= r.updated_at
          AND (a.instrument_id = i.id OR starts_with(i.category_code, a.category_code)))
 ORDER BY r.id
""")


# Whoever was priced by a finer class belonged to one of the instrument's owner, in the class its
# list price is of, by a version that held (or changed while it was agreed); its relief says so.
_GROUPED = text("""
SELECT r.id
  FROM reservations r
  JOIN instruments i ON i.id = r.instrument_id
  JOIN price_group_terms t ON t.id = r.price_group_terms_id
  JOIN price_groups g ON g.id = t.group_id
 WHERE g.institution_id <> i.institution_id OR t.institution_id <> g.institution_id
    OR g.base_class <> r.customer_class OR r.price_id IS NULL
    OR t.effective_from > r.updated_at
    OR least(t.ends_at, t.superseded_at) < r.created_at - interval '1 minute'
    OR NOT EXISTS (SELECT FROM price_group_members m
                    WHERE m.group_id = g.id AND m.organisation_id = r.organisation_id
                      AND m.since <= r.updated_at
                      AND coalesce(m.until >= r.created_at - interval '1 minute', true))
    OR EXISTS (SELECT FROM jsonb_array_elements(r.lines) line
                WHERE line ->> 'item' = 'discount' AND (line ->> 'name' <> t.name
                   OR (line ->> 'percent')::numeric <> coalesce(
                          (t.instruments ->> r.instrument_id::text)::numeric, t.percent)))
 ORDER BY r.id
""")


# What was made together is all there, its owner's own, and a series is of one instrument.
_GROUPS = text("""
SELECT g.id
  FROM reservation_groups g
  LEFT JOIN reservations r ON r.group_id = g.id
 GROUP BY g.id
HAVING count(r.id) <> g.size
    OR bool_or(r.organisation_id <> g.organisation_id)
    OR (g.kind = 'series' AND count(DISTINCT r.instrument_id) > 1)
 ORDER BY g.id
""")


def breaches() -> Iterator[str]:
    """Yield one sentence for each breach of the reservations' invariants."""
    for found in _repriced():
        yield f"预约 {found} 的金额与它约定的价格不符。"
    yield from prepaid_breaches()
    for query, sentence in (
        (_HOLDS_NOTHING, "预约 {} 的状态与它的占用不符。"),
        (_HOLDS_OTHER_TIME, "预约 {} 占用的时间不是它的时段。"),
        (_NOBODYS, "占用 {} 不属于任何预约。"),
        (_HOLDS, "预约 {} 的审批状态与期限不符。"),
        (_AUTHORISED, "预约 {} 自主上机，但预约人没有上机授权。"),
        (_GROUPS, "一起预约的 {} 不完整，或其中有不属于它的预约。"),
        (_PRICES, "预约 {} 的金额算不平。"),
        (_GROUPED, "预约 {} 的客户类别优惠与当时的类别不符。"),
        (_USES, "预约 {} 的状态与它的使用记录不符。"),
        (_DUES, "预约 {} 的核定费用算不平。"),
        (_STATUTORY, "预约 {} 是法定检验，却计入了节约。"),
        (_FEES, "预约 {} 没有费用，却登记了费用的结算。"),
        (_SAVINGS, "预约 {} 的结算与节约明细不符。"),
        (_UNRECORDED, "预约 {} 的变更没有全部记入日志。"),
        (_UNTOLD, "预约 {} 的变更没有全部通知有关各方。"),
    ):
        for found in db.session.scalars(query):
            yield sentence.format(found)


def _repriced() -> Iterator[int]:
    """Yield reservations whose amounts are not what the terms agreed on make of them."""
    for found in db.session.execute(_OTHER_TERMS):
        agreed = replace(
            tariffs.get_price(found.price_id).facts,
            group=groups.concession_of(found.price_group_terms_id, found.instrument_id),
        )
        slot = TimeSlot(found.starts_at, found.ends_at)
        usage = Usage(slot.starts_at, slot.minutes, found.samples, found.is_assisted)
        listed, due, _ = price(agreed, usage)
        is_so = (listed.minor, due.minor) == (found.list_minor, found.price_minor)
        if not (is_so or agreed.terms.windows) or not _is_fee_so(found, agreed.terms):
            yield found.id


def _is_fee_so(found: Row[Any], terms: Terms) -> bool:
    """Tell whether the fee is none, or what the terms make of the price."""
    of = terms.late_cancel if found.status == "cancelled" else terms.no_show
    due = fee(of, Money(found.price_minor, found.currency))
    return found.fee_minor == 0 or (due is not None and found.fee_minor == due.minor)
