"""Deciding about bookings: for one instrument, for a whole institution, and what cannot be."""

from dataclasses import asdict
from datetime import timedelta

import pytest
from sqlalchemy import text

from booking.accounts.rules import CustomerClass, Role
from booking.availability import queries, service
from booking.availability.errors import Unbookable
from booking.availability.rules import CONDITIONS, TERMS, Pairing, Terms
from booking.kernel import clock
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotAllowed, NotFound, Stale
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Publication, RunningState
from booking.tariffs import queries as tariffs
from booking.tariffs.rules import Customer
from tests.factories import (
    WEDNESDAY_10,
    caller_of,
    make_caller,
    make_institution,
    make_instrument,
    make_user,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
MONDAY = WEDNESDAY_10 - timedelta(hours=58)
WEEK = TimeSlot(MONDAY, MONDAY + timedelta(days=7))
NIGHT = {"begins_minute": 1080, "ends_minute": 480, "classes": []}


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def manager(owner):
    return make_caller(owner, Role.MANAGER)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


def errors_of(refused) -> set[str]:
    return set(refused.value.details["errors"])


def test_what_an_instrument_does_not_decide_it_has_from_its_institution(instrument, owner, manager):
    service.set_defaults(owner.id, {"gap_minutes": 30, "lead_minutes": 60}, caller=manager)

    sheet = service.set_policy(instrument.id, {"horizon_days": 10}, caller=manager)

    assert sheet.own == {"horizon_days": 10}
    assert service.set_policy(instrument.id, sheet.own, caller=manager).document == sheet.document
    document = sheet.document
    assert (document["gap_minutes"], document["lead_minutes"], document["horizon_days"]) == (
        30,
        60,
        10,
    )


def test_new_defaults_reach_what_inherits_and_leave_what_is_decided(instrument, owner, manager):
    other = make_instrument(institution=owner)
    service.set_policy(instrument.id, {"gap_minutes": 0}, caller=manager)

    service.set_defaults(
        owner.id, {"gap_minutes": 45, "classes": ["sme"], "quotas": {"firm_day_hours": 8}},
        caller=manager,
    )  # fmt: skip

    document = queries.get_policy(other).document
    assert (document["gap_minutes"], document["classes"]) == (45, ["sme"])
    assert document["quotas"] == {"firm_day_hours": 8}
    assert queries.get_policy(instrument).document["gap_minutes"] == 0


def test_schedules_from_before_keep_their_terms(instrument, owner, manager):
    service.set_defaults(owner.id, asdict(Terms(lead_minutes=1440)), caller=manager)

    assert queries.get_policy(instrument).document["lead_minutes"] == Terms.lead_minutes


def test_a_new_schedule_follows_its_institution_where_it_says_the_same(owner, manager):
    service.set_defaults(owner.id, {"lead_minutes": 60, "gap_minutes": 30}, caller=manager)
    fresh = make_instrument(institution=owner, schedule=None)

    service.set_schedule(
        fresh.id, Terms(lead_minutes=60, horizon_days=9), {0: [(480, 1080)]}, caller=manager
    )

    inherits = set(queries.get_policy(fresh).schedule.inherits)
    assert inherits == {*TERMS, *CONDITIONS} - {"horizon_days"}
    service.set_defaults(owner.id, {"lead_minutes": 90}, caller=manager)
    document = queries.get_policy(fresh).document
    assert (document["lead_minutes"], document["gap_minutes"]) == (90, 0)


def test_a_term_that_is_changed_with_the_hours_is_the_instruments_own(instrument, owner, manager):
    service.set_policy(instrument.id, {}, caller=manager)

    service.set_schedule(
        instrument.id, Terms(longest_minutes=600), {0: [(480, 1080)]}, caller=manager
    )

    assert queries.get_policy(instrument).own == {"longest_minutes": 600}


def test_pairs_are_seen_from_both_sides_and_taken_back(instrument, owner, manager):
    pump, oven = make_instrument(institution=owner), make_instrument(institution=owner)

    service.set_policy(
        instrument.id, {}, pairs={pump.id: Pairing.NEEDS, oven.id: Pairing.APART_ALL},
        caller=manager,
    )  # fmt: skip

    assert [pair.pairing for pair in queries.pairs_of(pump.id)] == [Pairing.NEEDED_BY]
    assert [pair.pairing for pair in queries.pairs_of(oven.id)] == [Pairing.APART_ALL]
    service.set_policy(oven.id, {}, pairs={}, caller=manager)
    service.set_policy(pump.id, {}, pairs={}, caller=manager)
    assert [pair.instrument_id for pair in queries.pairs_of(instrument.id)] == [pump.id]
    assert not [*queries.breaches()]


@pytest.mark.parametrize(
    ("own", "field"),
    [
        pytest.param({"classes": []}, "classes", id="nobody"),
        pytest.param({"gap_minutes": 20000}, "gap_minutes", id="gap-too-wide"),
        pytest.param({"quotas": {"firm_day_hours": 0}}, "firm_day_hours", id="quota-of-nothing"),
        pytest.param({"quotas": {"firm_day_hours": 25}}, "firm_day_hours", id="25-hours-a-day"),
        pytest.param({"quotas": {"firm_year_hours": 2}}, "quotas", id="no-such-quota"),
        pytest.param({"night": NIGHT | {"ends_minute": 1100}}, "night", id="night-ends-late"),
        pytest.param({"days_off": {}}, "days_off", id="says-nothing"),
        pytest.param({"days_off": {"longest_minutes": 1}}, "days_off_longest_minutes", id="short"),
        pytest.param({"shortest_minutes": 45}, "shortest_minutes", id="off-the-grid"),
    ],
)
def test_values_that_cannot_be_are_refused_at_their_field(instrument, manager, own, field):
    with pytest.raises(InvalidField) as refused:
        service.set_policy(instrument.id, own, caller=manager)

    assert errors_of(refused) == {field}


@pytest.mark.parametrize(
    ("own", "fields"),
    [
        pytest.param(
            {"shortest_minutes": 660, "longest_minutes": 660}, {"shortest_minutes"}, id="never-open"
        ),
        pytest.param({"lead_minutes": 1440, "horizon_days": 1}, {"lead_minutes"}, id="lead"),
        pytest.param(
            {"shortest_minutes": 120, "quotas": {"user_day_hours": 1, "firm_week_hours": 1}},
            {"user_day_hours", "firm_week_hours"},
            id="both-quotas",
        ),
        pytest.param(
            {"night": NIGHT | {"begins_minute": 510}, "shortest_minutes": 60}, {"night"}, id="night"
        ),
    ],
)
def test_what_leaves_nobody_any_slot_is_refused_with_a_way_out(instrument, manager, own, fields):
    with pytest.raises(Unbookable) as refused:
        service.set_policy(instrument.id, own, caller=manager)

    assert errors_of(refused) == fields
    assert all("请" in str(words[0]) for words in refused.value.details["errors"].values())


def test_only_internal_nights_are_fine_for_who_may_come_then(instrument, manager):
    own = {
        "classes": ["internal"],
        "night": NIGHT | {"begins_minute": 510, "classes": ["internal"]},
    }

    assert service.set_policy(instrument.id, own, caller=manager)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"publication": Publication.WITHDRAWN}, id="withdrawn"),
        pytest.param({"running_state": RunningState.REPAIR}, id="in-repair"),
        pytest.param({"schedule": None}, id="never-open"),
    ],
)
def test_what_cannot_be_booked_cannot_be_needed(instrument, owner, manager, given):
    pump = make_instrument(institution=owner, **given)

    with pytest.raises(Unbookable) as refused:
        service.set_policy(instrument.id, {}, pairs={pump.id: Pairing.NEEDS}, caller=manager)

    assert errors_of(refused) == {"needs"}
    assert service.set_policy(instrument.id, {}, pairs={pump.id: Pairing.APART}, caller=manager)


