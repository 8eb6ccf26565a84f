"""Balances as far as a caller may see them, and as a booking takes from them."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import joinedload

from booking.accounts.rules import Caller, Permission
from booking.kernel import paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.packages.models import PrepaidBalance, PrepaidEntry
from booking.packages.rules import REMIND_DAYS
from booking.registry.models import Instrument

_WITH_NAMES = (
    joinedload(PrepaidBalance.package),
    joinedload(PrepaidBalance.institution),
    joinedload(PrepaidBalance.organisation),
)


def visible_to(caller: Caller) -> ColumnElement[bool]:
    """Return the condition for what the caller may see: their firm's, their institution's."""
    return or_(
        PrepaidBalance.organisation_id.in_(caller.organisations_with(Permission.RESERVE)),
        PrepaidBalance.organisation_id.in_(caller.organisations_with(Permission.SEE_CUSTOMER_SIDE)),
        PrepaidBalance.institution_id.in_(caller.organisations_with(Permission.SEE_OWNER_SIDE)),
    )


def get_balance(balance_id: int, *, caller: Caller, for_update: bool = False) -> PrepaidBalance:
    """Return a balance the caller may see, with names; raises NotFound."""
    query = _with_names().where(PrepaidBalance.id == balance_id, visible_to(caller))
    if for_update:
        query = query.with_for_update(of=PrepaidBalance).execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def list_balances(
    *,
    caller: Caller,
    limit: int,
    cursor: str | None,
    institution_id: int | None = None,
    organisation_id: int | None = None,
) -> paging.Page[PrepaidBalance]:
    """Return a page of what the caller may see, latest bought first."""
    query = _with_names().where(visible_to(caller))
    if institution_id is not None:
        query = query.where(PrepaidBalance.institution_id == institution_id)
    if organisation_id is not None:
        query = query.where(PrepaidBalance.organisation_id == organisation_id)
    if cursor is not None:
        query = query.where(PrepaidBalance.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(PrepaidBalance.id.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )


def own_balances(caller: Caller) -> Sequence[PrepaidBalance]:
    """Return what the caller's firms bought; what ends first comes first."""
    own = caller.organisations_with(Permission.RESERVE) | caller.organisations_with(
        Permission.SEE_CUSTOMER_SIDE
    )
    query = _with_names().where(PrepaidBalance.organisation_id.in_(own))
    return db.session.scalars(
        query.order_by(PrepaidBalance.valid_until.desc(), PrepaidBalance.id.desc())
    ).all()


def sold_by(institution_id: int, *, limit: int) -> Sequence[PrepaidBalance]:
    """Return what an institution sold, latest first; the caller was asked for."""
    query = _with_names().where(PrepaidBalance.institution_id == institution_id)
    return db.session.scalars(query.order_by(PrepaidBalance.id.desc()).limit(limit)).all()


def entries_of(balance_id: int) -> Sequence[PrepaidEntry]:
    """Return all entries of a balance, latest first."""
    return db.session.scalars(
        select(PrepaidEntry)
        .where(PrepaidEntry.balance_id == balance_id)
        .order_by(PrepaidEntry.id.desc())
    ).all()


def usable(organisation_id: int, instrument: Instrument, *, on: date) -> Sequence[PrepaidBalance]:
    """Return the balances a firm can book an instrument with on a day; what ends first first."""
    found = db.session.scalars(
        select(PrepaidBalance)
        .options(joinedload(PrepaidBalance.package))
        .where(
            PrepaidBalance.organisation_id == organisation_id,
            PrepaidBalance.institution_id == instrument.institution_id,
            PrepaidBalance.left_minutes > 0,
            PrepaidBalance.valid_until >= on,
        )
        .order_by(PrepaidBalance.valid_until, PrepaidBalance.id)
    )
    return [
        each for each in found if each.package.reach.covers(instrument.id, instrument.category_code)
    ]


def lock(balance_id: int, *, waits: bool = True) -> PrepaidBalance | None:
    """Return a balance with its package as it stands, locked if it `waits` for others to end."""
    query = (
        select(PrepaidBalance)
        .options(joinedload(PrepaidBalance.package))
        .where(PrepaidBalance.id == balance_id)
        .execution_options(populate_existing=True)
    )
    if waits:
        query = query.with_for_update(of=PrepaidBalance)
    return db.session.scalar(query)


def lock_each(ids: Iterable[int]) -> None:
    """Lock several balances, in the order of their ids, so that nobody waits crosswise."""
    for each in sorted(set(ids)):
        lock(each)


def taken_for(balance_id: int, reservation_id: int) -> int:
    """Return the minutes of a balance that are held or used for a reservation."""
    total = db.session.scalar(
        select(func.sum(PrepaidEntry.minutes)).where(
            PrepaidEntry.balance_id == balance_id, PrepaidEntry.reservation_id == reservation_id
        )
    )
    return -int(total or 0)


def ending(today: date, *, within: int = REMIND_DAYS[0]) -> Sequence[PrepaidBalance]:
    """Return what has hours left and ends within so many days, or has ended."""
    query = _with_names().where(
        PrepaidBalance.left_minutes > 0,
        PrepaidBalance.valid_until <= today + timedelta(days=within),
    )
    return db.session.scalars(query.order_by(PrepaidBalance.id)).all()


def _with_names() -> Select[PrepaidBalance]:
    return select(PrepaidBalance).options(*_WITH_NAMES)
