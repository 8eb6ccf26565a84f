"""Faults reported during a use, and what becomes of those who come later, on a real database."""

from datetime import timedelta

import pytest

from booking.accounts.rules import Role
from booking.availability import queries as calendars
from booking.availability.models import Occupancy, OccupancyKind
from booking.journal import queries as journal
from booking.kernel.errors import NotAllowed, NotFound, WrongState
from booking.notices.models import Notice
from booking.notices.rules import Kind
from booking.reservations import queries, service
from booking.reservations.models import ReservationStatus
from tests.factories import make_caller, make_institution, make_instrument, slot

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGINS = slot().starts_at
LATER = slot(BEGINS + 2 * HOUR)


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def operator(owner):
    return make_caller(owner, Role.OPERATOR)


@pytest.fixture
def firm(session):
    return make_caller()


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def in_use(instrument, firm, now):
    reservation = service.reserve(instrument.id, slot(), caller=firm)
    now.at = BEGINS
    service.check_in(reservation.id, caller=firm)
    now.advance(minutes=20)
    return reservation


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    assert [*queries.breaches(), *calendars.breaches()] == []


def notices(session, kind: Kind) -> list[Notice]:
    return list(session.query(Notice).filter_by(kind=kind).order_by(Notice.id))


def close(instrument, operator, when=LATER, **given):
    return service.close(instrument.id, when, OccupancyKind.FAULT, caller=operator, **given)


def test_reporting_tells_the_owner_and_ends_the_use(in_use, firm, operator, owner, now, session):
    fault = service.report_fault(in_use.id, "主轴异响", caller=firm, stops_use=True)

    assert in_use.status is ReservationStatus.COMPLETED
    assert in_use.use.ended_at == now.at
    assert queries.open_faults(owner.id) == [fault]
    told = notices(session, Kind.FAULT)[0]
    assert told.facts["what"] == "主轴异响"
    assert [to[2] for to in told.audience] == [owner.id]
    assert journal.list_entries("fault", fault.id)[0].action == "fault.reported"


def test_what_can_still_be_used_goes_on(in_use, firm, now):
    service.report_fault(in_use.id, "读数跳动", caller=firm, stops_use=False)

    assert in_use.status is ReservationStatus.IN_USE


def test_only_during_the_use_and_only_who_uses_it(instrument, firm, in_use):
    with pytest.raises(NotFound):
        service.report_fault(in_use.id, "坏了", caller=make_caller(), stops_use=True)
    coming = service.reserve(instrument.id, slot(BEGINS + DAY), caller=firm)
    with pytest.raises(WrongState):
        service.report_fault(coming.id, "坏了", caller=firm, stops_use=True)


def test_the_owner_answers_it_once(in_use, firm, operator, owner):
    fault = service.report_fault(in_use.id, "读数跳动", caller=firm, stops_use=False)

    service.dismiss_fault(fault.id, "已重新校零", caller=operator)

    assert queries.open_faults(owner.id) == []
    with pytest.raises(WrongState):
        service.dismiss_fault(fault.id, "已重新校零", caller=operator)


def test_nobody_else_sees_or_answers_it(in_use, firm, owner):
    fault = service.report_fault(in_use.id, "读数跳动", caller=firm, stops_use=False)

    for stranger in (firm, make_caller(make_institution(), Role.MANAGER)):
        with pytest.raises(NotFound):
            queries.get_fault(fault.id, caller=stranger)
        with pytest.raises(NotFound):
            service.dismiss_fault(fault.id, "没事", caller=stranger)
    finance = make_caller(owner, Role.FINANCE)
    with pytest.raises(NotAllowed):
        service.dismiss_fault(fault.id, "没事", caller=finance)


def test_a_closure_answers_it_and_offers_the_firms_what_is_free(
    instrument, in_use, firm, operator, now, session
):
    rival = make_caller()
    hit = service.reserve(instrument.id, slot(BEGINS + 5 * HOUR), caller=rival)
    equal = make_instrument(
        category_code=instrument.category_code, region_code=instrument.region_code
    )
    fault = service.report_fault(in_use.id, "主轴异响", caller=firm, stops_use=True)

    closed = close(
        instrument, operator, hit.slot, cancel=[hit.id], fault=fault.id, reason="主轴故障"
    )

    assert closed.cancelled == [hit]
    assert fault.closure_id == closed.closure.id
    facts = notices(session, Kind.CANCELLATION)[0].facts
    assert facts["reason"] == "主轴故障"
    offered = {each["instrument_id"] for each in facts["offers"]}
    assert offered == {instrument.id, equal.id}
    closed_from = hit.slot.starts_at.isoformat()
    assert closed_from not in {
        each["starts_at"] for each in facts["offers"] if each["instrument_id"] == instrument.id
    }


def test_an_answered_fault_is_not_answered_by_a_closure_again(instrument, in_use, firm, operator):
    fault = service.report_fault(in_use.id, "主轴异响", caller=firm, stops_use=True)
    service.dismiss_fault(fault.id, "已修好", caller=operator)

    with pytest.raises(WrongState):
        close(instrument, operator, fault=fault.id)


def test_a_fault_of_another_instrument_is_not_found(in_use, firm, operator, owner):
    fault = service.report_fault(in_use.id, "主轴异响", caller=firm, stops_use=True)

    with pytest.raises(NotFound):
        close(make_instrument(institution=owner), operator, fault=fault.id)


class TestUnits:
    """Of several machines under one entry one is closed."""

    @pytest.fixture
    def instrument(self, owner):
        return make_instrument(institution=owner, units=2)

    def test_who_had_booked_moves_to_the_other_at_the_same_time(
        self, instrument, operator, firm, session
    ):
        hit = service.reserve(instrument.id, LATER, caller=firm)
        was = hit.unit

        closed = close(instrument, operator, unit=was, cancel=[hit.id])

        assert (closed.moved, closed.cancelled) == ([hit], [])
        assert hit.status is ReservationStatus.CONFIRMED
        assert hit.unit != was
        session.expire_all()
        held = session.get(Occupancy, hit.occupancy_id)
        assert (held.unit, held.starts_at) == (hit.unit, LATER.starts_at)
        assert notices(session, Kind.CANCELLATION) == []
        actions = [each.action for each in journal.list_entries("reservation", hit.id)]
        assert "reservation.unit_changed" in actions

    def test_where_the_other_is_taken_too_it_is_cancelled(self, instrument, operator, firm):
        first = service.reserve(instrument.id, LATER, caller=firm)
        second = service.reserve(instrument.id, LATER, caller=make_caller())

        closed = close(instrument, operator, unit=first.unit, cancel=[first.id])

        assert (closed.moved, closed.cancelled) == ([], [first])
        assert second.status is ReservationStatus.CONFIRMED

    def test_all_units_closed_leave_nowhere_to_move(self, instrument, operator, firm):
        hit = service.reserve(instrument.id, LATER, caller=firm)

        assert close(instrument, operator, cancel=[hit.id]).cancelled == [hit]

    def test_buffers_move_along(self, owner, operator, firm, session):
        instrument = make_instrument(
            institution=owner, units=2, schedule={"buffer_after_minutes": 30}
        )
        hit = service.reserve(instrument.id, LATER, caller=firm)
        was = hit.unit

        close(instrument, operator, unit=was, cancel=[hit.id])

        session.expire_all()
        held = session.get(Occupancy, hit.occupancy_id)
        assert held.unit != was
        assert (held.starts_at, held.ends_at) == (LATER.starts_at, LATER.ends_at + HOUR / 2)
