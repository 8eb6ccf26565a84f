"""Beginning and ending a use, and no-shows, on a real database."""

from datetime import timedelta

import pytest

from booking.accounts.rules import Role
from booking.availability import queries as calendars
from booking.availability.models import Occupancy
from booking.journal import queries as journal
from booking.kernel.errors import NotAllowed, NotFound, Stale, WrongState
from booking.notices.models import Notice
from booking.notices.rules import Kind
from booking.reservations import queries, service
from booking.reservations.errors import OutsideItsTime, StillInUse
from booking.reservations.models import ReservationStatus
from booking.reservations.rules import Flag
from tests.factories import make_caller, make_institution, make_instrument, slot

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BEGINS, ENDS = slot().starts_at, slot().ends_at


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def operator(owner):
    return make_caller(owner, Role.OPERATOR)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def firm(session):
    return make_caller()


@pytest.fixture
def reserved(instrument, firm):
    return service.reserve(instrument.id, slot(), caller=firm)


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    assert [*queries.breaches(), *calendars.breaches()] == []


def held(session, reservation):
    session.expire_all()
    occupancy = session.get(Occupancy, reservation.occupancy_id)
    return occupancy.starts_at, occupancy.ends_at


def test_a_use_begins_and_ends(reserved, firm, now):
    now.set(BEGINS + 2 * MINUTE)
    begun = service.check_in(reserved.id, caller=firm)
    now.set(ENDS - MINUTE)
    ended = service.check_out(reserved.id, caller=firm)

    assert begun.use.started_at == BEGINS + 2 * MINUTE
    assert (ended.status, ended.use.ended_at) == (ReservationStatus.COMPLETED, ENDS - MINUTE)
    assert ended.flags == ()
    actions = [entry.action for entry in journal.list_entries("reservation", reserved.id)]
    assert actions[:2] == ["reservation.checked_out", "reservation.checked_in"]


def test_who_runs_the_instrument_may_do_it_for_the_firm(reserved, operator, now):
    now.set(BEGINS)
    service.check_in(reserved.id, caller=operator)
    now.set(ENDS)

    assert service.check_out(reserved.id, caller=operator).use.ended_by == operator.user_id


def test_nobody_else_does(reserved, owner, firm, now):
    now.set(BEGINS)
    with pytest.raises(NotFound):
        service.check_in(reserved.id, caller=make_caller())
    with pytest.raises((NotAllowed, NotFound)):
        service.check_in(reserved.id, caller=make_caller(owner, Role.TESTER))
    with pytest.raises(NotAllowed):
        service.no_show(reserved.id, caller=firm)


@pytest.mark.parametrize("at", [BEGINS - 16 * MINUTE, ENDS, ENDS + HOUR])
def test_a_use_does_not_begin_outside_its_time(reserved, firm, now, at):
    now.set(at)

    with pytest.raises(OutsideItsTime):
        service.check_in(reserved.id, caller=firm)


def test_who_begins_early_holds_the_time_from_then_on(reserved, firm, now, session):
    now.set(BEGINS - 15 * MINUTE)
    service.check_in(reserved.id, caller=firm)

    assert held(session, reserved) == (BEGINS - 15 * MINUTE, ENDS)


def test_nobody_begins_early_in_the_time_of_another(reserved, instrument, now, session):
    other = make_caller()
    after = service.reserve(instrument.id, slot(ENDS), caller=other)
    now.set(ENDS - 10 * MINUTE)

    with pytest.raises(StillInUse):
        service.check_in(after.id, caller=other)
    assert held(session, after)[0] == ENDS
    assert after.status is ReservationStatus.CONFIRMED


def test_nobody_begins_while_the_one_before_has_not_ended(reserved, instrument, firm, now):
    other = make_caller()
    after = service.reserve(instrument.id, slot(ENDS), caller=other)
    now.set(BEGINS)
    service.check_in(reserved.id, caller=firm)
    now.set(ENDS + 10 * MINUTE)

    with pytest.raises(StillInUse):
        service.check_in(after.id, caller=other)
    service.check_out(reserved.id, caller=firm)
    assert service.check_in(after.id, caller=other).flags == (Flag.LATE,)


