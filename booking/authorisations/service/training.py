"""Training sessions: offering them, seats in them, and what their assessment found."""

from collections.abc import Sequence
from datetime import date

from booking.accounts.rules import Caller, Permission, acting_for, require
from booking.authorisations import queries, rules
from booking.authorisations.errors import AlreadySignedUp, SessionFull
from booking.authorisations.models import Authorisation, TrainingSeat, TrainingSession
from booking.authorisations.rules import Result
from booking.authorisations.service.asking import changed
from booking.authorisations.service.granting import give, managed
from booking.authorisations.service.telling import tell_of_session, tell_person
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db, violation_raises
from booking.kernel.errors import InvalidField, NotFound, WrongState
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.registry import queries as registry

HELD = "uq_training_seats_held"


def offer(
    institution_id: int,
    slot: TimeSlot,
    *,
    caller: Caller,
    instrument_ids: Sequence[int],
    location: str,
    seats: int,
    note: str = "",
) -> TrainingSession:
    """Offer a session for some of the institution's instruments.

    Raises NotAllowed or InvalidField.
    """
    require(caller, Permission.RUN_INSTRUMENTS, institution_id)
    if slot.starts_at <= clock.now():
        raise InvalidField("starts_at", N_("请填写将来的时间。"))
    for instrument_id in instrument_ids:
        _check_own(instrument_id, institution_id, caller)
    session = TrainingSession(
        institution_id=institution_id,
        instrument_ids=sorted(set(instrument_ids)),
        slot=slot,
        location=location,
        seats=seats,
        note=note,
        created_by=caller.user_id,
    )
    db.session.add(session)
    db.session.flush()
    _record("training.offered", session, caller, seats=seats)
    return queries.find_session(session.id)


def call_off(
    session_id: int, *, caller: Caller, reason: str, version: int | None = None
) -> TrainingSession:
    """Cancel a session that has not begun; its people are told, their requests wait again.

    Raises InvalidField, NotFound, NotAllowed, Stale or WrongState.
    """
    session = _managed(session_id, caller)
    session.check_version(version)
    if not reason:
        raise InvalidField("reason", N_("请写明原因，报名的人会看到。"))
    if session.cancelled_at is not None or session.starts_at <= clock.now():
        raise WrongState("over" if session.cancelled_at is None else "cancelled", "cancel")
    session.cancelled_at, session.cancel_reason = clock.now(), reason
    session.touch()
    for seat in queries.seats_of(session_id):
        _free(seat)
        tell_of_session(session, seat.user_id, seat.organisation_id, "called_off", reason=reason)
    db.session.flush()
    _record("training.called_off", session, caller, reason=reason)
    return session


def sign_up(session_id: int, *, caller: Caller, organisation_id: int | None = None) -> TrainingSeat:
    """Take a seat for oneself; raises SessionFull, AlreadySignedUp, WrongState or NotFound."""
    firm = acting_for(caller, organisation_id)
    seat = _take_seat(session_id, caller.user_id, firm, caller)
    tell_of_session(seat.session, caller.user_id, firm, "signed_up")
    return seat


def invite(
    authorisation_id: int, session_id: int, *, caller: Caller, version: int | None = None
) -> Authorisation:
    """Answer a request with a seat in a session; raises as `sign_up`, or as `grant`."""
    asked = managed(authorisation_id, caller, version)
    if not asked.is_open:
        raise WrongState(asked.standing, "invite")
    session = _managed(session_id, caller)
    if asked.instrument_id not in session.instrument_ids:
        raise InvalidField("session", N_("这次培训不包括所申请的仪器。"))
    if queries.find_seat(session_id, asked.user_id) is None:
        _take_seat(session_id, asked.user_id, asked.organisation_id, caller)
        asked = queries.get_authorisation(authorisation_id, caller=caller)
    asked.session_id = session_id
    changed("authorisation.invited", asked, caller, session_id=session_id)
    tell_person(
        asked,
        "invited",
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        location=session.location,
        note=session.note,
    )
    return asked


def give_up(session_id: int, *, caller: Caller) -> None:
    """Give one's seat back before the session begins; raises NotFound or WrongState."""
    session = queries.find_session(session_id, for_update=True)
    seat = queries.find_seat(session_id, caller.user_id)
    if seat is None:
        raise NotFound
    if session.starts_at <= clock.now():
        raise WrongState("over", "give-up")
    _free(seat)
    db.session.flush()
    _record("training.given_up", session, caller, user_id=caller.user_id)


