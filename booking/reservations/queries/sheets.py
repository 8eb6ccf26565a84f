"""The sheet on which a reservation is decided: one statement, one look at the world."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from booking.accounts.rules import (
    MARKET_ENTITIES,
    CustomerClass,
    OrganisationKind,
    SizeClass,
    customer_class,
)
from booking.authorisations.rules import Operation
from booking.availability.queries import policy_of
from booking.availability.rules import ApprovalMode, ApprovalRule, BookingPolicy, Interval, WeekPlan
from booking.kernel import clock, driver
from booking.kernel.errors import NotFound
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot
from booking.pricegroups.queries import GROUPS_OF, groups_from
from booking.pricegroups.rules import Group
from booking.registry.models import Publication, RunningState, SharingMode
from booking.relations.queries import RELATED
from booking.reservations.models import Reservation
from booking.reservations.queries.standings import BESIDE, beside_values, standing
from booking.reservations.rules import Standing
from booking.tariffs.rules import PUBLIC_FOR, Customer, PriceFacts, Terms

_DAY, _MONTH = timedelta(days=1), timedelta(days=32)
_HOLD = timedelta(days=60)  # the longest hold lasts ten working days, over any holidays

# The instrument, its policy and hours, the days around the slot, today's prices, and who the
# customer is. Whether a price was ever paid in full is only asked of a young one: an older one
# serves as baseline anyway (domain §4.3). Who was there before, and which days are worked, is
# only asked where a reservation may need approval.
_SHEET = f"""
SELECT i.id, i.institution_id, i.units, i.publication, i.sharing_mode, i.running_state,
       i.time_zone, i.category_code, i.region_code, o.kind AS customer_kind, s.grid_minutes,
       s.shortest_minutes, s.longest_minutes, s.lead_minutes, s.horizon_days,
       s.buffer_before_minutes, s.buffer_after_minutes, s.change_until_minutes,
       s.release_after_minutes, s.observes_holidays, i.verified_until, i.calibrated_until,
       s.approval_mode, s.approval_over_minutes, s.approval_over_minor, s.hold_working_hours,
       s.operation,
       CASE WHEN s.operation = 'self_operated_authorised' THEN (
           SELECT max(a.valid_until) FROM authorisations a
            WHERE a.user_id = %(user_id)s AND a.institution_id = i.institution_id
              AND a.granted_at IS NOT NULL AND a.suspended_at IS NULL
              AND a.valid_from <= %(begins)s
              AND (a.instrument_id = i.id OR starts_with(i.category_code, a.category_code)))
       END AS authorised_until,
       CASE WHEN s.approval_mode = 'first_time' THEN NOT EXISTS (
           SELECT FROM reservations r
            WHERE r.instrument_id = i.id AND r.organisation_id = o.id
              AND r.status IN ('confirmed', 'in_use', 'completed', 'usage_confirmed',
                               'settled', 'closed')) END AS is_first,
       CASE WHEN s.approval_mode <> 'none' OR s.approval_over_minutes IS NOT NULL
                 OR s.approval_over_minor IS NOT NULL THEN
           (SELECT json_agg(json_build_array(c.day, c.is_workday))
              FROM calendar_days c
             WHERE c.day BETWEEN %(today)s AND %(hold_last)s) END AS hold_days,
       (SELECT d.size_class FROM enterprise_declarations d
         WHERE d.organisation_id = o.id ORDER BY d.id DESC LIMIT 1) AS size_class,
       (SELECT json_agg(json_build_array(h.weekday, h.opens_minute, h.closes_minute))
          FROM opening_hours h WHERE h.instrument_id = i.id) AS hours,
       (SELECT json_agg(json_build_array(x.day, x.opens_minute, x.closes_minute))
          FROM special_days x
         WHERE x.instrument_id = i.id AND x.day BETWEEN %(first)s AND %(last)s) AS special,
       (SELECT json_agg(json_build_array(c.day, c.is_workday))
          FROM calendar_days c WHERE c.day BETWEEN %(first)s AND %(last)s) AS days,
       (SELECT json_agg(json_build_array(p.customer_class, p.id, p.per_hour_minor,
               p.per_hour_currency, p.discount_percent::text, p.published_at, p.terms,
               CASE WHEN p.published_at > %(young)s THEN EXISTS (
                   SELECT FROM reservations r WHERE r.price_id = p.id
                      AND r.price_minor = r.list_minor AND r.price_minor > 0
                      AND r.status IN ('usage_confirmed', 'settled', 'closed'))
               ELSE false END))
          FROM prices p WHERE p.instrument_id = i.id AND p.effective_from <= %(now)s
           AND (p.superseded_at IS NULL OR p.superseded_at > %(now)s)) AS prices,
       s.classes, s.conditions::text AS conditions,
       {RELATED.format(one="o.id", other="i.institution_id", day="CAST(%(begins)s AS date)")}
           AS is_related,
       {GROUPS_OF.format(organisation="o.id")} AS groups,{BESIDE}
  FROM instruments i
  JOIN organisations o ON o.id = %(organisation_id)s
  LEFT JOIN schedules s ON s.instrument_id = i.id
 WHERE i.id = %(instrument_id)s
