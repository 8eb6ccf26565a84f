"""Closures that meet reservations, on a real database."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from booking.accounts.rules import Role
from booking.availability import queries as calendars
from booking.availability.errors import SlotTaken
from booking.availability.models import Closure, Occupancy, OccupancyKind
from booking.journal.models import JournalEntry
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, Stale, WrongState
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Publication
from booking.reservations import queries, service
from booking.reservations.errors import OnAPromise
from booking.reservations.models import ReservationStatus
from tests.factories import make_caller, make_institution, make_instrument, slot

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MAINTENANCE = OccupancyKind.MAINTENANCE


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


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    assert [*queries.breaches(), *calendars.breaches()] == []


def test_what_is_closed_cannot_be_reserved(instrument, operator, firm):
    service.close(instrument.id, slot(), MAINTENANCE, caller=operator)

    with pytest.raises(SlotTaken):
        service.reserve(instrument.id, slot(), caller=firm)


def test_a_closure_never_sits_on_a_promise_it_did_not_name(instrument, operator, firm, session):
    first = service.reserve(instrument.id, slot(), caller=firm)
    second = service.reserve(instrument.id, slot(slot().ends_at), caller=firm)

    with pytest.raises(OnAPromise) as refused:
        service.close(
            instrument.id,
            TimeSlot(slot().starts_at - HOUR, slot().ends_at + HOUR),
            MAINTENANCE,
            caller=operator,
            cancel=[first.id],
        )

    (hit,) = refused.value.details["reservations"]
    assert (hit["id"], hit["number"], hit["starts_at"]) == (
        second.id,
        second.number,
        second.starts_at,
    )
    assert first.status is ReservationStatus.CONFIRMED
    assert session.scalar(select(func.count()).select_from(Closure)) == 0


def test_named_promises_give_way_in_the_same_stroke(instrument, operator, firm, session):
    reservation = service.reserve(instrument.id, slot(), caller=firm)

    done = service.close(
        instrument.id,
        slot(),
        OccupancyKind.FAULT,
        caller=operator,
        reason="主轴故障",
        cancel=[reservation.id],
    )

    assert done.cancelled == [reservation]
    assert (reservation.status, reservation.cancel_reason, reservation.cancelled_by) == (
        ReservationStatus.CANCELLED,
        "主轴故障",
        operator.user_id,
    )
    assert session.scalars(select(Occupancy.kind)).all() == [OccupancyKind.FAULT]
    actions = session.scalars(select(JournalEntry.action).order_by(JournalEntry.id)).all()
    assert actions[-2:] == ["reservation.cancelled", "closure.made"]


def test_the_buffers_of_a_promise_count_too(owner, operator, firm):
    instrument = make_instrument(institution=owner, schedule={"buffer_after_minutes": 60})
    service.reserve(instrument.id, slot(), caller=firm)

    with pytest.raises(OnAPromise):
        service.close(instrument.id, slot(slot().ends_at), MAINTENANCE, caller=operator)


def test_another_closure_in_the_way_is_named(instrument, operator):
    first = service.close(instrument.id, slot(), MAINTENANCE, caller=operator).closure

    with pytest.raises(OnAPromise) as refused:
        service.close(instrument.id, slot(hours=1), OccupancyKind.OWN_USE, caller=operator)

    assert [each["id"] for each in refused.value.details["closures"]] == [first.id]
    assert refused.value.details["reservations"] == []


def test_one_unit_is_closed_and_the_other_goes_on(owner, operator, firm):
    instrument = make_instrument(institution=owner, units=2)

    service.close(instrument.id, slot(), MAINTENANCE, caller=operator, unit=1)

    assert service.reserve(instrument.id, slot(), caller=firm).unit == 2


def test_closing_all_units_meets_what_is_on_any(owner, operator, firm):
    instrument = make_instrument(institution=owner, units=2)
    service.reserve(instrument.id, slot(), caller=firm)

    service.close(instrument.id, slot(), MAINTENANCE, caller=operator, unit=2)
    with pytest.raises(OnAPromise):
        service.close(instrument.id, slot(), MAINTENANCE, caller=operator)


def test_who_comes_between_looking_and_taking_is_seen(instrument, operator, firm, monkeypatch):
    look = queries.in_the_way
    answers = [queries.InTheWay([], [])]  # the first look is too early
    monkeypatch.setattr(
        queries, "in_the_way", lambda *a, **k: answers.pop() if answers else look(*a, **k)
    )
    late = service.reserve(instrument.id, slot(), caller=firm)

    with pytest.raises(OnAPromise) as refused:
        service.close(instrument.id, slot(), MAINTENANCE, caller=operator)

    assert [each["id"] for each in refused.value.details["reservations"]] == [late.id]


def test_what_cannot_be_meant_is_refused(instrument, operator, firm):
    elsewhere = service.reserve(make_instrument().id, slot(), caller=firm)

    for given in (
        {"cancel": [elsewhere.id]},
        {"cancel": [10**9]},
        {"unit": 2},
        {"when": TimeSlot(slot().starts_at, slot().starts_at + 401 * DAY)},
    ):
        when = given.pop("when", slot())
        with pytest.raises(InvalidField):
            service.close(instrument.id, when, MAINTENANCE, caller=operator, **given)

    assert elsewhere.status is ReservationStatus.CONFIRMED


def test_what_is_in_use_does_not_give_way(instrument, operator, firm, now):
    reservation = service.reserve(instrument.id, slot(), caller=firm)
    now.set(slot().starts_at)
    service.check_in(reservation.id, caller=firm)

    with pytest.raises(WrongState):
        service.close(instrument.id, slot(), MAINTENANCE, caller=operator, cancel=[reservation.id])


def test_only_who_runs_the_instruments_closes_and_lifts(instrument, owner, operator, firm):
    closure = service.close(instrument.id, slot(), MAINTENANCE, caller=operator).closure
    draft = make_instrument(publication=Publication.DRAFT)

    for who, outcome in (
        (firm, NotAllowed),
        (make_caller(owner, Role.TESTER), NotAllowed),
        (make_caller(make_institution(), Role.OPERATOR), NotAllowed),
    ):
        with pytest.raises(outcome):
            service.close(instrument.id, slot(), MAINTENANCE, caller=who)
        with pytest.raises(NotFound):
            service.lift(closure.id, caller=who)
    with pytest.raises(NotFound):
        service.close(draft.id, slot(), MAINTENANCE, caller=operator)


def test_lifting_gives_the_rest_back_once(instrument, operator, firm, now):
    closure = service.close(
        instrument.id, TimeSlot(now.at, slot().ends_at), MAINTENANCE, caller=operator
    ).closure
    now.advance(hours=1)

    service.lift(closure.id, caller=operator, version=1)

    assert (closure.lifted_at, closure.version, closure.sequence) == (now.at, 2, 1)
    assert service.reserve(instrument.id, slot(), caller=firm)
    with pytest.raises(Stale):
        service.lift(closure.id, caller=operator, version=1)
    with pytest.raises(WrongState):
        service.lift(closure.id, caller=operator)


def test_what_is_over_is_not_lifted(instrument, operator, now):
    closure = service.close(instrument.id, slot(), MAINTENANCE, caller=operator).closure
    now.set(slot().ends_at)

    with pytest.raises(WrongState):
        service.lift(closure.id, caller=operator)


def test_closures_are_listed_to_the_owners_people_only(instrument, operator, firm):
    made = [
        service.close(
            instrument.id, slot(slot().starts_at + day * DAY), MAINTENANCE, caller=operator
        ).closure.id
        for day in range(3)
    ]

    page = queries.list_closures(instrument.id, caller=operator, limit=2, cursor=None)
    rest = queries.list_closures(instrument.id, caller=operator, limit=2, cursor=page.next_cursor)

    assert [closure.id for closure in [*page.items, *rest.items]] == made[::-1]
    assert queries.list_closures(instrument.id, caller=firm, limit=2, cursor=None).items == []
