"""Changing one of a group, it and those after it, or all: none is left half changed."""

from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from booking.accounts.rules import Role
from booking.availability import service as availability
from booking.availability.rules import Pairing
from booking.kernel.errors import InvalidField, NotFound, Stale, WrongState
from booking.reservations import queries, service
from booking.reservations.errors import NotBookable, SomeNotBookable, SomeTaken, TooLateToChange
from booking.reservations.rules import Reach
from booking.reservations.service import Pattern, Wish
from tests.factories import make_caller, make_institution, make_instrument, slot

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
TEN = slot()
LATER = slot(TEN.starts_at + DAY + timedelta(hours=1), hours=3)


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, schedule={"horizon_days": 60})


@pytest.fixture
def firm(session):
    return make_caller()


@pytest.fixture
def made(instrument, firm):
    pattern = Pattern(instrument.id, TEN, "FREQ=WEEKLY;COUNT=4")
    return list(service.reserve_series(pattern, {}, caller=firm).reservations)


def starts(made):
    return [each.starts_at - TEN.starts_at for each in made]


@pytest.mark.parametrize(
    ("scope", "moved"), [(Reach.THIS, {1}), (Reach.FOLLOWING, {1, 2, 3}), (Reach.ALL, {0, 1, 2, 3})]
)
def test_a_move_reaches_as_far_as_one_says(made, firm, scope, moved):
    there = slot(LATER.starts_at + WEEK, hours=3)

    service.change(made[1].id, slot=there, caller=firm, scope=scope)

    by = DAY + timedelta(hours=1)
    assert starts(made) == [n * WEEK + (by if n in moved else timedelta()) for n in range(4)]
    assert {each.slot.minutes for n, each in enumerate(made) if n in moved} == {180}
    assert [each.sequence for each in made] == [int(n in moved) for n in range(4)]
    assert list(queries.breaches()) == []


def test_a_series_moves_by_its_own_step(made, firm):
    service.change(made[0].id, slot=slot(TEN.starts_at + WEEK), caller=firm, scope=Reach.ALL)

    assert starts(made) == [n * WEEK for n in (1, 2, 3, 4)]
    assert list(queries.breaches()) == []


def test_a_move_of_all_is_refused_as_one(instrument, made, firm):
    blocked = slot(LATER.starts_at + 2 * WEEK, hours=1)
    service.reserve(instrument.id, blocked, caller=make_caller())

    with pytest.raises(SomeTaken) as refused:
        service.change(made[0].id, slot=LATER, caller=firm, scope=Reach.ALL)

    assert [each["index"] for each in refused.value.details["items"]] == [2]
    assert [each.starts_at - TEN.starts_at for each in made] == [n * WEEK for n in range(4)]
    assert list(queries.breaches()) == []


def test_rules_broken_by_some_are_named(made, firm):
    night = slot(TEN.starts_at + timedelta(hours=9))

    with pytest.raises(SomeNotBookable) as refused:
        service.change(made[1].id, slot=night, caller=firm, scope=Reach.FOLLOWING)

    assert [each["index"] for each in refused.value.details["items"]] == [0, 1, 2]


@pytest.mark.parametrize(
    ("scope", "off"), [(Reach.THIS, {1}), (Reach.FOLLOWING, {1, 2, 3}), (Reach.ALL, {0, 1, 2, 3})]
)
def test_cancelling_reaches_as_far_as_one_says(made, firm, scope, off):
    service.cancel(made[1].id, caller=firm, reason="停测", scope=scope)

    assert {n for n, each in enumerate(made) if each.status == "cancelled"} == off
    assert list(queries.breaches()) == []


def test_what_is_past_stays_as_it_was(made, firm, now):
    now.set(TEN.ends_at + DAY)

    service.cancel(made[0].id, caller=firm, scope=Reach.ALL)

    assert [each.status.value for each in made] == ["confirmed", *["cancelled"] * 3]
    with pytest.raises(WrongState):
        service.cancel(made[0].id, caller=firm, scope=Reach.ALL)


def test_one_too_late_keeps_all(made, firm, now):
    now.set(TEN.starts_at - timedelta(minutes=5))

    with pytest.raises(TooLateToChange):
        service.cancel(made[0].id, caller=firm, scope=Reach.ALL)

    assert {each.status.value for each in made} == {"confirmed"}
    service.cancel(made[1].id, caller=firm, scope=Reach.FOLLOWING)


