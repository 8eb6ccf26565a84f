"""Waiting, being offered, answering and leaving on a real database."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.accounts.models import Membership
from booking.accounts.rules import Role
from booking.authorisations.rules import Operation
from booking.availability import queries as calendars
from booking.availability import service as availability
from booking.availability.errors import SlotTaken
from booking.availability.models import Occupancy, OccupancyKind
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotFound, Stale, WrongState
from booking.kernel.timeslot import TimeSlot
from booking.notices.models import Notice
from booking.notices.rules import Kind
from booking.registry.models import Publication
from booking.reservations import queries as reservations
from booking.reservations import service as reserving
from booking.reservations.errors import NotBookable
from booking.waiting import jobs, queries, rules, service
from booking.waiting.errors import AlreadyWaiting, OfferLapsed, StillFree, TooManyWaiting
from booking.waiting.rules import Standing
from tests.factories import make_caller, make_institution, make_instrument, make_organisation, slot

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
S = Standing


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def operator(owner):
    return make_caller(owner, Role.OPERATOR)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, schedule={"buffer_after_minutes": 30})


@pytest.fixture
def holder(session):
    return make_caller()


@pytest.fixture
def held(instrument, holder):
    """Wednesday 10 to 12, which is what everybody here wants."""
    return reserving.reserve(instrument.id, slot(), caller=holder)


@pytest.fixture
def first(session):
    return make_caller()


@pytest.fixture
def second(session):
    return make_caller()


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    session.flush()
    assert [*calendars.breaches(), *reservations.breaches(), *queries.breaches()] == []


def join(instrument, caller, window=None, minutes=120, **given):
    return service.join(instrument.id, window or slot(), minutes=minutes, caller=caller, **given)


def told(event):
    found = db.session.scalars(select(Notice).where(Notice.kind == Kind.WAITING))
    return [each for each in found if each.facts["event"] == event]


def place_of(entry, caller):
    return queries.get_placed(entry.id, caller=caller).place


def test_places_are_in_the_order_of_joining(instrument, held, first, second):
    one, two = join(instrument, first), join(instrument, second)

    assert (place_of(one, first), place_of(two, second)) == (1, 2)


def test_who_wants_other_time_stands_in_nobodys_way(instrument, held, first, second):
    other = slot(slot().starts_at + DAY)
    reserving.reserve(instrument.id, other, caller=make_caller())
    join(instrument, first)

    assert place_of(join(instrument, second, other), second) == 1


@pytest.mark.parametrize("door", ["cancel", "move", "lift"])
def test_what_frees_by_any_door_is_offered(door, instrument, held, holder, operator, first):
    entry = join(instrument, first)
    assert jobs.offer() == "候补：保留 0 个时段，结束 0 个"

    if door == "cancel":
        reserving.cancel(held.id, caller=holder)
    elif door == "move":
        reserving.move(held.id, slot(slot().starts_at + DAY), caller=holder)
    else:
        closed = reserving.close(
            instrument.id, slot(), OccupancyKind.FAULT, caller=operator, cancel=[held.id]
        )
        assert service.offer_next(instrument.id) is None
        reserving.lift(closed.closure.id, caller=operator)
    jobs.offer()

    assert entry.standing is S.OFFERED
    assert entry.offered == slot()
    [notice] = told("offered")
    assert notice.facts["path"] == "/waiting-list"


def test_an_offer_holds_the_time_with_its_buffers_for_nobody_else(
    instrument, held, holder, first, second
):
    join(instrument, first)
    reserving.cancel(held.id, caller=holder)
    jobs.offer()

    with pytest.raises(SlotTaken):
        reserving.reserve(instrument.id, slot(), caller=second)
    with pytest.raises(SlotTaken):
        reserving.reserve(instrument.id, slot(slot().ends_at, hours=1), caller=second)


def test_only_the_first_is_offered_one_slot(instrument, held, holder, first, second):
    one, two = join(instrument, first), join(instrument, second)
    reserving.cancel(held.id, caller=holder)

    assert jobs.offer() == "候补：保留 1 个时段，结束 0 个"

    assert (one.standing, two.standing) == (S.OFFERED, S.WAITING)


def test_accepting_reserves_what_was_offered(instrument, held, holder, first):
    entry = join(instrument, first, purpose="拉伸")
    reserving.cancel(held.id, caller=holder)
    jobs.offer()

    service.accept(entry.id, caller=first)

    made = reservations.get_reservation(entry.reservation_id, caller=first)
    assert (made.slot, made.purpose, entry.standing) == (slot(), "拉伸", S.ACCEPTED)
    assert place_of(entry, first) is None
    with pytest.raises(WrongState):
        service.accept(entry.id, caller=first)


@pytest.mark.parametrize("answer", [service.decline, service.leave])
def test_what_is_not_wanted_goes_to_the_next(answer, instrument, held, holder, first, second):
    one, two = join(instrument, first), join(instrument, second)
    reserving.cancel(held.id, caller=holder)
    jobs.offer()

    answer(one.id, caller=first)
    jobs.offer()

    assert one.standing in {S.DECLINED, S.LEFT}
    assert two.standing is S.OFFERED


def test_what_nobody_answers_goes_to_the_next(instrument, held, holder, first, second, now):
    one, two = join(instrument, first), join(instrument, second)
    reserving.cancel(held.id, caller=holder)
    jobs.offer()

    now.set(one.answer_by - MINUTE)
    assert jobs.offer() == "候补：保留 0 个时段，结束 0 个"
    now.set(one.answer_by)
    with pytest.raises(OfferLapsed):
        service.accept(one.id, caller=first)
    assert jobs.offer() == "候补：保留 1 个时段，结束 1 个"

    assert (one.standing, two.standing) == (S.LAPSED, S.OFFERED)
    assert len(told("lapsed")) == 1
    with pytest.raises(OfferLapsed):
        service.accept(one.id, caller=first)


def test_an_offer_ends_before_it_could_no_longer_be_reserved(
    instrument, held, operator, first, now
):
    entry = join(instrument, first)
    now.set(slot().starts_at - 3 * HOUR)
    reserving.cancel(held.id, caller=operator)
    jobs.offer()

    # The instrument is to be reserved two hours ahead.
    assert entry.answer_by == slot().starts_at - 2 * HOUR


def test_who_would_have_no_time_to_answer_is_not_offered_it(instrument, held, operator, first, now):
    entry = join(instrument, first)
    now.set(slot().starts_at - 2 * HOUR - 14 * MINUTE)
    reserving.cancel(held.id, caller=operator)
    jobs.offer()

    assert entry.standing is S.WAITING


def test_a_closure_takes_an_offer_back_and_the_place_stays(
    instrument, held, holder, operator, first, second
):
    entry, later = join(instrument, first), join(instrument, second)
    reserving.cancel(held.id, caller=holder)
    jobs.offer()

    closed = reserving.close(instrument.id, slot(), OccupancyKind.FAULT, caller=operator)
    with pytest.raises(WrongState):
        service.accept(entry.id, caller=first)
    jobs.offer()
    assert (entry.standing, entry.answer_by, place_of(entry, first)) == (S.WAITING, None, 1)
    assert len(told("withdrawn")) == 1

    reserving.lift(closed.closure.id, caller=operator)
    jobs.offer()
    assert (entry.standing, later.standing) == (S.OFFERED, S.WAITING)


def test_who_may_not_reserve_is_passed_over_and_keeps_the_place(
    instrument, held, holder, first, second
):
    one, two = join(instrument, first), join(instrument, second)
    organisation = next(iter(first.organisations))
    for each in db.session.scalars(
        select(Membership).where(Membership.organisation_id == organisation)
    ):
        each.ended_at = clock.now()
    db.session.flush()
    reserving.cancel(held.id, caller=holder)
    jobs.offer()

    assert (one.standing, two.standing) == (S.WAITING, S.OFFERED)


def test_a_firm_that_lost_its_authorisation_is_told_and_the_offer_stands(
    instrument, held, holder, operator, first
):
    entry = join(instrument, first, is_assisted=False)
    reserving.cancel(held.id, caller=holder)
    jobs.offer()
    manager = make_caller(instrument.institution, Role.MANAGER)
    availability.set_operation(instrument.id, Operation.AUTHORISED, caller=manager)
    with pytest.raises(NotBookable) as refused, db.session.begin_nested():
        service.accept(entry.id, caller=first)

    assert {each.rule for each in refused.value.violations} == {"authorisation"}
    assert queries.get_entry(entry.id, caller=first).standing is S.OFFERED


def test_a_window_with_something_free_is_nothing_to_wait_for(instrument, held, first):
    window = TimeSlot(slot().starts_at, slot().starts_at + DAY)

    with pytest.raises(StillFree) as refused:
        join(instrument, first, window)

    assert refused.value.slot.starts_at == slot().ends_at + 30 * MINUTE


def test_what_could_never_be_reserved_cannot_be_waited_for(instrument, held, first):
    with pytest.raises(NotBookable):
        join(instrument, first, slot(slot().starts_at + 12 * HOUR))
    with pytest.raises(InvalidField):
        join(instrument, first, minutes=180)
    with pytest.raises(InvalidField):
        join(instrument, first, TimeSlot(slot().starts_at, slot().starts_at + 15 * DAY))


def test_a_wish_is_made_once(instrument, held, first):
    join(instrument, first)

    with pytest.raises(AlreadyWaiting):
        join(instrument, first)


def test_nobody_hoards_places(owner, first):
    for _ in range(rules.MOST_OF_PERSON):
        wanted = make_instrument(institution=owner)
        reserving.reserve(wanted.id, slot(), caller=make_caller())
        join(wanted, first)
    wanted = make_instrument(institution=owner)
    reserving.reserve(wanted.id, slot(), caller=make_caller())

    with pytest.raises(TooManyWaiting):
        join(wanted, first)


def test_a_wish_ends_with_its_window(instrument, held, first, now):
    entry = join(instrument, first)

    now.set(slot().starts_at)
    assert jobs.offer() == "候补：保留 0 个时段，结束 1 个"

    assert entry.standing is S.OVER
    assert len(told("over")) == 1


def test_other_firms_see_nothing_of_it(instrument, held, first, second, operator):
    entry = join(instrument, first)

    for other in (second, operator):
        with pytest.raises(NotFound):
            queries.get_entry(entry.id, caller=other)
        with pytest.raises(NotFound):
            service.leave(entry.id, caller=other)
    assert queries.list_entries(caller=second, limit=5, cursor=None).items == []
    assert queries.firms_waiting([instrument.id]) == {instrument.id: 1}


def test_a_manager_answers_for_the_firm(instrument, held, holder):
    firm = make_organisation()
    member = make_caller(firm, Role.MEMBER)
    manager, colleague = make_caller(firm, Role.MANAGER), make_caller(firm, Role.MEMBER)
    entry = join(instrument, member)
    reserving.cancel(held.id, caller=holder)
    jobs.offer()

    with pytest.raises(NotFound):
        service.accept(entry.id, caller=colleague)
    with pytest.raises(Stale):
        service.accept(entry.id, caller=manager, version=1)
    service.accept(entry.id, caller=manager, version=entry.version)
    assert entry.standing is S.ACCEPTED


def test_no_offer_is_left_when_all_is_done(instrument, held, holder, first, session):
    entry = join(instrument, first)
    reserving.cancel(held.id, caller=holder)
    jobs.offer()
    service.leave(entry.id, caller=first)

    found = session.scalars(select(Occupancy).where(Occupancy.kind == OccupancyKind.OFFER)).all()
    assert found == []


def test_a_person_is_given_what_is_kept_of_it(instrument, held, first):
    join(instrument, first)

    [kept] = queries.personal_data(first.user_id)
    assert (kept["standing"], queries.count_of(first.user_id)) == ("waiting", 1)


def test_a_withdrawn_instrument_stops_nobody_else(owner, instrument, held, holder, first, second):
    other = make_instrument(institution=owner)
    away = reserving.reserve(other.id, slot(), caller=holder)
    mine, theirs = join(instrument, first), join(other, second)
    instrument.publication = Publication.WITHDRAWN
    db.session.flush()
    for each in (held, away):
        reserving.cancel(each.id, caller=holder)

    assert jobs.offer() == "候补：保留 1 个时段，结束 0 个"

    assert (mine.standing, theirs.standing) == (S.WAITING, S.OFFERED)
    assert place_of(mine, first) == 1


def test_an_offer_on_what_is_withdrawn_says_so(instrument, held, holder, first):
    entry = join(instrument, first)
    reserving.cancel(held.id, caller=holder)
    jobs.offer()
    instrument.publication = Publication.WITHDRAWN
    db.session.flush()

    [shown] = service.priced([queries.get_placed(entry.id, caller=first)], caller=first)

    assert (shown.price, [each.rule for each in shown.refusals]) == (None, ["withdrawn"])


@pytest.mark.parametrize(("slots", "kept"), [(0, 0), (5, 5), (6, 6), (7, 4), (100, 6)])
def test_a_few_slots_come_from_all_over_the_window(slots, kept):
    hours = [slot(slot().starts_at + n * HOUR) for n in range(slots)]

    found = rules.spread(hours, 6)

    assert len(found) == kept
    assert list(found) == sorted(found, key=hours.index)
    assert found[:1] == hours[:1]