def assess(
    session_id: int,
    seat_id: int,
    result: Result,
    *,
    caller: Caller,
    note: str = "",
    valid_until: date | None = None,
) -> TrainingSeat:
    """Say what the assessment found; who passed may operate the session's instruments.

    For a year unless told. Raises InvalidField, NotFound, NotAllowed or WrongState.
    """
    session = _managed(session_id, caller)
    seat = queries.get_seat(session_id, seat_id)
    if session.cancelled_at is not None or session.starts_at > clock.now():
        raise WrongState("coming" if session.cancelled_at is None else "cancelled", "assess")
    if seat.result is not None:
        raise WrongState(seat.result, "assess")
    seat.result, seat.result_note = result, note
    seat.assessed_at, seat.assessed_by = clock.now(), caller.user_id
    seat.touch()
    db.session.flush()
    _record("training.assessed", session, caller, user_id=seat.user_id, result=result, note=note)
    asked = queries.open_requests(seat.user_id, session.instrument_ids)
    if result is Result.PASSED:
        _authorise(session, seat, asked, caller, valid_until)
    else:
        for each in asked:
            each.session_id = None
        tell_of_session(session, seat.user_id, seat.organisation_id, "failed", reason=note)
    return seat


def _authorise(
    session: TrainingSession,
    seat: TrainingSeat,
    asked: Sequence[Authorisation],
    caller: Caller,
    valid_until: date | None,
) -> None:
    first = clock.today()
    last = valid_until or rules.usual_end(first)
    rules.check_period(first, last)
    by_instrument = {each.instrument_id: each for each in asked}
    for instrument_id in session.instrument_ids:
        found = by_instrument.get(instrument_id)
        if found is None:
            found = Authorisation(
                institution_id=session.institution_id,
                user_id=seat.user_id,
                organisation_id=seat.organisation_id,
                instrument_id=instrument_id,
                session_id=session.id,
            )
            db.session.add(found)
            db.session.flush()
        whole = queries.get_authorisation(found.id, caller=caller)
        whole.session_id = session.id
        grounds = f"培训考核 {session.starts_at.astimezone(clock.CHINA):%Y-%m-%d}"
        give(whole, caller, first, last, grounds)


def _take_seat(session_id: int, user_id: int, firm: int, caller: Caller) -> TrainingSeat:
    """Take a seat; whoever locks the session first has the last one."""
    session = queries.find_session(session_id, for_update=True)
    if session.cancelled_at is not None or session.starts_at <= clock.now():
        raise WrongState("over" if session.cancelled_at is None else "cancelled", "sign-up")
    if queries.count_taken(session_id) >= session.seats:
        raise SessionFull
    seat = TrainingSeat(session=session, user_id=user_id, organisation_id=firm)
    with violation_raises(HELD, AlreadySignedUp()):
        db.session.add(seat)
    for each in queries.open_requests(user_id, session.instrument_ids):
        each.session_id = session.id
        each.touch()
    _record("training.signed_up", session, caller, user_id=user_id)
    return seat


def _free(seat: TrainingSeat) -> None:
    seat.given_up_at = clock.now()
    seat.touch()
    session = queries.find_session(seat.session_id)
    for each in queries.open_requests(seat.user_id, session.instrument_ids):
        if each.session_id == seat.session_id:
            each.session_id = None
            each.touch()


def _managed(session_id: int, caller: Caller) -> TrainingSession:
    session = queries.find_session(session_id, for_update=True)
    require(caller, Permission.RUN_INSTRUMENTS, session.institution_id)
    return session


def _check_own(instrument_id: int, institution_id: int, caller: Caller) -> None:
    try:
        found = registry.get_instrument(instrument_id, caller=caller)
    except NotFound:
        found = None
    if found is None or found.institution_id != institution_id:
        raise InvalidField("instrument_ids", N_("请选择本机构的仪器。"))


def _record(entry: str, session: TrainingSession, caller: Caller, **data: object) -> None:
    journal.record(
        entry,
        "training_session",
        session.id,
        by=caller.user_id,
        organisation_id=session.institution_id,
        **data,
    )