"""  # noqa: S608 - our own words


class _Row(NamedTuple):
    """What `_SHEET` selects, in its order; the policy's columns are NULL without a schedule."""

    id: int
    institution_id: int
    units: int
    publication: str
    sharing_mode: str
    running_state: str
    time_zone: str
    category_code: str
    region_code: str | None
    customer_kind: str
    grid_minutes: int | None
    shortest_minutes: int
    longest_minutes: int
    lead_minutes: int
    horizon_days: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    change_until_minutes: int
    release_after_minutes: int
    observes_holidays: bool | None
    verified_until: date | None
    calibrated_until: date | None
    approval_mode: str | None
    approval_over_minutes: int | None
    approval_over_minor: int | None
    hold_working_hours: int
    operation: str | None
    authorised_until: date | None
    is_first: bool | None
    hold_days: list[tuple[str, bool]] | None
    size_class: str | None
    hours: list[tuple[int, int, int]] | None
    special: list[tuple[str, int | None, int | None]] | None
    days: list[tuple[str, bool]] | None
    prices: list[Sequence[Any]] | None
    classes: list[str] | None
    conditions: str | None
    is_related: bool
    groups: list[Sequence[Any]] | None
    beside: list[Any] | None


@dataclass(frozen=True)
class Sheet:
    """All that decides about one customer's slot on one instrument."""

    instrument_id: int
    institution_id: int
    organisation_id: int
    category_code: str
    region_code: str | None
    units: int
    publication: Publication
    sharing_mode: SharingMode
    running_state: RunningState
    policy: BookingPolicy | None
    plan: WeekPlan
    customer_class: CustomerClass
    class_elsewhere: CustomerClass
    price: PriceFacts | None
    standing: Standing
    is_market_entity: bool = True
    is_related: bool = False  # to the owner, on the day of the slot
    groups: tuple[Group, ...] = ()  # the customer's finer classes, here and elsewhere
    operation: Operation = Operation.EITHER
    authorised_until: date | None = None  # of whoever will operate it
    approval: ApprovalRule = field(default_factory=ApprovalRule)
    is_first: bool = False
    hold_days: Mapping[date, bool] = field(default_factory=dict)

    @property
    def is_own(self) -> bool:
        """Tell whether the owner itself is the customer."""
        return self.institution_id == self.organisation_id

    @property
    def has_hours(self) -> bool:
        """Tell whether the instrument ever opens."""
        return self.policy is not None and self.plan.ever_opens

    @property
    def customer(self) -> Customer:
        """Return whose prices apply where the customer might go instead."""
        own = frozenset({self.organisation_id})
        return Customer((self.class_elsewhere,), own, self.groups)


def get_sheet(
    instrument_id: int,
    slot: TimeSlot,
    *,
    organisation_id: int,
    user_id: int,
    waits: bool = False,
) -> Sheet:
    """Return the sheet; NotFound if there is no such instrument, or not for this customer.

    Who is going to take the slot `waits` for others whom the same quotas or pairs concern.
    """
    sheet = _sheet(instrument_id, slot, organisation_id, user_id, waits=waits)
    if sheet.publication is not Publication.PUBLISHED and not sheet.is_own:
        raise NotFound
    return sheet


def get_sheet_of(reservation: Reservation, slot: TimeSlot, *, waits: bool = False) -> Sheet:
    """Return the sheet for who holds a reservation, even of an instrument withdrawn since."""
    return _sheet(
        reservation.instrument_id,
        slot,
        reservation.organisation_id,
        reservation.user_id,
        itself=reservation.id,
        waits=waits,
    )


