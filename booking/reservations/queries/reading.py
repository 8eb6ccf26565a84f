"""Reservations and closures as far as a caller may see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, false, literal, or_, select, tuple_
from sqlalchemy.orm import contains_eager, joinedload

from booking.accounts.rules import Caller, Permission, Scope
from booking.availability.models import Closure, Occupancy, OccupancyKind, Schedule
from booking.kernel import paging
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument
from booking.reservations.models import FeeSettlement, Reservation, ReservationStatus, Use

LAST_SECOND = 4_102_444_800  # the end of 2099
_READS = frozenset({Scope.READ, Scope.RESERVATIONS})
_WITH_NAMES = (
    joinedload(Reservation.instrument).joinedload(Instrument.institution),
    joinedload(Reservation.organisation),
)
WHOLE = (
    *_WITH_NAMES,
    joinedload(Reservation.use),
    joinedload(Reservation.fee_settlement),
)


def visible_to(caller: Caller) -> Select[Reservation]:
    """Return the reservations the caller may see, on either side of the counter.

    Their own; all of an organisation they manage or keep the books for; all on instruments of
    an institution they work the day for.
    """
    customer_of = caller.organisations_with(Permission.SEE_CUSTOMER_SIDE)
    customer_of |= caller.organisations_with(Permission.CHANGE_CUSTOMER_SIDE)
    may_see: list[ColumnElement[bool]] = []
    if caller.scopes & _READS:
        may_see.append(
            (Reservation.user_id == caller.user_id)
            & Reservation.organisation_id.in_(caller.organisations)
        )
    if customer_of:
        may_see.append(Reservation.organisation_id.in_(customer_of))
    if owner_of := _owner_of(caller):
        owned = select(Instrument.id).where(Instrument.institution_id.in_(owner_of))
        may_see.append(Reservation.instrument_id.in_(owned))
    return select(Reservation).where(or_(false(), *may_see))


def _owner_of(caller: Caller) -> frozenset[int]:
    return caller.organisations_with(Permission.SEE_OWNER_SIDE) | caller.organisations_with(
        Permission.RUN_INSTRUMENTS
    )


def get_reservation(
    reservation_id: int, *, caller: Caller, for_update: bool = False
) -> Reservation:
    """Return the reservation with its instrument, or raise NotFound.

    With `for_update` the row is locked: two moves of one reservation go one after the other.
    """
    query = visible_to(caller).where(Reservation.id == reservation_id).options(*WHOLE)
    if for_update:
        query = query.with_for_update(of=Reservation).execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def find_fee_settlement(reservation_id: int) -> FeeSettlement | None:
    """Return what became of a fee as it stands now, or None."""
    return db.session.get(FeeSettlement, reservation_id, populate_existing=True)


def list_reservations(
    *,
    caller: Caller,
    limit: int,
    cursor: str | None,
    status: ReservationStatus | None = None,
    instrument_id: int | None = None,
    window: tuple[datetime | None, datetime | None] = (None, None),
) -> paging.Page[Reservation]:
    """Return a page of the caller's reservations that meet the window, latest made first."""
    query = visible_to(caller).options(*WHOLE)
    starts_at, ends_at = window
    if status is not None:
        query = query.where(Reservation.status == status)
    if instrument_id is not None:
        query = query.where(Reservation.instrument_id == instrument_id)
    if starts_at is not None:
        query = query.where(Reservation.ends_at > starts_at)
    if ends_at is not None:
        query = query.where(Reservation.starts_at < ends_at)
    if cursor is not None:
        query = query.where(Reservation.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(Reservation.id.desc()).limit(limit + 1)).all()
    return _page(rows, limit)


