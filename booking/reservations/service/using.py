"""The day itself: beginning and ending a use, and who did not come."""

from datetime import date, datetime, timedelta

from booking.accounts.rules import Caller, Permission, require
from booking.authorisations.errors import NotAuthorised
from booking.availability import service as availability
from booking.availability.errors import SlotTaken
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, WrongState
from booking.kernel.text import N_
from booking.notices.rules import Kind
from booking.reservations import queries, rules
from booking.reservations.errors import OutsideItsTime, StillInUse
from booking.reservations.models import Reservation, ReservationStatus, Use
from booking.reservations.service import fees, prepaying
from booking.reservations.service.approving import broken_since
from booking.reservations.service.booking import INSTRUMENT
from booking.reservations.service.changing import changeable
from booking.reservations.service.keeping import facts, record
from booking.reservations.service.telling import tell

BATCH = 100


def check_in(
    reservation_id: int, *, caller: Caller, at: datetime | None = None, version: int | None = None
) -> Reservation:
    """Begin the use, now or at an earlier moment; up to a quarter of an hour before the slot.

    Who begins early takes the time from then on, if nobody has it. Raises OutsideItsTime,
    StillInUse, WrongState, or as `changeable`.
    """
    availability.queue_for(reservation_id, instrument=INSTRUMENT)
    reservation = changeable(reservation_id, caller, version)
    if reservation.status is not ReservationStatus.CONFIRMED:
        raise WrongState(reservation.status, "check-in")
    started_at = _moment(reservation, caller, at)
    rules.check_start(reservation.slot, started_at, reservation.instrument.zone)
    if queries.in_use_now(reservation) is not None:
        raise StillInUse
    _check_authorised(reservation, caller)
    assert reservation.occupancy_id is not None  # noqa: S101 - the table's CHECK says so
    try:
        availability.begin_earlier(reservation.occupancy_id, started_at)
    except SlotTaken:
        raise StillInUse from None
    reservation.use = Use(
        reservation_id=reservation.id,
        started_at=started_at,
        started_by=caller.user_id,
        currency=reservation.currency,
    )
    _become(reservation, ReservationStatus.IN_USE, "check-in", "reservation.checked_in", caller)
    return reservation


def check_out(
    reservation_id: int, *, caller: Caller, at: datetime | None = None, version: int | None = None
) -> Reservation:
    """End the use, now or at an earlier moment, and give back the time that is left.

    Raises OutsideItsTime if it had not begun by then, WrongState, or as `changeable`.
    """
    reservation = changeable(reservation_id, caller, version)
    use = reservation.use
    if reservation.status is not ReservationStatus.IN_USE or use is None:
        raise WrongState(reservation.status, "check-out")
    ended_at = _moment(reservation, caller, at)
    if ended_at <= use.started_at:
        raise OutsideItsTime(rules.ENDS_BEFORE)
    use.ended_at, use.ended_by = ended_at, caller.user_id
    _give_back(reservation, ended_at)
    _become(
        reservation, ReservationStatus.COMPLETED, "check-out", "reservation.checked_out", caller
    )
    return reservation


def record_use(
    reservation_id: int,
    *,
    caller: Caller,
    started_at: datetime | None,
    ended_at: datetime,
    version: int | None = None,
) -> Reservation:
    """Record begin and end afterwards, from the log of who runs the instrument.

    `started_at` is needed, and counts, only if the use was not begun here. Raises InvalidField,
    or as `check_in` and `check_out`.
    """
    availability.queue_for(reservation_id, instrument=INSTRUMENT)
    reservation = changeable(reservation_id, caller, version)
    require(caller, Permission.RUN_INSTRUMENTS, reservation.instrument.institution_id)
    if reservation.status is ReservationStatus.CONFIRMED:
        if started_at is None:
            raise InvalidField("started_at", N_("请填写开始时间。"))
        check_in(reservation_id, caller=caller, at=started_at)
    return check_out(reservation_id, caller=caller, at=ended_at)


def no_show(
    reservation_id: int, *, caller: Caller, note: str = "", version: int | None = None
) -> Reservation:
    """Record that nobody came, half an hour after the start at the earliest; frees the rest.

    The fee that was agreed for it is due.

    Only who runs the instrument may. Raises OutsideItsTime, WrongState, or as `changeable`.
    """
    reservation = changeable(reservation_id, caller, version)
    require(caller, Permission.RUN_INSTRUMENTS, reservation.instrument.institution_id)
    if reservation.status is not ReservationStatus.CONFIRMED:
        raise WrongState(reservation.status, "no-show")
    rules.check_unclaimed(reservation.slot, clock.now(), reservation.instrument.zone)
    _miss(reservation, caller, note)
    return reservation


def release_unclaimed() -> int:
    """Give back what nobody claimed in the time its owner set; returns how many.

    Who begins just now has it: what is locked is left for the next run, and is in use by then.
    """
    due = queries.unclaimed(clock.now(), limit=BATCH)
    prepaying.lock(due)
    for reservation in due:
        _miss(reservation, None, "")
    return len(due)


def _miss(reservation: Reservation, caller: Caller | None, note: str) -> None:
    prepaying.give_back(reservation, caller)
    _give_back(reservation, clock.now())
    fee = fees.if_nobody_comes(reservation)
    reservation.fee_minor = fee.minor if fee else 0
    _become(
        reservation, ReservationStatus.NO_SHOW, "no-show", "reservation.no_show", caller, note=note
    )
    told = {"note": note, "fee_minor": reservation.fee_minor, "by_itself": caller is None}
    tell(Kind.NO_SHOW, reservation, owner=reservation.instrument.institution_id, **told)


def _check_authorised(reservation: Reservation, caller: Caller) -> None:
    """Raise NotAuthorised for who lost their authorisation since they reserved.

    The owner's people, who stand beside it, may let them begin.
    """
    if caller.may(Permission.RUN_INSTRUMENTS, reservation.instrument.institution_id):
        return
    if "authorisation" in {each.rule for each in broken_since(reservation)}:
        raise NotAuthorised


def _moment(reservation: Reservation, caller: Caller, at: datetime | None) -> datetime:
    owner = reservation.instrument.institution_id
    works_there = caller.may(Permission.RUN_INSTRUMENTS, owner)
    return rules.moment(at, now=clock.now(), works_there=works_there)


def _give_back(reservation: Reservation, ended_at: datetime) -> None:
    """Free what is left after the use and the owner's time for cleaning up."""
    if reservation.occupancy_id is not None:
        cleaned = timedelta(minutes=reservation.buffer_after_minutes)
        availability.end_earlier(reservation.occupancy_id, ended_at + cleaned)


def _become(
    reservation: Reservation,
    status: ReservationStatus,
    action: str,
    entry: str,
    caller: Caller | None,
    **data: object,
) -> None:
    old = facts(reservation)
    reservation.become(status, action=action)
    db.session.flush()
    record(
        entry, reservation, caller, old=old, new=facts(reservation) | of_use(reservation), **data
    )


def of_use(reservation: Reservation) -> dict[str, object]:
    """Return what the journal keeps of a use."""
    if reservation.use is None:
        return {}
    return {name: _plain(getattr(reservation.use, name)) for name in _KEPT}


_KEPT = (
    "started_at",
    "ended_at",
    "minutes",
    "samples",
    "list_minor",
    "price_minor",
    "baseline_minor",
    "objection_until",
    "settlement",
    "settled_on",
    "reference",
)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