def test_what_is_left_is_free_for_others(reserved, instrument, firm, now, session):
    now.set(BEGINS)
    service.check_in(reserved.id, caller=firm)
    now.set(BEGINS + HOUR)
    ended = service.check_out(reserved.id, caller=firm)

    assert ended.flags == (Flag.EARLY_LEAVE,)
    assert held(session, reserved) == (BEGINS, BEGINS + HOUR)
    assert calendars.is_free(instrument.id, slot(BEGINS + HOUR, hours=1), units=1)


def test_the_owners_time_for_cleaning_stays(owner, firm, now, session):
    instrument = make_instrument(institution=owner, schedule={"buffer_after_minutes": 30})
    reserved = service.reserve(instrument.id, slot(), caller=firm)
    now.set(BEGINS)
    service.check_in(reserved.id, caller=firm)
    now.set(BEGINS + HOUR)
    service.check_out(reserved.id, caller=firm)

    assert held(session, reserved) == (BEGINS, BEGINS + HOUR + 30 * MINUTE)


def test_late_and_overtime_are_seen(reserved, firm, now):
    now.set(BEGINS + 6 * MINUTE)
    service.check_in(reserved.id, caller=firm)
    now.set(ENDS + 6 * MINUTE)

    assert service.check_out(reserved.id, caller=firm).flags == (Flag.LATE, Flag.OVERTIME)


def test_a_moment_may_be_told_later_but_not_long_after(reserved, firm, operator, now):
    now.set(BEGINS + HOUR)
    service.check_in(reserved.id, caller=firm, at=BEGINS)
    now.set(ENDS + 3 * HOUR)
    with pytest.raises(OutsideItsTime):
        service.check_out(reserved.id, caller=firm, at=ENDS)
    with pytest.raises(OutsideItsTime):
        service.check_out(reserved.id, caller=operator, at=ENDS + 4 * HOUR)
    with pytest.raises(OutsideItsTime):
        service.check_out(reserved.id, caller=operator, at=BEGINS)

    assert service.check_out(reserved.id, caller=operator, at=ENDS).use.ended_at == ENDS


def test_every_step_once_and_in_order(reserved, firm, operator, now):
    now.set(BEGINS)
    with pytest.raises(WrongState):
        service.check_out(reserved.id, caller=firm)
    with pytest.raises(Stale):
        service.check_in(reserved.id, caller=firm, version=7)
    service.check_in(reserved.id, caller=firm)
    for refused in (service.check_in, service.cancel):
        with pytest.raises(WrongState):
            refused(reserved.id, caller=operator)
    now.set(BEGINS + HOUR)
    with pytest.raises(WrongState):
        service.no_show(reserved.id, caller=operator)
    service.check_out(reserved.id, caller=firm)
    with pytest.raises(WrongState):
        service.check_out(reserved.id, caller=firm)


def test_a_no_show_frees_the_rest_and_is_told(reserved, instrument, operator, now, session):
    now.set(BEGINS + 29 * MINUTE)
    with pytest.raises(OutsideItsTime):
        service.no_show(reserved.id, caller=operator)
    now.set(BEGINS + 30 * MINUTE)
    missed = service.no_show(reserved.id, caller=operator, note="电话无人接听")

    assert missed.status is ReservationStatus.NO_SHOW
    assert held(session, reserved) == (BEGINS, BEGINS + 30 * MINUTE)
    told = session.query(Notice).filter_by(kind=Kind.NO_SHOW).one()
    assert told.facts["note"] == "电话无人接听"
    with pytest.raises(WrongState):
        service.check_in(reserved.id, caller=operator)


def test_what_one_finds_at_the_instrument(reserved, instrument, firm, operator, now):
    service.reserve(instrument.id, slot(ENDS), caller=make_caller())
    now.set(BEGINS)

    def mine(who):
        return [r.id for r in queries.usable_now(instrument.id, caller=who, now=BEGINS)]

    assert mine(firm) == [reserved.id]
    assert mine(operator) == []
    service.check_in(reserved.id, caller=firm)
    assert mine(firm) == [reserved.id]
