"""Savings as far as a caller may see them: lines, what stands of one, totals and months."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, Subquery, case, false, func, or_, select, text
from sqlalchemy.orm import aliased, joinedload

from booking.accounts.rules import SMALLEST, Caller, Permission, Scope
from booking.kernel import paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.kernel.money import Money
from booking.registry.models import Instrument
from booking.registry.rules import RATED_HOURS
from booking.savings.models import SavingsLine
from booking.savings.rules import EXCLUSIONS, Amounts, Hours, NotCounted, Unit

_READS = frozenset({Scope.READ, Scope.RESERVATIONS})
_WITH_NAMES = (
    joinedload(SavingsLine.organisation),
    joinedload(SavingsLine.institution),
    joinedload(SavingsLine.instrument),
)


@dataclass(frozen=True)
class Period:
    """From the first to the last day, both included; open where None."""

    first: date | None = None
    last: date | None = None


ALWAYS = Period()
WAN = 1_000_000  # 分


class Only(StrEnum):
    """Which lines of a period are looked at."""

    COUNTED = "counted"
    NO_BASELINE = "no_baseline"
    EXCLUDED = "excluded"  # out of scope, from the start or by a correction
    SMALLEST = "smallest"  # 个体工商户 and 合作社


@dataclass(frozen=True)
class Totals:
    """Sums of lines; corrections are in the money, not in the number of services.

    `excluded` are out of scope (domain §4.4), `smallest` are those of 个体工商户 and 合作社, which
    count and are shown apart.
    """

    services: int
    counted: int
    without_baseline: int
    excluded: int
    smallest: int
    smallest_saved: Money
    baseline: Money
    price: Money
    cash: Money
    relief: Money
    subsidy: Money
    saved: Money


@dataclass(frozen=True)
class Month:
    """What was counted in a calendar month."""

    first: date
    services: int
    saved: Money


def visible_to(caller: Caller) -> Select[SavingsLine]:
    """Return the lines the caller may see: their own, their firm's, their institution's."""
    seen: list[ColumnElement[bool]] = []
    if caller.scopes & _READS:
        seen.append(
            (SavingsLine.user_id == caller.user_id)
            & SavingsLine.organisation_id.in_(caller.organisations)
        )
    if firms := caller.organisations_with(Permission.SEE_CUSTOMER_SIDE):
        seen.append(SavingsLine.organisation_id.in_(firms))
    if owners := caller.organisations_with(Permission.SEE_OWNER_SIDE):
        seen.append(SavingsLine.institution_id.in_(owners))
    return select(SavingsLine).where(or_(false(), *seen))


def get_line(line_id: int, *, caller: Caller, for_update: bool = False) -> SavingsLine:
    """Return the line with its names, or raise NotFound; `for_update` locks it."""
    query = visible_to(caller).where(SavingsLine.id == line_id).options(*_WITH_NAMES)
    if for_update:
        query = query.with_for_update(of=SavingsLine).execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def lock_line(line_id: int) -> SavingsLine:
    """Return a line and hold it, for what nobody in particular may see."""
    query = select(SavingsLine).where(SavingsLine.id == line_id).with_for_update()
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def find_line(subject: tuple[str, int]) -> SavingsLine | None:
    """Return the line of a reservation or order itself, without its corrections."""
    subject_type, subject_id = subject
    return db.session.scalar(
        select(SavingsLine).where(
            SavingsLine.subject_type == subject_type,
            SavingsLine.subject_id == subject_id,
            SavingsLine.corrects_id.is_(None),
        )
    )


def corrections(line: SavingsLine) -> Sequence[SavingsLine]:
    """Return what was corrected on a line, in the order in which it was."""
    query = select(SavingsLine).where(SavingsLine.corrects_id == line.id)
    return db.session.scalars(query.order_by(SavingsLine.id)).all()


def stands(line: SavingsLine) -> Amounts:
    """Return the line with all its corrections."""
    amounts = line.amounts
    for change in corrections(line):
        amounts = amounts.plus(change.amounts)
    return amounts


def list_lines(
    *,
    caller: Caller,
    limit: int,
    cursor: str | None,
    period: Period = ALWAYS,
    counted: bool | None = None,
    only: Only | None = None,
) -> paging.Page[SavingsLine]:
    """Return a page of the lines the caller may see, latest written first."""
    query = _narrowed(_within(_counted(visible_to(caller), counted), period), only)
    query = query.options(*_WITH_NAMES)
    if cursor is not None:
        query = query.where(SavingsLine.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(SavingsLine.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )


def totals(
    *,
    caller: Caller,
    period: Period = ALWAYS,
    counted: bool | None = None,
    as_customer: bool = False,
) -> Totals:
    """Return the sums of the lines the caller may see, or only of their own organisations."""
    query = _within(_counted(visible_to(caller), counted), period)
    line = (_as_customer(query, caller) if as_customer else query).subquery()
    row = db.session.execute(select(*_sums(line)).select_from(line)).one()
    services, counted_, without, excluded, smallest = row[:5]
    smallest_saved, baseline, price, cash, relief, subsidy = (Money(int(sum_)) for sum_ in row[5:])
    return Totals(
        services=services,
        counted=counted_,
        without_baseline=without,
        excluded=excluded,
        smallest=smallest,
        smallest_saved=smallest_saved,
        baseline=baseline,
        price=price,
        cash=cash,
        relief=relief,
        subsidy=subsidy,
        saved=relief + subsidy,
    )


def _sums(line: Subquery) -> Iterator[ColumnElement[int]]:
    """Yield how many of each kind there are, then the sums of what is compared."""
    first, has_baseline = line.c.corrects_id.is_(None), line.c.baseline_minor.is_not(None)
    taken_out = line.c.id.in_(_taken_out())
    is_smallest = line.c.size_class.in_(SMALLEST)
    out_of_scope = line.c.not_counted != NotCounted.NO_BASELINE
    for which in (
        (),
        (has_baseline, ~taken_out),
        (line.c.not_counted == NotCounted.NO_BASELINE,),
        (or_(taken_out, out_of_scope),),
        (has_baseline, ~taken_out, is_smallest),
    ):
        yield func.count().filter(first, *which)
    for column, *only in (
        (line.c.relief_minor + line.c.subsidy_minor, is_smallest),
        (line.c.baseline_minor,),
        (line.c.price_minor,),
        (line.c.cash_minor,),
        (line.c.relief_minor,),
        (line.c.subsidy_minor,),
    ):
        yield func.coalesce(func.sum(column).filter(has_baseline, *only), 0)


def ends_of(year: int) -> tuple[date, date]:
    """Return the first and the last day of a year."""
    return date(year, 1, 1), date(year, 12, 31)


def by_month(*, caller: Caller, year: int, as_customer: bool = False) -> list[Month]:
    """Return the twelve months of a year, of the lines the caller may see or only their own."""
    query = _within(visible_to(caller), Period(*ends_of(year)))
    line = (_as_customer(query, caller) if as_customer else query).subquery()
    month = func.extract("month", line.c.counted_on)
    # Without a baseline nothing is saved, whatever was granted (domain §4.3).
    is_compared = line.c.baseline_minor.is_not(None)
    saved = case((is_compared, line.c.relief_minor + line.c.subsidy_minor), else_=0)
    found = {
        int(number): (services, int(minor))
        for number, services, minor in db.session.execute(
            select(
                month, func.count().filter(line.c.corrects_id.is_(None)), func.sum(saved)
            ).group_by(month)
        )
    }
    return [
        Month(date(year, number, 1), services, Money(minor))
        for number in range(1, 13)
        for services, minor in [found.get(number, (0, 0))]
    ]


def _counted(query: Select[SavingsLine], counted: bool | None) -> Select[SavingsLine]:
    if counted is None:
        return query
    return query.where(SavingsLine.not_counted.is_(None) == counted)


def _as_customer(query: Select[SavingsLine], caller: Caller) -> Select[SavingsLine]:
    """Return those of the caller's own organisations, without what others saved at theirs."""
    return query.where(SavingsLine.organisation_id.in_(caller.organisations))