def _sheet(
    instrument_id: int,
    slot: TimeSlot,
    organisation_id: int,
    user_id: int,
    *,
    itself: int = 0,
    waits: bool,
) -> Sheet:
    whose = {
        "instrument_id": instrument_id,
        "organisation_id": organisation_id,
        "user_id": user_id,
        **beside_values(slot, itself=itself, waits=waits),
    }
    found = driver.first(_SHEET, whose | _days_around(slot))
    if found is None:
        raise NotFound
    row = _Row(*found)
    zone = ZoneInfo(row.time_zone)
    pays_as = _class_of(row, is_owner=row.institution_id == organisation_id)
    groups = groups_from(row.groups)
    return Sheet(
        instrument_id=row.id,
        institution_id=row.institution_id,
        organisation_id=organisation_id,
        category_code=row.category_code,
        region_code=row.region_code,
        units=row.units,
        publication=Publication(row.publication),
        sharing_mode=SharingMode(row.sharing_mode),
        running_state=RunningState(row.running_state),
        policy=policy_of(row, zone) if row.grid_minutes is not None else None,
        plan=_plan(row, zone),
        customer_class=pays_as,
        class_elsewhere=_class_of(row, is_owner=False),
        is_market_entity=OrganisationKind(row.customer_kind) in MARKET_ENTITIES,
        is_related=row.is_related,
        price=_price(row, pays_as, groups),
        groups=groups,
        operation=Operation(row.operation) if row.operation else Operation.EITHER,
        authorised_until=row.authorised_until,
        standing=standing(row.beside, customer_class=pays_as, user_id=user_id),
        approval=_approval(row),
        is_first=bool(row.is_first),
        hold_days=_days(row.hold_days),
    )


def _days_around(slot: TimeSlot) -> dict[str, Any]:
    """Return the days the sheet looks at, by its words for them."""
    return {
        "first": slot.starts_at.date() - _DAY,
        "last": min(slot.ends_at.date(), slot.starts_at.date() + _MONTH) + _DAY,
        "now": clock.now(),
        "young": clock.now() - PUBLIC_FOR,
        "begins": slot.starts_at.astimezone(clock.CHINA).date(),
        "today": clock.today(),
        "hold_last": clock.today() + _HOLD,
    }


def _approval(row: _Row) -> ApprovalRule:
    if row.approval_mode is None:
        return ApprovalRule()
    over = row.approval_over_minor
    return ApprovalRule(
        ApprovalMode(row.approval_mode),
        row.approval_over_minutes,
        None if over is None else Money(over),
        row.hold_working_hours,
    )


def _class_of(row: _Row, *, is_owner: bool) -> CustomerClass:
    return customer_class(
        kind=OrganisationKind(row.customer_kind),
        size_class=SizeClass(row.size_class) if row.size_class else None,
        is_owner=is_owner,
    )


def _plan(row: _Row, zone: ZoneInfo) -> WeekPlan:
    week: dict[int, list[Interval]] = defaultdict(list)
    for weekday, opens, closes in row.hours or ():
        week[weekday].append((opens, closes))
    return WeekPlan(
        zone=zone,
        week=week,
        special=special_days(row.special or ()),
        workdays=_days(row.days),
        observes_holidays=bool(row.observes_holidays),
    )


def _days(rows: Iterable[tuple[str, bool]] | None) -> dict[date, bool]:
    return {date.fromisoformat(day): works for day, works in rows or ()}


def special_days(rows: Iterable[Sequence[Any]]) -> dict[date, list[Interval]]:
    """Return intervals by date; a date without any is closed."""
    days: dict[date, list[Interval]] = defaultdict(list)
    for day, opens, closes in rows:
        intervals = days[date.fromisoformat(day)]
        if opens is not None:
            intervals.append((opens, closes))
    return days


def _price(row: _Row, pays_as: CustomerClass, groups: tuple[Group, ...]) -> PriceFacts | None:
    found = next((_facts(price) for price in row.prices or () if price[0] == pays_as), None)
    if found is None or not groups:
        return found
    customer = Customer((pays_as,), groups=groups)
    return customer.facts_at(
        found, pays_as, institution_id=row.institution_id, instrument_id=row.id
    )


def _facts(row: Sequence[Any]) -> PriceFacts:
    _, price_id, minor, currency, discount, published_at, terms, used = row
    return PriceFacts(
        id=price_id,
        per_hour=Money(minor, currency),
        discount_percent=Decimal(discount),
        published_at=datetime.fromisoformat(published_at),
        used_at_full_price=used,
        terms=Terms.of(terms),
    )
