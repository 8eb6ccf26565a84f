"""Schedules, and the one calendar, on a real database."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text

from booking.accounts.rules import Role
from booking.availability import queries, service
from booking.availability.errors import SlotTaken
from booking.availability.models import (
    NO_OVERLAP,
    Closure,
    Occupancy,
    OccupancyKind,
    OpeningHours,
)
from booking.availability.rules import Terms
from booking.journal.models import JournalEntry
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, Stale
from booking.kernel.timeslot import TimeSlot
from tests.factories import make_caller, make_institution, make_instrument, slot

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
DROP_CONSTRAINT = text(f"ALTER TABLE occupancies DROP CONSTRAINT {NO_OVERLAP}")
HOUR = timedelta(hours=1)
OFFICE = {day: [(480, 1080)] for day in range(5)}


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def operator(owner):
    return make_caller(owner, Role.OPERATOR)


def test_a_schedule_is_set_whole_and_read_back(owner, operator):
    instrument = make_instrument(institution=owner, schedule=None)
    special = {date(2026, 12, 31): ([], "盘点"), date(2027, 1, 4): ([(540, 600)], "")}

    service.set_schedule(
        instrument.id, Terms(grid_minutes=15), OFFICE, caller=operator, special_days=special
    )

    found = queries.get_schedule(instrument)
    assert (found.terms, found.week) == (Terms(grid_minutes=15), OFFICE)
    assert found.special_days == special
    assert found.schedule.version == 1


def test_setting_it_again_replaces_hours_and_counts_the_version(owner, operator, session):
    instrument = make_instrument(institution=owner)

    found = service.set_schedule(
        instrument.id, Terms(), {0: [(0, 1440)]}, caller=operator, version=1
    )

    assert found.schedule.version == 2
    hours = select(func.count()).where(OpeningHours.instrument_id == instrument.id)
    assert session.scalar(hours) == 1


def test_setting_it_is_recorded_with_old_and_new(owner, operator, session):
    instrument = make_instrument(institution=owner)
    service.set_schedule(instrument.id, Terms(lead_minutes=0), OFFICE, caller=operator)

    entry = session.scalars(select(JournalEntry).order_by(JournalEntry.id.desc())).first()

    assert (entry.action, entry.subject_id) == ("schedule.set", instrument.id)
    assert (entry.data["old"]["lead_minutes"], entry.data["new"]["lead_minutes"]) == (120, 0)


@pytest.mark.parametrize("version", [2, 7])
def test_an_older_or_unknown_version_is_stale(owner, operator, version):
    instrument = make_instrument(institution=owner)

    with pytest.raises(Stale):
        service.set_schedule(instrument.id, Terms(), OFFICE, caller=operator, version=version)


def test_a_version_of_what_does_not_exist_is_stale(owner, operator):
    instrument = make_instrument(institution=owner, schedule=None)

    with pytest.raises(Stale):
        service.set_schedule(instrument.id, Terms(), OFFICE, caller=operator, version=1)


def test_hours_that_cannot_be_change_nothing(owner, operator):
    instrument = make_instrument(institution=owner)

    with pytest.raises(InvalidField):
        service.set_schedule(instrument.id, Terms(), {0: [(600, 480)]}, caller=operator)
    with pytest.raises(InvalidField):
        service.set_schedule(instrument.id, Terms(), {7: [(480, 600)]}, caller=operator)

    assert queries.get_schedule(instrument).week == OFFICE


def test_only_who_runs_the_instruments_sets_hours(owner):
    instrument = make_instrument(institution=owner)

    with pytest.raises(NotAllowed):
        service.set_schedule(instrument.id, Terms(), OFFICE, caller=make_caller(owner, Role.TESTER))
    with pytest.raises(NotAllowed):
        service.set_schedule(instrument.id, Terms(), OFFICE, caller=make_caller())


def test_an_instrument_without_a_schedule_has_none():
    with pytest.raises(NotFound):
        queries.get_schedule(make_instrument(schedule=None))


def test_units_are_taken_in_order_until_none_is_left():
    instrument = make_instrument(units=2)

    units = [service.occupy(instrument.id, slot(), units=2)[1] for _ in range(2)]

    assert units == [1, 2]
    with pytest.raises(SlotTaken):
        service.occupy(instrument.id, slot(), units=2)


def test_neighbouring_slots_do_not_clash():
    instrument = make_instrument()
    first = slot(hours=1)

    service.occupy(instrument.id, first)

    assert service.occupy(instrument.id, TimeSlot(first.ends_at, first.ends_at + HOUR))


def test_what_was_released_is_free_again():
    instrument = make_instrument()
    held, _ = service.occupy(instrument.id, slot())

    service.release(held)

    assert service.occupy(instrument.id, slot())


def closure(instrument, when, **given) -> Closure:
    return Closure(
        instrument_id=instrument.id, slot=when, kind=OccupancyKind.MAINTENANCE, unit=None, **given
    )


def test_a_long_closure_is_held_in_pieces_without_a_gap(session):
    instrument = make_instrument(units=2)
    long = TimeSlot(slot().starts_at, slot().starts_at + timedelta(days=40))

    made = service.close(closure(instrument, long), units=2)

    held = session.scalars(select(Occupancy).where(Occupancy.closure_id == made.id)).all()
    assert len(held) == 6
    assert list(queries.breaches()) == []
    assert sum((o.ends_at - o.starts_at for o in held), timedelta()) == 2 * long.duration


def test_a_closure_that_meets_anything_holds_nothing(session):
    instrument = make_instrument(units=2)
    service.occupy(instrument.id, slot(), units=2)

    with pytest.raises(SlotTaken):
        service.close(closure(instrument, slot()), units=2)

    assert session.scalar(select(func.count()).select_from(Occupancy)) == 1
    assert session.scalar(select(func.count()).select_from(Closure)) == 0


def test_lifting_keeps_what_has_passed_and_gives_back_the_rest(session, now):
    instrument = make_instrument()
    made = service.close(closure(instrument, TimeSlot(now.at, now.at + 24 * HOUR)), units=1)
    now.advance(hours=5)

    service.lift(made)

    held = session.scalars(select(Occupancy)).one()
    assert held.ends_at == now.at
    assert list(queries.breaches()) == []


def test_lifting_before_it_began_gives_back_all(session):
    instrument = make_instrument()
    made = service.close(closure(instrument, slot()), units=1)

    service.lift(made)

    assert session.scalars(select(Occupancy)).all() == []
    assert list(queries.breaches()) == []


def test_verify_finds_an_overlap_even_without_the_constraint(session):
    instrument = make_instrument()
    service.occupy(instrument.id, slot())
    session.execute(DROP_CONSTRAINT)
    session.add(an_occupancy(instrument, slot(hours=1)))
    session.flush()

    assert len(list(queries.breaches())) == 1


def test_verify_finds_a_closure_that_lost_its_time(session):
    made = service.close(closure(make_instrument(), slot()), units=1)
    held = session.scalars(select(Occupancy).where(Occupancy.closure_id == made.id)).one()
    held.ends_at -= HOUR
    session.flush()

    assert len(list(queries.breaches())) == 1


def test_verify_finds_time_that_belongs_to_nothing(session):
    stray = an_occupancy(make_instrument(), slot())
    stray.kind = OccupancyKind.MAINTENANCE
    session.add(stray)
    session.flush()

    assert len(list(queries.breaches())) == 1


def an_occupancy(instrument, when) -> Occupancy:
    return Occupancy(instrument_id=instrument.id, unit=1, slot=when, kind=OccupancyKind.RESERVATION)