def _narrowed(query: Select[SavingsLine], only: Only | None) -> Select[SavingsLine]:
    match only:
        case Only.COUNTED:
            return query.where(_counts())
        case Only.NO_BASELINE:
            return query.where(SavingsLine.not_counted == NotCounted.NO_BASELINE)
        case Only.EXCLUDED:
            left_out = SavingsLine.not_counted != NotCounted.NO_BASELINE
            return query.where(or_(left_out, _line_of().in_(_taken_out())))
        case Only.SMALLEST:
            return query.where(_counts(), SavingsLine.size_class.in_(SMALLEST))
    return query


def _counts() -> ColumnElement[bool]:
    return SavingsLine.not_counted.is_(None) & _line_of().not_in(_taken_out())


def _line_of() -> ColumnElement[int]:
    return func.coalesce(SavingsLine.corrects_id, SavingsLine.id)


def _taken_out() -> Select[int | None]:
    """Return the lines that a correction took out of the sums."""
    other = aliased(SavingsLine)
    return select(other.corrects_id).where(other.reason.in_(EXCLUSIONS))


def _within(query: Select[SavingsLine], period: Period) -> Select[SavingsLine]:
    if period.first is not None:
        query = query.where(SavingsLine.counted_on >= period.first)
    if period.last is not None:
        query = query.where(SavingsLine.counted_on <= period.last)
    return query


