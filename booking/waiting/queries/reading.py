"""Places on the waiting list as far as a caller may see them, and in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from booking.accounts.rules import Caller, Permission, Scope
from booking.kernel import paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.kernel.money import Money
from booking.registry.models import Instrument
from booking.reservations.rules import Violation
from booking.waiting.models import WaitingEntry
from booking.waiting.rules import Standing

_READS = frozenset({Scope.READ, Scope.RESERVATIONS})
_WHOLE = (
    joinedload(WaitingEntry.instrument).joinedload(Instrument.institution),
    joinedload(WaitingEntry.organisation),
    joinedload(WaitingEntry.user),
)
_OPEN = WaitingEntry.ended_at.is_(None)


@dataclass(frozen=True)
class Placed:
    """An entry with its place among those that want some of the same time; None once it ended.

    `price` and `refusals` are what accepting would cost now and what would refuse it, where an
    offer is open and somebody asked.
    """

    entry: WaitingEntry
    place: int | None
    price: Money | None = None
    refusals: Sequence[Violation] = ()


def visible_to(caller: Caller) -> Select[WaitingEntry]:
    """Return the caller's own places, and those of firms they may see the reservations of."""
    firms = caller.organisations_with(Permission.SEE_CUSTOMER_SIDE)
    firms |= caller.organisations_with(Permission.CHANGE_CUSTOMER_SIDE)
    may_see: list[ColumnElement[bool]] = []
    if caller.scopes & _READS:
        may_see.append(
            (WaitingEntry.user_id == caller.user_id)
            & WaitingEntry.organisation_id.in_(caller.organisations)
        )
    if firms:
        may_see.append(WaitingEntry.organisation_id.in_(firms))
    return select(WaitingEntry).where(or_(false(), *may_see))


def get_entry(entry_id: int, *, caller: Caller, for_update: bool = False) -> WaitingEntry:
    """Return the entry with its names, or raise NotFound; `for_update` locks it."""
    query = visible_to(caller).where(WaitingEntry.id == entry_id).options(*_WHOLE)
    if for_update:
        query = query.with_for_update(of=WaitingEntry)
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def get_placed(entry_id: int, *, caller: Caller) -> Placed:
    """Return the entry with its place, or raise NotFound."""
    [found] = placed([get_entry(entry_id, caller=caller)])
    return found


def list_entries(
    *,
    caller: Caller,
    limit: int,
    cursor: str | None,
    instrument_id: int | None = None,
    standing: Standing | None = None,
) -> paging.Page[Placed]:
    """Return a page of the entries the caller may see, the latest first."""
    query = visible_to(caller).options(*_WHOLE)
    if instrument_id is not None:
        query = query.where(WaitingEntry.instrument_id == instrument_id)
    if standing is not None:
        query = query.where(_stands(standing))
    if cursor is not None:
        query = query.where(WaitingEntry.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(
        query.order_by(WaitingEntry.id.desc()).limit(limit + 1),
        execution_options={"populate_existing": True},
    ).all()
    more = len(rows) > limit
    return paging.Page(
        items=placed(rows[:limit]),
        next_cursor=paging.encode(rows[limit - 1].id) if more else None,
    )


def _stands(standing: Standing) -> ColumnElement[bool]:
    holds = WaitingEntry.occupancy_id.is_not(None)
    if standing is Standing.OFFERED:
        return _OPEN & holds
    if standing is Standing.WAITING:
        return _OPEN & ~holds
    return WaitingEntry.ended_as == standing


def placed(entries: Sequence[WaitingEntry]) -> list[Placed]:
    """Return the entries with their places: one statement, which says nothing of anybody else."""
    ids = [each.id for each in entries if each.ended_at is None]
    other = aliased(WaitingEntry)
    ahead = (
        select(func.count())
        .select_from(other)
        .where(
            other.instrument_id == WaitingEntry.instrument_id,
            other.ended_at.is_(None),
            other.id < WaitingEntry.id,
            other.starts_at < WaitingEntry.ends_at,
            other.ends_at > WaitingEntry.starts_at,
        )
        .scalar_subquery()
    )
    query = select(WaitingEntry.id, ahead).where(WaitingEntry.id.in_(ids))
    places: dict[int, Any] = dict(db.session.execute(query).all()) if ids else {}
    return [Placed(each, places[each.id] + 1 if each.id in places else None) for each in entries]


def open_on(instrument_id: int) -> Sequence[WaitingEntry]:
    """Return the open entries of an instrument in their order, locked."""
    query = (
        select(WaitingEntry)
        .where(WaitingEntry.instrument_id == instrument_id, _OPEN)
        .options(joinedload(WaitingEntry.instrument).joinedload(Instrument.institution))
        .order_by(WaitingEntry.id)
        .with_for_update(of=WaitingEntry)
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).all()


def open_of_firm(organisation_id: int) -> Sequence[WaitingEntry]:
    """Return a firm's open entries."""
    query = select(WaitingEntry).where(WaitingEntry.organisation_id == organisation_id, _OPEN)
    return db.session.scalars(query, execution_options={"populate_existing": True}).all()


def with_open() -> list[int]:
    """Return the instruments somebody waits for."""
    query = select(WaitingEntry.instrument_id).where(_OPEN).distinct()
    return list(db.session.scalars(query.order_by(WaitingEntry.instrument_id)))


def firms_waiting(instrument_ids: Sequence[int]) -> dict[int, int]:
    """Return how many firms wait for each instrument; those nobody waits for are missing."""
    query = (
        select(WaitingEntry.instrument_id, func.count(WaitingEntry.organisation_id.distinct()))
        .where(WaitingEntry.instrument_id.in_(instrument_ids), _OPEN)
        .group_by(WaitingEntry.instrument_id)
    )
    return dict(db.session.execute(query).all()) if instrument_ids else {}
