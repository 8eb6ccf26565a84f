"""Free-slot search, alternatives and availability against the database and against brute force."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from booking.accounts.rules import CustomerClass, Role
from booking.availability import queries, service
from booking.availability.models import Closure, Occupancy, OccupancyKind, SpecialDay
from booking.availability.queries import search
from booking.availability.queries.gaps import Opening, first_gaps
from booking.availability.rules import open_windows, slot_of
from booking.availability.rules.plans import minute_after
from booking.kernel.db import db
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument, Publication, RunningState, SharingMode
from booking.reservations.rules import broken_rules
from booking.tariffs.rules import Customer
from tests.factories import (
    make_caller,
    make_institution,
    make_instrument,
    make_price,
    slot,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
FIRM = Customer(classes=(CustomerClass.SME,))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ROUND_THE_CLOCK = {day: [(0, 1440)] for day in range(7)}


def take(instrument: Instrument, when: TimeSlot, unit: int = 1) -> None:
    db.session.add(
        Occupancy(instrument_id=instrument.id, unit=unit, slot=when, kind=OccupancyKind.RESERVATION)
    )
    db.session.flush()


def find(now, *, days=7, minutes=120, customer=FIRM, start=None, **given):
    start = start or now.at
    window = TimeSlot(start, start + timedelta(days=days))
    return list(
        queries.find_free_slots(window, customer=customer, now=now.at, minutes=minutes, **given)
    )


def walls(found) -> list[str]:
    return [f"{each.starts_at + 8 * HOUR:%d %H:%M}" for each in found]


def test_the_earliest_slot_keeps_lead_time_hours_and_grid(now):
    instrument = make_instrument()  # Monday 9:00, two hours' notice, open 8-18

    (found,) = find(now)

    assert (found.instrument_id, walls([found])) == (instrument.id, ["23 11:00"])
    assert found.slot.minutes == 120


def test_soonest_first_then_by_id(now):
    late, early, also = make_instrument(), make_instrument(), make_instrument()
    take(late, TimeSlot(now.at, now.at + 4 * HOUR))

    assert [each.instrument_id for each in find(now)] == [early.id, also.id, late.id]


def test_what_is_taken_closed_or_buffered_is_skipped(now):
    instrument = make_instrument(schedule={"buffer_before_minutes": 60, "lead_minutes": 0})
    take(instrument, TimeSlot(now.at, now.at + 2 * HOUR))
    service.close(
        Closure(
            instrument_id=instrument.id,
            slot=TimeSlot(now.at + 5 * HOUR, now.at + 6 * HOUR),
            kind=OccupancyKind.FAULT,
        ),
        units=1,
    )

    # 9-11 taken, 14-15 closed: an hour's buffer leaves 12-14.
    assert walls(find(now)) == ["23 12:00"]


def test_a_special_day_and_a_holiday_are_kept(now):
    now.set(datetime.fromisoformat("2026-09-30T17:30:00+08:00"))  # the eve of the National Day
    usual, special = make_instrument(), make_instrument()
    db.session.add(
        SpecialDay(
            instrument_id=special.id, day=date(2026, 10, 2), opens_minute=540, closes_minute=720
        )
    )
    db.session.flush()

    assert walls(find(now, days=9)) == ["02 09:00", "08 08:00"]
    assert [each.instrument_id for each in find(now, days=9)] == [special.id, usual.id]


def test_without_a_length_each_instrument_is_asked_for_its_own(now):
    make_instrument(schedule={"shortest_minutes": 30})
    make_instrument(schedule={"shortest_minutes": 240})
    make_instrument(schedule={"shortest_minutes": 30, "longest_minutes": 30})

    assert [each.slot.minutes for each in find(now, minutes=None)] == [60, 240, 30]


@pytest.mark.parametrize("minutes", [30, 45, 540])
def test_a_length_that_is_too_short_off_the_grid_or_too_long_is_never_offered(now, minutes):
    make_instrument()

    assert find(now, minutes=minutes) == []


def test_nothing_beyond_the_horizon_is_offered(now):
    make_instrument(schedule={"horizon_days": 2})

    assert find(now, start=now.at + 2 * DAY) == []
    assert len(find(now, start=now.at + DAY)) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"publication": Publication.DRAFT},
        {"publication": Publication.WITHDRAWN},
        {"sharing_mode": SharingMode.INTERNAL},
        {"sharing_mode": SharingMode.NONE},
        {"running_state": RunningState.REPAIR},
        {"running_state": RunningState.SCRAP},
        {"price": None},
        {"schedule": None},
        {"hours": {}},
    ],
    ids=str,
)
def test_what_cannot_be_booked_is_never_offered(now, given):
    make_instrument(**given)

    assert find(now) == []


def test_a_price_for_another_class_does_not_count(now):
    instrument = make_instrument(price=None)
    make_price(instrument, CustomerClass.LARGE)

    assert find(now) == []
    assert len(find(now, customer=Customer())) == 1


def test_ones_own_instruments_need_no_price_and_may_be_internal(now):
    owner = make_institution()
    make_instrument(institution=owner, sharing_mode=SharingMode.INTERNAL, price=None)

    assert len(find(now, customer=Customer(own_institutions=frozenset({owner.id})))) == 1


def test_category_and_region_are_prefixes(now):
    make_instrument(category_code="020101", region_code="430102")
    make_instrument(category_code="020102", region_code="430211")
    make_instrument(category_code="030101", region_code=None)

    assert len(find(now, category="0201")) == 2
    assert len(find(now, category="020101")) == 1
    assert len(find(now, category="02", region="430100")) == 1
    assert len(find(now, region="43")) == len(find(now, region="430000")) == 2


def test_one_free_unit_is_enough(now):
    instrument = make_instrument(units=2)
    take(instrument, TimeSlot(now.at, now.at + 24 * HOUR))

    assert walls(find(now)) == ["23 11:00"]


def test_the_number_of_statements_does_not_grow_with_the_rows(now):
    for _ in range(3):
        take(make_instrument(), slot())
    with counted() as few:
        find(now)
    for _ in range(20):
        take(make_instrument(hours={0: [(480, 1080 - len(few))]}), slot())

    with counted() as many:
        assert len(find(now)) == 23

    assert len(many) == len(few) == 3


def test_the_first_gap_is_where_the_length_fits_between_what_is_taken(now):
    busy, idle, full = make_instrument(), make_instrument(), make_instrument()
    start = minute_after(now.at)
    for first, last in ((0, 60), (90, 200)):
        take(busy, slot_of((start + first, start + last)))
    take(full, slot_of((start - 30, start + 400)))
    window = slot_of((start, start + 300))

    def gaps(minutes: int) -> dict[int, int]:
        opening = Opening([(start, start + 300)], minutes)
        asked = [(each.id, 0) for each in (busy, idle, full)]
        return {each: at - start for each, at in first_gaps(asked, [opening], window).items()}

    assert gaps(30) == {busy.id: 60, idle.id: 0}
    assert gaps(31) == {busy.id: 200, idle.id: 0}
    assert gaps(101) == {idle.id: 0}


def test_of_many_the_full_ones_are_left_to_the_database(now, monkeypatch):
    monkeypatch.setattr(search, "AT_FIRST", 2)
    full = [make_instrument() for _ in range(12)]
    for each in full:
        take(each, TimeSlot(now.at, now.at + 8 * DAY))
    free = make_instrument()
    with counted() as statements:
        found = find(now)

    assert [each.instrument_id for each in found] == [free.id]
    assert len(statements) == 4


@pytest.mark.parametrize("seed", range(12))
def test_the_search_finds_what_trying_every_minute_finds(now, monkeypatch, seed):
    # Batches of two, so that the order across batches is put to the test as well.
    monkeypatch.setattr(search, "AT_FIRST", 2)
    monkeypatch.setattr(search, "THEN_TIMES", 1)
    if seed % 2:  # then all seven count as many
        monkeypatch.setattr(search, "MANY", 3)
        monkeypatch.setattr(search, "OF_MANY", 2)
    dice = random.Random(seed)
    for _ in range(7):
        _some_instrument(dice, now)
    window = TimeSlot(now.at + dice.randrange(40) * HOUR, now.at + 5 * DAY)
    minutes = dice.choice([30, 60, 90, 180])

    found = list(queries.find_free_slots(window, customer=FIRM, now=now.at, minutes=minutes))

    expected = sorted(
        (start, instrument.id)
        for instrument in db.session.query(Instrument)
        if (start := _try_every_minute(instrument, window, minutes, now.at)) is not None
    )
    assert [(each.starts_at, each.instrument_id) for each in found] == expected


def _some_instrument(dice: random.Random, now) -> Instrument:
    opens = dice.choice([0, 480, 1110])
    instrument = make_instrument(
        units=dice.choice([1, 1, 2, 3]),
        time_zone=dice.choice(["Asia/Shanghai", "Asia/Kathmandu", "Europe/Berlin"]),
        hours={
            day: [(opens, dice.choice([opens + 300, 1440]))] for day in range(dice.choice([5, 7]))
        },
        schedule={
            "grid_minutes": dice.choice([10, 30, 60]),
            "shortest_minutes": 30,
            "lead_minutes": dice.choice([0, 120, 1500]),
            "horizon_days": dice.choice([1, 3, 60]),
            "buffer_before_minutes": dice.choice([0, 15, 60]),
            "buffer_after_minutes": dice.choice([0, 20]),
        },
    )
    for unit in range(1, instrument.units + 1):
        start = now.at - 2 * HOUR
        while start < now.at + 4 * DAY:
            end = start + timedelta(minutes=dice.randrange(7, 900))
            take(instrument, TimeSlot(start, end), unit)
            start = end + timedelta(minutes=dice.choice([0, 30, 61, 200, 1000]))
    return instrument


def _try_every_minute(
    instrument: Instrument, window: TimeSlot, minutes: int, now: datetime
) -> datetime | None:
    (pattern,) = queries.patterns(window, Instrument.id == instrument.id)
    held = db.session.query(Occupancy).filter_by(instrument_id=instrument.id).all()
    for each in _minutes(window):
        wanted = TimeSlot(each, each + timedelta(minutes=minutes))
        widened = wanted.widened(
            before_minutes=pattern.policy.buffer_before_minutes,
            after_minutes=pattern.policy.buffer_after_minutes,
        )
        busy = {taken.unit for taken in held if taken.slot.overlaps(widened)}
        if (
            window.contains(wanted)
            and len(busy) < instrument.units
            and not list(broken_rules(wanted, pattern.policy, pattern.plan, now=now))
        ):
            return wanted.starts_at
    return None


def _minutes(window: TimeSlot) -> Iterator[datetime]:
    # Every grid here is a multiple of five, also in Kathmandu.
    start = window.starts_at.replace(second=0, microsecond=0)
    while start < window.ends_at:
        yield start
        start += timedelta(minutes=5)


def offered(instrument, wanted, now, *, kin=True):
    equal = queries.Kin(instrument.region_code, instrument.category_code) if kin else None
    return queries.alternatives(instrument.id, wanted, customer=FIRM, now=now.at, kin=equal)


def test_alternatives_here_are_the_next_that_do_not_overlap(now):
    instrument = make_instrument()
    take(instrument, slot())

    found = offered(instrument, slot(), now)

    assert walls(found.here) == ["25 12:00", "25 14:00", "25 16:00"]
    assert found.elsewhere == []


def test_alternatives_elsewhere_prefer_the_same_class_and_come_soonest_first(now):
    taken_one = make_instrument(category_code="020101")
    take(taken_one, slot())
    near = make_instrument(category_code="020102")
    same_later, same = (make_instrument(category_code="020101") for _ in range(2))
    take(same_later, slot())

    found = offered(taken_one, slot(), now)

    assert [each.instrument_id for each in found.elsewhere] == [same.id, same_later.id, near.id]
    assert walls(found.elsewhere) == ["25 10:00", "25 12:00", "25 10:00"]


def test_alternatives_take_three_statements_whatever_is_found(now):
    instrument = make_instrument()
    for _ in range(8):
        make_instrument(hours=ROUND_THE_CLOCK)

    with counted() as statements:
        offered(instrument, slot(), now)

    assert len(statements) == 3


def look(instrument, window, now, *, caller=None, customer=FIRM):
    return queries.availability(instrument, window, customer=customer, caller=caller, now=now.at)


WEDNESDAY = TimeSlot(
    datetime.fromisoformat("2026-11-25T00:00+08:00"),
    datetime.fromisoformat("2026-11-26T00:00+08:00"),
)


def test_availability_shows_open_busy_and_free_with_buffers(now):
    instrument = make_instrument(schedule={"buffer_after_minutes": 30})
    take(instrument, slot())

    found = look(instrument, WEDNESDAY, now)

    assert [s.minutes for s in found.opened] == [600]
    assert found.busy == [slot()]
    # Before it 8:00-9:30, since half an hour after must stay clear; after it 12:00-18:00.
    assert [s.minutes for s in found.free] == [90, 360]
    assert found.bookable


def test_free_starts_after_the_lead_time_and_ends_with_the_horizon(now):
    instrument = make_instrument(schedule={"horizon_days": 1}, hours=ROUND_THE_CLOCK)

    found = look(instrument, TimeSlot(now.at - DAY, now.at + 5 * DAY), now)

    assert found.free == [TimeSlot(now.at + 2 * HOUR, now.at + DAY)]


def test_what_crosses_the_edge_of_the_window_is_cut(now):
    instrument = make_instrument()
    take(instrument, slot())
    half = TimeSlot(slot().starts_at + HOUR, slot().starts_at + 5 * HOUR)

    found = look(instrument, half, now)

    assert found.busy == [TimeSlot(half.starts_at, half.starts_at + HOUR)]
    assert found.free == [TimeSlot(half.starts_at + HOUR, half.ends_at)]


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"schedule": None}, "not_open"),
        ({"hours": {}}, "not_open"),
        ({"price": None}, "no_price"),
        ({"sharing_mode": SharingMode.INTERNAL}, "sharing_mode"),
        ({"running_state": RunningState.REPAIR}, "running_state"),
    ],
    ids=str,
)
def test_what_cannot_be_booked_is_never_free_and_says_why(now, given, rule):
    found = look(make_instrument(**given), WEDNESDAY, now)

    assert (found.free, found.bookable) == ([], False)
    assert [obstacle.rule for obstacle in found.obstacles] == [rule]


def test_the_owners_people_see_what_takes_the_time_and_others_do_not(now):
    owner = make_institution()
    instrument = make_instrument(institution=owner)
    take(instrument, slot())

    inside = look(instrument, WEDNESDAY, now, caller=make_caller(owner, Role.OPERATOR))
    outside = look(instrument, WEDNESDAY, now, caller=make_caller())

    assert [each.kind for each in inside.held] == [OccupancyKind.RESERVATION]
    assert outside.held is None


def test_availability_takes_the_same_statements_empty_or_full(now):
    instrument = make_instrument(hours=ROUND_THE_CLOCK)
    with counted() as empty:
        look(instrument, WEDNESDAY, now)
    for hour in range(20):
        take(instrument, TimeSlot(now.at + hour * HOUR, now.at + (hour + 1) * HOUR))

    with counted() as full:
        look(instrument, WEDNESDAY, now)

    assert len(full) == len(empty) == 4


def test_open_windows_are_those_of_the_pattern(now):
    instrument = make_instrument()
    (pattern,) = queries.patterns(WEDNESDAY, Instrument.id == instrument.id)

    assert open_windows(pattern.plan, WEDNESDAY) == look(instrument, WEDNESDAY, now).opened