def hours_used(*, caller: Caller, year: int) -> list[Hours]:
    """Return what enterprises used of which instrument in a year, of the lines one may see.

    Whatever is out of scope of the savings is left out here, too.
    """
    query = _within(_as_customer(visible_to(caller), caller), Period(*ends_of(year)))
    line = _narrowed(query, None).subquery()
    in_scope = or_(line.c.not_counted.is_(None), line.c.not_counted == NotCounted.NO_BASELINE)
    rows = db.session.execute(
        select(
            line.c.organisation_id,
            Instrument.id,
            Instrument.name,
            Instrument.category_code,
            Instrument.instrument_type,
            Instrument.worth_wan,
            Instrument.rated_hours,
            func.sum(line.c.quantity).label("minutes"),
            func.sum(line.c.cash_minor).label("cash"),
        )
        .join(Instrument, Instrument.id == line.c.instrument_id)
        .where(in_scope, line.c.unit == Unit.MINUTE)
        .group_by(line.c.organisation_id, Instrument.id)
        .order_by(line.c.organisation_id, Instrument.id)
    )
    return [
        Hours(
            organisation_id=row.organisation_id,
            category=row.category_code,
            instrument_id=row.id,
            name=row.name,
            worth=None if row.worth_wan is None else int(row.worth_wan * WAN),
            rated_hours=row.rated_hours or RATED_HOURS[row.instrument_type],
            minutes=int(row.minutes),
            cash=int(row.cash),
        )
        for row in rows
        if row.minutes > 0
    ]


# A correction never takes more than there was.
_OVERDRAWN = text("""
SELECT coalesce(corrects_id, id) AS line FROM savings_lines GROUP BY 1
HAVING sum(quantity) < 0 OR sum(price_minor) < 0 OR sum(subsidy_minor) < 0
    OR sum(baseline_minor) < 0 OR sum(subsidy_minor) > sum(price_minor)
 ORDER BY 1
""")
_IDENTITY = text("""
SELECT id FROM savings_lines
 WHERE baseline_minor <> cash_minor + relief_minor + subsidy_minor
    OR price_minor <> cash_minor + subsidy_minor
 ORDER BY id
""")
_UNRECORDED = text("""
SELECT l.id FROM savings_lines l
  LEFT JOIN journal_entries j ON j.subject_type = 'savings_line' AND j.subject_id = l.id
 WHERE j.id IS NULL ORDER BY l.id
""")


def breaches() -> Iterator[str]:
    """Yield one sentence for each breach of the ledger's invariants (contract §6.4)."""
    for query, sentence in (
        (_IDENTITY, "节约明细 {} 不平：基准 ≠ 自付 + 减免 + 补贴。"),
        (_OVERDRAWN, "节约明细 {} 的更正超过了它本身。"),
        (_UNRECORDED, "节约明细 {} 没有记入日志。"),
    ):
        for found in db.session.scalars(query):
            yield sentence.format(found)