def list_coming(
    *, caller: Caller, now: datetime, limit: int, cursor: str | None
) -> paging.Page[Reservation]:
    """Return a page of the caller's reservations that are not over, soonest first."""
    key = (Reservation.starts_at, Reservation.id)
    query = visible_to(caller).options(*WHOLE).where(Reservation.ends_at > now)
    if cursor is not None:
        second, id_ = paging.decode(cursor, int, int)
        # Kept within what a time can be: a forged cursor finds nothing.
        after = datetime.fromtimestamp(min(max(second, 0), LAST_SECOND), UTC)
        query = query.where(tuple_(*key) > tuple_(literal(after), literal(id_)))
    rows = db.session.scalars(query.order_by(*key).limit(limit + 1)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return paging.Page(
        items=rows[:limit],
        next_cursor=paging.encode(int(last.starts_at.timestamp()), last.id) if last else None,
    )


def last_purpose(caller: Caller) -> str:
    """Return what the caller wrote into their latest reservation that had a purpose."""
    latest = (
        select(Reservation.purpose)
        .where(Reservation.user_id == caller.user_id, Reservation.purpose != "")
        .order_by(Reservation.id.desc())
        .limit(1)
    )
    return db.session.scalar(latest) or ""


def in_use_now(reservation: Reservation) -> Reservation | None:
    """Return another reservation whose use has not ended on the same unit, or None."""
    return db.session.scalar(
        select(Reservation)
        .where(
            Reservation.instrument_id == reservation.instrument_id,
            Reservation.unit == reservation.unit,
            Reservation.status == ReservationStatus.IN_USE,
            Reservation.id != reservation.id,
        )
        .limit(1)
    )


def usable_now(instrument_id: int, *, caller: Caller, now: datetime) -> Sequence[Reservation]:
    """Return the caller's reservations there that are in use or may begin or begin next."""
    query = visible_to(caller).where(
        Reservation.instrument_id == instrument_id,
        Reservation.status.in_((ReservationStatus.CONFIRMED, ReservationStatus.IN_USE)),
        Reservation.organisation_id.in_(caller.organisations)
        | (Reservation.user_id == caller.user_id),
        or_(Reservation.ends_at > now, Reservation.status == ReservationStatus.IN_USE),
    )
    is_on = Reservation.status == ReservationStatus.IN_USE
    query = query.options(*WHOLE).order_by(is_on.desc(), Reservation.starts_at, Reservation.id)
    return db.session.scalars(query.limit(3)).all()


def held_within(instrument_id: int, window: TimeSlot, *, caller: Caller) -> list[TimeSlot]:
    """Return the slots on the instrument that the caller has reserved and that meet the window."""
    query = select(Reservation).where(
        Reservation.instrument_id == instrument_id,
        Reservation.user_id == caller.user_id,
        Reservation.organisation_id.in_(caller.organisations),
        Reservation.occupancy_id.is_not(None),
        Reservation.starts_at < window.ends_at,
        Reservation.ends_at > window.starts_at,
    )
    return [held.slot for held in db.session.scalars(query.order_by(Reservation.starts_at))]


def _page(rows: Sequence[Any], limit: int) -> paging.Page[Any]:
    more = len(rows) > limit
    return paging.Page(
        items=rows[:limit], next_cursor=paging.encode(rows[limit - 1].id) if more else None
    )


@dataclass(frozen=True)
class InTheWay:
    """What already holds time a closure would take: promises, and other closures."""

    reservations: Sequence[Reservation]
    closures: Sequence[Closure]


def in_the_way(instrument_id: int, slot: TimeSlot, *, unit: int | None) -> InTheWay:
    """Return what meets the slot on the unit (None: on any); the reservations are locked."""
    meets = [
        Occupancy.instrument_id == instrument_id,
        Occupancy.starts_at < slot.ends_at,
        Occupancy.ends_at > slot.starts_at,
    ]
    if unit is not None:
        meets.append(Occupancy.unit == unit)
    promises = (
        select(Reservation)
        .join(Occupancy, Occupancy.id == Reservation.occupancy_id)
        .where(*meets)
        .order_by(Reservation.id)
        .options(*_WITH_NAMES)
        .with_for_update(of=Reservation)
        .execution_options(populate_existing=True)
    )
    closed = (
        select(Closure)
        .where(
            Closure.id.in_(
                select(Occupancy.closure_id).where(
                    *meets, Occupancy.kind != OccupancyKind.RESERVATION
                )
            )
        )
        .order_by(Closure.id)
    )
    return InTheWay(db.session.scalars(promises).all(), db.session.scalars(closed).all())


def closures_visible_to(caller: Caller) -> Select[Closure]:
    """Return the closures of the institutions the caller works the day for."""
    owned = select(Instrument.id).where(Instrument.institution_id.in_(_owner_of(caller)))
    return select(Closure).where(Closure.instrument_id.in_(owned))


def get_closure(closure_id: int, *, caller: Caller, for_update: bool = False) -> Closure:
    """Return the closure, or raise NotFound; `for_update` locks it."""
    query = closures_visible_to(caller).where(Closure.id == closure_id)
    if for_update:
        query = query.with_for_update(of=Closure).execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def list_closures(
    instrument_id: int, *, caller: Caller, limit: int, cursor: str | None
) -> paging.Page[Closure]:
    """Return a page of an instrument's closures, latest made first."""
    query = closures_visible_to(caller).where(Closure.instrument_id == instrument_id)
    if cursor is not None:
        query = query.where(Closure.id < paging.decode(cursor, int)[0])
    rows = db.session.scalars(query.order_by(Closure.id.desc()).limit(limit + 1)).all()
    return _page(rows, limit)


def coming_closures(
    instrument_id: int, *, caller: Caller, now: datetime, limit: int
) -> Sequence[Closure]:
    """Return an instrument's closures that are not over, soonest first."""
    query = closures_visible_to(caller).where(
        Closure.instrument_id == instrument_id, Closure.ends_at > now, Closure.lifted_at.is_(None)
    )
    return db.session.scalars(query.order_by(Closure.starts_at, Closure.id).limit(limit)).all()


def free_to_change_until(reservation: Reservation) -> datetime | None:
    """Return until when the customer may move or cancel it; None if it never could be."""
    minutes = db.session.scalar(
        select(Schedule.change_until_minutes).where(
            Schedule.instrument_id == reservation.instrument_id
        )
    )
    return None if minutes is None else reservation.starts_at - timedelta(minutes=minutes)


def grid_of(instrument_id: int) -> int:
    """Return the minutes to which times on the instrument are rounded."""
    grid = select(Schedule.grid_minutes).where(Schedule.instrument_id == instrument_id)
    return db.session.scalar(grid) or 1


def settled_before(instant: datetime, *, limit: int) -> Sequence[Reservation]:
    """Return what was settled before the instant and is not closed, locked, oldest first."""
    query = (
        select(Reservation)
        .join(Reservation.use)
        .options(contains_eager(Reservation.use))
        .where(Reservation.status == ReservationStatus.SETTLED, Use.settled_at < instant)
        .order_by(Use.settled_at, Reservation.id)
        .limit(limit)
        .with_for_update(of=Reservation, skip_locked=True)
    )
    return db.session.scalars(query).all()
