"""The owner's policy at every door, and who may set it aside."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.accounts.rules import CustomerClass, Role
from booking.availability import service as availability
from booking.availability.errors import SlotTaken
from booking.availability.models import OccupancyKind
from booking.availability.rules import Pairing
from booking.journal.models import JournalEntry
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotAllowed, NotFound
from booking.reservations import queries, service
from booking.reservations.errors import NotBookable
from booking.reservations.models import Override
from tests.factories import (
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    slot,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEN, TWO = slot(), slot(slot().starts_at + 4 * HOUR)
THURSDAY = slot(slot().starts_at + DAY)


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def manager(owner):
    return make_caller(owner, Role.MANAGER)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def pump(owner):
    return make_instrument(institution=owner, name="真空泵组")


@pytest.fixture
def firm(session):
    return make_caller()


@pytest.fixture
def decide(instrument, manager):
    def decided(pairs=None, **own):
        return availability.set_policy(instrument.id, own, pairs=pairs, caller=manager)

    return decided


def refused_by(door, *args, **given) -> list[str]:
    with pytest.raises(NotBookable) as refused:
        door(*args, **given)
    return [str(violation.rule) for violation in refused.value.violations]


def test_a_quota_holds_for_quoting_reserving_and_moving(instrument, firm, decide):
    decide(quotas={"firm_day_bookings": 1})
    service.reserve(instrument.id, TEN, caller=firm)
    moved = service.reserve(instrument.id, THURSDAY, caller=firm)

    quoted = service.quote(instrument.id, TWO, caller=firm).violations
    assert [each.rule for each in quoted] == ["firm_day_bookings"]
    assert refused_by(service.reserve, instrument.id, TWO, caller=firm) == ["firm_day_bookings"]
    assert refused_by(service.move, moved.id, TWO, caller=firm) == ["firm_day_bookings"]


def test_a_move_within_the_day_does_not_count_itself(instrument, firm, decide):
    decide(quotas={"firm_day_bookings": 1, "user_day_hours": 2}, gap_minutes=600)
    made = service.reserve(instrument.id, TEN, caller=firm)

    assert service.move(made.id, TWO, caller=firm).slot == TWO


def test_what_was_cancelled_and_others_have_does_not_count(instrument, firm, decide):
    decide(quotas={"firm_open_bookings": 1})
    service.cancel(service.reserve(instrument.id, TEN, caller=firm).id, caller=firm)
    service.reserve(instrument.id, TWO, caller=make_caller())

    assert service.reserve(instrument.id, TEN, caller=firm).slot == TEN


def test_a_colleague_has_a_quota_of_their_own(instrument, decide):
    decide(quotas={"user_open_bookings": 1})
    organisation = make_organisation()
    first, second = make_caller(organisation), make_caller(organisation)
    service.reserve(instrument.id, TEN, caller=first)

    assert service.reserve(instrument.id, TWO, caller=second)
    assert refused_by(service.reserve, instrument.id, THURSDAY, caller=second) == [
        "user_open_bookings"
    ]


def test_all_broken_rules_are_told_at_once(instrument, firm, decide):
    decide(
        classes=[CustomerClass.LARGE.value],
        quotas={"firm_day_hours": 1},
        night={"begins_minute": 720, "ends_minute": 480, "classes": []},
        shortest_minutes=30,
        longest_minutes=60,
    )

    assert refused_by(service.reserve, instrument.id, slot(TEN.starts_at + HOUR), caller=firm) == [
        "longest",
        "classes",
        "night_classes",
        "firm_day_hours",
    ]


def test_what_needs_another_is_booked_after_it(instrument, pump, firm, decide):
    decide({pump.id: Pairing.NEEDS})

    assert refused_by(service.reserve, instrument.id, TEN, caller=firm) == ["needs"]
    service.reserve(pump.id, TEN, caller=make_caller())
    assert refused_by(service.reserve, instrument.id, TWO, caller=firm) == ["needs"]
    service.reserve(pump.id, TWO, caller=firm)
    assert service.reserve(instrument.id, TWO, caller=firm)


def test_what_another_needs_stays_until_that_is_gone(instrument, pump, firm, manager, decide):
    decide({pump.id: Pairing.NEEDS})
    needed = service.reserve(pump.id, TEN, caller=firm)
    needing = service.reserve(instrument.id, TEN, caller=firm)

    assert refused_by(service.cancel, needed.id, caller=firm) == ["needed_by"]
    assert refused_by(service.move, needed.id, TWO, caller=firm) == ["needed_by"]
    later = slot(TEN.starts_at + HOUR)
    assert service.move(needed.id, later, caller=firm).slot == later
    service.cancel(needing.id, caller=firm)
    assert service.cancel(needed.id, caller=firm)


def test_the_owner_cancels_what_another_needs(instrument, pump, firm, manager, decide):
    decide({pump.id: Pairing.NEEDS})
    needed = service.reserve(pump.id, TEN, caller=firm)
    service.reserve(instrument.id, TEN, caller=firm)

    assert service.cancel(needed.id, caller=manager)


def test_a_firm_does_not_have_both_that_are_kept_apart(instrument, pump, firm, decide):
    decide({pump.id: Pairing.APART})
    service.reserve(pump.id, TEN, caller=firm)

    assert refused_by(service.reserve, instrument.id, TEN, caller=firm) == ["apart"]
    assert service.reserve(instrument.id, TEN, caller=make_caller())


@pytest.mark.parametrize("first", ["instrument", "pump"])
def test_nobody_has_one_while_anybody_has_the_other(instrument, pump, firm, decide, first):
    decide({pump.id: Pairing.APART_ALL})
    one, other = (instrument, pump) if first == "instrument" else (pump, instrument)
    service.reserve(one.id, TEN, caller=make_caller())

    assert refused_by(service.reserve, other.id, TEN, caller=firm) == ["apart_all"]


def test_own_use_of_one_keeps_the_other_free(instrument, pump, firm, manager, decide):
    decide({pump.id: Pairing.APART_ALL})
    service.close(pump.id, TEN, OccupancyKind.OWN_USE, caller=manager)

    assert refused_by(service.reserve, instrument.id, TEN, caller=firm) == ["apart_all"]


def test_the_number_of_statements_does_not_grow_with_the_rules(instrument, pump, firm, decide):
    with counted() as plain:
        service.reserve(instrument.id, TEN, caller=firm)
    decide(
        {pump.id: Pairing.APART_ALL},
        quotas={"firm_day_bookings": 5, "user_week_hours": 9},
        gap_minutes=30,
        night={"begins_minute": 1080, "ends_minute": 480, "classes": []},
    )

    with counted() as ruled:
        service.reserve(instrument.id, TWO, caller=firm)

    assert len(ruled) == len(plain)


def test_a_manager_sets_rules_aside_for_a_reason(instrument, firm, manager, decide):
    decide(quotas={"firm_day_bookings": 1})
    service.reserve(instrument.id, TEN, caller=firm)
    [seat] = firm.seats
    evening = slot(TEN.starts_at + 9 * HOUR)

    made = service.reserve(
        instrument.id,
        evening,
        caller=manager,
        organisation_id=seat.organisation_id,
        override_reason="急件，已电话商定",
    )

    assert (made.organisation_id, made.user_id) == (seat.organisation_id, firm.user_id)
    assert made.price_minor > 0
    kept = db.session.scalars(select(Override)).one()
    assert [each["rule"] for each in kept.rules] == ["closed", "firm_day_bookings"]
    assert (kept.reason, kept.user_id) == ("急件，已电话商定", manager.user_id)
    entry = db.session.scalars(
        select(JournalEntry).where(JournalEntry.action == "reservation.overridden")
    ).one()
    assert entry.data["rules"] == kept.rules
    assert queries.overrides_of(made.id, caller=manager) == [kept]
    with pytest.raises(NotFound):
        queries.overrides_of(made.id, caller=firm)


def test_a_manager_moves_against_the_rules(instrument, firm, manager, decide):
    decide(quotas={"firm_day_bookings": 1})
    service.reserve(instrument.id, TEN, caller=firm)
    made = service.reserve(instrument.id, THURSDAY, caller=firm)

    assert refused_by(service.move, made.id, TWO, caller=manager) == ["firm_day_bookings"]
    assert service.move(made.id, TWO, caller=manager, override_reason="商定").slot == TWO


def test_what_a_manager_gives_a_reason_for_waits_for_nobody(owner, firm, manager):
    asked = make_instrument(institution=owner, schedule={"approval_mode": "always"})
    first = service.reserve(asked.id, TEN, caller=firm)
    evening = slot(TEN.starts_at + 9 * HOUR)

    made = service.reserve(
        asked.id,
        evening,
        caller=manager,
        organisation_id=first.organisation_id,
        override_reason="已电话商定",
    )

    assert (first.status, made.status) == ("tentative", "confirmed")


def test_nothing_is_written_down_where_no_rule_was_broken(instrument, manager, owner):
    service.reserve(
        instrument.id, TEN, caller=manager, organisation_id=owner.id, override_reason="以防万一"
    )

    assert db.session.scalars(select(Override)).all() == []


def test_what_is_taken_or_begun_or_unfit_is_never_set_aside(owner, manager, instrument, firm):
    service.reserve(instrument.id, TEN, caller=firm)
    overdue = make_instrument(institution=owner, verified_until=TEN.starts_at.date() - 7 * DAY)

    def wanted(what, when):
        return service.reserve(
            what.id, when, caller=manager, organisation_id=owner.id, override_reason="急"
        )

    with pytest.raises(SlotTaken):
        wanted(instrument, TEN)
    past = slot(TEN.starts_at - 14 * DAY)
    assert refused_by(wanted, instrument, past) == ["past"]
    assert refused_by(wanted, overdue, TEN) == ["verification"]


def test_only_who_manages_sets_aside_and_only_for_a_reason(instrument, owner, firm, manager):
    operator = make_caller(owner, Role.OPERATOR)
    stranger = make_caller().seats[0].organisation_id

    for caller in (firm, operator):
        with pytest.raises(NotAllowed):
            service.reserve(instrument.id, TEN, caller=caller, override_reason="急")
    with pytest.raises(InvalidField):
        service.reserve(instrument.id, TEN, caller=manager, override_reason="")
    with pytest.raises(NotFound):
        service.reserve(
            instrument.id, TEN, caller=manager, organisation_id=stranger, override_reason="急"
        )
    with pytest.raises(NotAllowed):
        service.reserve(instrument.id, TEN, caller=manager, organisation_id=stranger)