def test_the_purpose_of_all_changes(made, firm):
    service.change(made[2].id, purpose="冲击试验", caller=firm, scope=Reach.ALL)

    assert {each.purpose for each in made} == {"冲击试验"}
    assert {each.sequence for each in made} == {1}


def test_what_needs_each_other_is_cancelled_and_moved_together(instrument, owner, firm):
    pump = make_instrument(institution=owner)
    manager = make_caller(owner, Role.MANAGER)
    availability.set_policy(instrument.id, {}, pairs={pump.id: Pairing.NEEDS}, caller=manager)
    wishes = [Wish(instrument.id, TEN), Wish(pump.id, TEN)]
    made = service.reserve_all(wishes, caller=firm).reservations
    needed = next(each for each in made if each.instrument_id == pump.id)

    with pytest.raises(NotBookable):
        service.cancel(needed.id, caller=firm)
    service.change(needed.id, slot=slot(TEN.starts_at + DAY), caller=firm, scope=Reach.ALL)
    assert {each.starts_at for each in made} == {TEN.starts_at + DAY}
    service.cancel(needed.id, caller=firm, scope=Reach.ALL)
    assert {each.status.value for each in made} == {"cancelled"}


def test_a_series_keeps_its_new_hour_when_the_clocks_change(firm, now):
    now.set(datetime(2027, 3, 1, 9, tzinfo=UTC))
    berlin = make_instrument(
        time_zone="Europe/Berlin",
        schedule={"horizon_days": 90},
        hours={day: [(0, 1440)] for day in range(7)},
        price_published_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    before = slot(datetime(2027, 3, 21, 8, tzinfo=UTC))
    pattern = Pattern(berlin.id, before, "FREQ=WEEKLY;COUNT=2")
    made = service.reserve_series(pattern, {}, caller=firm).reservations

    there = slot(before.starts_at + timedelta(hours=2))
    service.change(made[0].id, slot=there, caller=firm, scope=Reach.ALL)

    assert [f"{each.starts_at:%d %H:%M}" for each in made] == ["21 10:00", "28 09:00"]


def test_others_may_not_and_old_versions_are_stale(made, instrument, owner, firm):
    with pytest.raises(Stale):
        service.cancel(made[0].id, caller=firm, version=9, scope=Reach.ALL)
    with pytest.raises(NotFound):
        service.cancel(made[0].id, caller=make_caller(owner, Role.MEMBER), scope=Reach.ALL)
    with pytest.raises(InvalidField):
        service.change(made[0].id, slot=LATER, caller=firm, override_reason="急", scope=Reach.ALL)


def test_feeds_show_each_date_with_an_entry_of_its_own(client, instrument, made, firm):
    before = {each["uid"]: each for each in _events(client, instrument)}
    service.change(
        made[1].id, slot=slot(LATER.starts_at + WEEK), caller=firm, scope=Reach.FOLLOWING
    )
    service.cancel(made[3].id, caller=firm)

    after = {each["uid"]: each for each in _events(client, instrument)}

    assert len(before) == 4
    assert after.keys() == before.keys()
    risen = [
        int(after[uid]["sequence"]) - int(before[uid]["sequence"])
        for uid in sorted(before, key=lambda uid: before[uid]["dtstart"].dt)
    ]
    assert risen == [0, 1, 1, 2]
    assert not any("rrule" in each for each in after.values())


def _events(client, instrument):
    answer = client.get(f"/calendars/instruments/{instrument.id}.ics")
    return Calendar.from_ical(answer.text).walk("VEVENT")


def test_a_series_of_tests_the_law_demands_saves_nothing_and_stays_that(instrument, firm):
    pattern = Pattern(instrument.id, TEN, "FREQ=WEEKLY;COUNT=2", is_statutory=True)
    made = list(service.reserve_series(pattern, {}, caller=firm).reservations)

    service.change(made[0].id, slot=LATER, caller=firm, scope=Reach.ALL)

    assert [(each.is_statutory, each.baseline) for each in made] == [(True, None)] * 2