def test_needs_do_not_go_round_in_a_circle(owner, manager):
    first, second, third = (make_instrument(institution=owner).id for _ in range(3))

    def need(one, other, how=Pairing.NEEDS):
        return service.set_policy(one, {}, pairs={other: how}, caller=manager)

    need(first, second)
    need(second, third)
    for one, other in ((third, first), (second, first), (first, first)):
        with pytest.raises(Unbookable) as refused:
            need(one, other)
        assert errors_of(refused) == {"needs"}


def test_what_is_needed_is_not_kept_apart(owner, manager):
    first, second, third = (make_instrument(institution=owner).id for _ in range(3))
    service.set_policy(second, {}, pairs={third: Pairing.NEEDS}, caller=manager)

    pairs = {second: Pairing.NEEDS, third: Pairing.APART}

    with pytest.raises(Unbookable) as refused:
        service.set_policy(first, {}, pairs=pairs, caller=manager)

    assert errors_of(refused) == {"apart"}


def test_another_institutions_instrument_is_not_ours_to_pair(instrument, manager):
    foreign = make_instrument()

    for how, field in ((Pairing.NEEDS, "needs"), (Pairing.APART_ALL, "apart")):
        with pytest.raises(Unbookable) as refused:
            service.set_policy(instrument.id, {}, pairs={foreign.id: how}, caller=manager)
        assert errors_of(refused) == {field}


def test_defaults_that_would_close_an_instrument_change_nothing_and_name_it(
    instrument, owner, manager
):
    service.set_policy(instrument.id, {}, caller=manager)

    given = {"shortest_minutes": 660, "longest_minutes": 660}

    with pytest.raises(Unbookable) as refused:
        service.set_defaults(owner.id, given, caller=manager)

    assert instrument.name in str(refused.value.details["errors"]["shortest_minutes"][0])


