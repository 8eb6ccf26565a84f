"""After the use: what is confirmed, what the firm says to it, and what finance recorded."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from booking.accounts.rules import MARKET_ENTITIES, Caller, Permission, require
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotAllowed, WrongState
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.notices.rules import Kind
from booking.reference import queries as reference
from booking.relations import queries as relations
from booking.reservations import queries, rules
from booking.reservations.errors import Disputed
from booking.reservations.models import Reservation, ReservationStatus, Settlement, Use
from booking.reservations.rules import PassedOn
from booking.reservations.service import prepaying
from booking.reservations.service.evidence import group_of, settled_line
from booking.reservations.service.keeping import facts, record
from booking.reservations.service.telling import tell
from booking.reservations.service.using import of_use
from booking.savings import service as savings
from booking.savings.rules import NotCounted, out_of_scope
from booking.tariffs import queries as tariff_queries
from booking.tariffs import rules as tariffs


def confirm_usage(
    reservation_id: int,
    *,
    caller: Caller,
    minutes: int | None = None,
    samples: int | None = None,
    is_statutory: bool | None = None,
    passed_on: Sequence[PassedOn] | None = None,
    note: str = "",
    version: int | None = None,
) -> Reservation:
    """Confirm how long it was used and so what is due; again, to answer an objection.

    Without `minutes` the time used, rounded up to the grid, counts, and all samples; anything
    else needs a note, as does what is passed on at cost, and another word than the firm's on
    whether the law demanded the test. What is not given stays as it was.
    Raises InvalidField, WrongState, NotFound, NotAllowed or Stale.
    """
    reservation = _locked(reservation_id, caller, version)
    require(caller, Permission.RUN_INSTRUMENTS, reservation.instrument.institution_id)
    use, answers = _to_confirm(reservation)
    suggested = suggested_minutes(reservation)
    counted = minutes if minutes is not None else suggested or 0
    done = reservation.samples if samples is None else samples
    is_as_expected = (
        counted == suggested
        and done == reservation.samples
        and not passed_on
        and is_statutory in {None, reservation.is_statutory}
    )
    _check_counted(counted, done, note, needs_note=answers or not is_as_expected)
    old = facts(reservation) | of_use(reservation)
    prepaying.lock([reservation])
    if is_statutory is not None:
        reservation.is_statutory = is_statutory
    if passed_on is not None:
        _pass_on(use, passed_on)
    _price(reservation, use, counted, done)
    use.note, use.confirmed_at, use.confirmed_by = note, clock.now(), caller.user_id
    use.objected_at, use.objection_until = None, _objection_until()
    if answers:
        reservation.touch()
    else:
        reservation.become(ReservationStatus.USAGE_CONFIRMED, action="confirm-usage")
    db.session.flush()
    prepaying.use(reservation, caller)
    entry = "reservation.usage_corrected" if answers else "reservation.usage_confirmed"
    record(entry, reservation, caller, old=old, new=_kept(reservation), note=note)
    _tell(Kind.USAGE, reservation, answers=answers)
    return reservation


def _pass_on(use: Use, passed_on: Sequence[PassedOn]) -> None:
    rules.check_passed_on(passed_on)
    use.passed_on = [each.plain() for each in passed_on]
    use.passed_on_minor = sum(each.minor for each in passed_on)


def _to_confirm(reservation: Reservation) -> tuple[Use, bool]:
    """Return the use that is to be confirmed, and whether that answers an objection."""
    use = reservation.use
    answers = reservation.status is ReservationStatus.USAGE_CONFIRMED
    if use is None or use.ended_at is None or (answers and not use.is_disputed):
        raise WrongState(reservation.status, "confirm-usage")
    if not answers and reservation.status is not ReservationStatus.COMPLETED:
        raise WrongState(reservation.status, "confirm-usage")
    return use, answers


def suggested_minutes(reservation: Reservation) -> int | None:
    """Return the minutes used, rounded up to the grid; None while the use has not ended."""
    use = reservation.use
    if use is None or use.ended_at is None:
        return None
    grid = queries.grid_of(reservation.instrument_id)
    return rules.billed_minutes(use.started_at, use.ended_at, grid_minutes=grid)


def due_for(
    reservation: Reservation, minutes: int, samples: int | None = None
) -> tariffs.Quote | None:
    """Return what so many minutes and samples cost by the price that was agreed on.

    What was to be paid with hours bought beforehand is, as far as these reach. Hours with
    a price of their own are those of the real use.
    """
    price_id, use = reservation.price_id, reservation.use
    facts_ = tariff_queries.get_price(price_id).facts if price_id is not None else None
    if facts_ is not None:
        facts_ = replace(facts_, group=group_of(reservation))
    begins = use.started_at if use else reservation.starts_at
    slot = TimeSlot(begins, begins + timedelta(minutes=max(minutes, 1)))
    has_windows = facts_ is not None and facts_.terms.windows
    wall = tariff_queries.wall_of(reservation.instrument, slot) if has_windows else tariffs.CHINA
    done = reservation.samples if samples is None else samples
    quoted = tariffs.quote(
        facts_,
        tariffs.Usage(begins, minutes, done, reservation.is_assisted),
        customer_class=reservation.customer_class,
        now=reservation.created_at,
        wall=wall,
    )
    hours = prepaying.of(reservation) if quoted else None
    if hours is None or quoted is None:
        return quoted
    return tariffs.with_hours(
        quoted, tariffs.Hours(hours.id, hours.per_hour, hours.left_minutes), wall
    )


def agree(reservation_id: int, *, caller: Caller, version: int | None = None) -> Reservation:
    """Say as the firm that what was confirmed is right; it can be settled at once."""
    reservation, use = _answering(reservation_id, caller, version, "agree")
    use.agreed_at = clock.now()
    _done(reservation, caller, "reservation.usage_agreed")
    return reservation


def object_to(
    reservation_id: int, *, caller: Caller, reason: str, version: int | None = None
) -> Reservation:
    """Object as the firm to what was confirmed, while there is time; the operator answers."""
    reservation, use = _answering(reservation_id, caller, version, "object")
    if not reason:
        raise InvalidField("reason", N_("请写明哪里不对。"))
    if use.objection_until is not None and clock.now() > use.objection_until:
        raise Disputed(N_("提出异议的期限已过，请联系机构。"))
    use.objected_at, use.objection = clock.now(), reason
    _done(reservation, caller, "reservation.usage_objected", reason=reason)
    _tell(Kind.OBJECTION, reservation, reason=reason)
    return reservation


def settle(
    reservation_id: int,
    *,
    caller: Caller,
    settlement: Settlement,
    settled_on: date,
    reference: str = "",
    version: int | None = None,
) -> Reservation:
    """Record as the institution's finance how it was paid, and write what it saved.

    Once the firm agreed or its time to object is over. Raises Disputed, InvalidField, WrongState,
    NotFound, NotAllowed or Stale.
    """
    reservation = _locked(reservation_id, caller, version)
    require(caller, Permission.KEEP_BOOKS, reservation.instrument.institution_id)
    use = reservation.use
    if reservation.status is not ReservationStatus.USAGE_CONFIRMED or use is None:
        raise WrongState(reservation.status, "settle")
    _check_undisputed(use)
    reference = reference or prepaying.reference(reservation)
    _check_settlement(reservation, use, settlement, settled_on, reference)
    old = _kept(reservation)
    relations.hold_still()
    # Once left out it stays so; what was declared since is added.
    _leave_out(use, use.not_counted or _outside(reservation, use))
    use.settlement, use.settled_on, use.reference = settlement, settled_on, reference
    use.settled_at, use.settled_by = clock.now(), caller.user_id
    reservation.become(ReservationStatus.SETTLED, action="settle")
    db.session.flush()
    record("reservation.settled", reservation, caller, old=old, new=_kept(reservation))
    savings.write_line(settled_line(reservation, use), by=caller.user_id)
    _tell(Kind.SETTLED, reservation, settlement=settlement.value)
    return reservation


def _check_counted(minutes: int, samples: int, note: str, *, needs_note: bool) -> None:
    if not 0 <= minutes <= rules.MOST_MINUTES:
        raise InvalidField("minutes", N_("请填写 0 到 %(most)s 分钟。", most=rules.MOST_MINUTES))
    if not 0 <= samples <= rules.MOST_SAMPLES:
        raise InvalidField("samples", N_("请填写 0 到 %(most)s 个样品。", most=rules.MOST_SAMPLES))
    if not note and needs_note:
        raise InvalidField("note", N_("与实际使用时间不同，或答复异议时，请写明原因。"))


def _price(reservation: Reservation, use: Use, minutes: int, samples: int) -> None:
    """Work out what is due by the frozen price; compared only if it was when it was agreed."""
    outside = _outside(reservation, use)  # asked before anything is half written
    quoted = due_for(reservation, minutes, samples)
    if quoted is None:
        msg = f"reservation {reservation.id} was agreed without a price"
        raise AssertionError(msg)
    use.minutes, use.samples = minutes, samples
    use.lines = [line.plain() for line in quoted.lines]
    use.list_minor, use.price_minor = quoted.list_price.minor, quoted.price.minor
    use.baseline_minor = use.list_minor if reservation.baseline_rank is not None else None
    _leave_out(use, outside)


def _leave_out(use: Use, outside: NotCounted | None) -> None:
    """Say why the use saves nothing whatever its price, if so."""
    use.not_counted = outside
    if outside is not None:
        use.baseline_minor = None


def _outside(reservation: Reservation, use: Use) -> NotCounted | None:
    firm, owner = reservation.organisation, reservation.instrument.institution_id
    used_on = use.started_at.astimezone(clock.CHINA).date()
    return out_of_scope(
        reservation.customer_class,
        is_market_entity=firm.kind in MARKET_ENTITIES,
        is_statutory=reservation.is_statutory,
        is_related=relations.are_related(firm.id, owner, used_on),
    )


def _objection_until() -> datetime:
    """Return the end of the last working day on which the firm may object."""
    last = reference.add_working_days(clock.today(), rules.OBJECTION_DAYS)
    return datetime.combine(last + timedelta(days=1), time(0), clock.CHINA)


def _answering(
    reservation_id: int, caller: Caller, version: int | None, action: str
) -> tuple[Reservation, Use]:
    reservation = _locked(reservation_id, caller, version)
    customer = reservation.organisation_id
    is_maker = reservation.user_id == caller.user_id and caller.may(Permission.RESERVE, customer)
    if not (is_maker or caller.may(Permission.CHANGE_CUSTOMER_SIDE, customer)):
        raise NotAllowed
    use = reservation.use
    if reservation.status is not ReservationStatus.USAGE_CONFIRMED or use is None:
        raise WrongState(reservation.status, action)
    if use.is_disputed or use.agreed_at is not None:
        raise WrongState("objected" if use.is_disputed else "agreed", action)
    return reservation, use


def _check_undisputed(use: Use) -> None:
    if use.is_disputed:
        raise Disputed
    if not use.is_accepted and use.objection_until is not None:
        raise Disputed(
            N_(
                "企业在 %(until)s 前可以提出异议；企业核对无误或到期后才能结算。",
                until=rules.wall_clock(use.objection_until, clock.CHINA),
            )
        )


def _check_settlement(
    reservation: Reservation, use: Use, settlement: Settlement, settled_on: date, reference: str
) -> None:
    is_free = use.due is not None and use.due.minor == 0
    if settlement not in settlements(reservation):
        reason = N_("这笔没有应付金额。") if is_free else N_("这笔有应付金额，请选择已付或挂账。")
        if prepaying.is_whole(reservation):
            reason = N_("这笔已由预付机时支付，请选择预付机时。")
        raise InvalidField("settlement", reason)
    if settled_on > clock.today():
        raise InvalidField("settled_on", N_("不能填写将来的日期。"))
    if use.ended_at and settled_on < use.ended_at.astimezone(clock.CHINA).date() - _PREPAID:
        raise InvalidField("settled_on", N_("日期太早，请核对。"))
    if not reference and not is_free:
        raise InvalidField("reference", N_("请填写回单号、发票号或挂账协议编号。"))


_PREPAID = timedelta(days=366)


def settlements(reservation: Reservation) -> tuple[Settlement, ...]:
    """Return how a confirmed use can be settled."""
    due = reservation.use.due if reservation.use else None
    if due is not None and due.minor == 0:
        return (Settlement.NOTHING_DUE,)
    if prepaying.is_whole(reservation):
        return (Settlement.PREPAID,)
    return (Settlement.PAID, Settlement.ON_ACCOUNT)


def _locked(reservation_id: int, caller: Caller, version: int | None) -> Reservation:
    reservation = queries.get_reservation(reservation_id, caller=caller, for_update=True)
    reservation.check_version(version)
    if reservation.use is not None:
        # Who waited for the lock has it as it was before that.
        db.session.refresh(reservation.use)
    return reservation


def _kept(reservation: Reservation) -> dict[str, object]:
    return facts(reservation) | of_use(reservation)


def _done(reservation: Reservation, caller: Caller, entry: str, **data: object) -> None:
    reservation.touch()
    db.session.flush()
    record(entry, reservation, caller, new=_kept(reservation), **data)


def _tell(kind: Kind, reservation: Reservation, **more: object) -> None:
    use = reservation.use
    assert use is not None  # noqa: S101 - only told of a use
    covered = reservation.prepaid_now
    due = {
        "due_minor": use.due.minor if use.due else 0,
        "prepaid_minor": covered.amount.minor if covered else 0,
        "used_minutes": use.minutes,
        "objection_until": use.objection_until,
        "note": use.note,
    }
    tell(kind, reservation, owner=reservation.instrument.institution_id, **due, **more)