def test_only_who_manages_decides_and_only_from_what_they_saw(instrument, owner, manager):
    operator = make_caller(owner, Role.OPERATOR)

    for caller in (operator, make_caller()):
        with pytest.raises(NotAllowed):
            service.set_policy(instrument.id, {}, caller=caller)
        with pytest.raises(NotAllowed):
            service.set_defaults(owner.id, {}, caller=caller)
    with pytest.raises(Stale):
        service.set_policy(instrument.id, {}, caller=manager, version=7)
    with pytest.raises(Stale):
        service.set_defaults(owner.id, {}, caller=manager, version=7)
    unopened = make_instrument(institution=owner, schedule=None)
    with pytest.raises(NotFound):
        service.set_policy(unopened.id, {}, caller=manager)


SME, LARGE = (Customer((each,)) for each in (CustomerClass.SME, CustomerClass.LARGE))


def found_by(customer, window=WEEK):
    found = queries.find_free_slots(window, customer=customer, now=clock.now(), minutes=60)
    return {each.instrument_id for each in found}


def test_search_offers_only_what_the_class_may_book(owner, manager):
    restricted, usual = make_instrument(institution=owner), make_instrument(institution=owner)
    service.set_policy(restricted.id, {"classes": ["large"]}, caller=manager)

    assert found_by(SME) == {usual.id}
    assert found_by(LARGE) == {restricted.id, usual.id}
    assert found_by(Customer(own_institutions=frozenset({owner.id}))) == {restricted.id, usual.id}
    ours_only = Customer((), frozenset({owner.id}))
    assert found_by(ours_only) == {usual.id}


def test_a_list_and_a_calendar_say_so_too(instrument, owner, manager):
    service.set_policy(instrument.id, {"classes": ["large"]}, caller=manager)
    firm = make_caller()
    wanted = queries.Wanted(window=WEEK)

    assert queries.free_count(wanted, caller=firm, now=clock.now()).count == 0
    shown = queries.availability(instrument, WEEK, customer=SME, caller=None, now=clock.now())
    assert ([each.rule for each in shown.obstacles], shown.free) == (["classes"], [])
    assert "大型企业" in str(shown.obstacles[0].detail)


def test_hours_that_are_not_for_them_are_not_offered(owner, manager):
    late = make_instrument(institution=owner, hours={day: [(480, 1320)] for day in range(7)})
    service.set_policy(
        late.id,
        {"night": NIGHT | {"classes": ["large"]}, "days_off": {"classes": []}},
        caller=manager,
    )

    def hours_for(customer):
        shown = queries.availability(late, WEEK, customer=customer, caller=None, now=clock.now())
        zone = late.zone
        return {
            (slot.starts_at.astimezone(zone).weekday(), slot.ends_at.astimezone(zone).hour)
            for slot in shown.free
        }

    assert {day for day, _ in hours_for(SME)} == {0, 1, 2, 3, 4}
    assert {hour for _, hour in hours_for(SME)} == {18}
    assert {hour for _, hour in hours_for(LARGE)} == {22}
    weeks = queries.weeks([late.id], clock.today(), now=clock.now(), customer=SME)
    assert all(start.hour < 18 for day in weeks[late.id].days for start in day.starts)


def test_people_of_the_owner_and_of_a_firm_are_told_apart(owner, manager, instrument):
    service.set_policy(instrument.id, {"classes": ["internal"]}, caller=manager)
    both = make_user(owner, Role.OPERATOR)
    caller = caller_of(both, (owner, Role.OPERATOR))

    assert found_by(tariffs.customer_of(caller)) == {instrument.id}
    assert found_by(tariffs.customer_of(make_caller())) == set()


def test_verify_finds_pairs_of_one_side_and_inheritance_that_drifted(instrument, owner, manager):
    pump = make_instrument(institution=owner)
    pairs = {pump.id: Pairing.NEEDS}
    service.set_policy(instrument.id, {}, pairs=pairs, caller=manager)
    service.set_defaults(owner.id, {"gap_minutes": 30}, caller=manager)
    assert not [*queries.breaches()]

    db.session.execute(text("DELETE FROM instrument_pairs WHERE pairing = 'needed_by'"))
    db.session.execute(text("UPDATE schedules SET conditions = NULL"))
    db.session.expire_all()

    found = [*queries.breaches()]
    assert len(found) == 3
    assert sum("gap_minutes" in line for line in found) == 2


def test_a_schedule_that_asks_nothing_keeps_nothing(owner, manager):
    fresh = make_instrument(institution=owner, schedule=None)
    service.set_schedule(fresh.id, Terms(), {0: [(480, 1080)]}, caller=manager)

    kept = db.session.scalar(text("SELECT count(*) FROM schedules WHERE conditions IS NOT NULL"))
    assert kept == 0
