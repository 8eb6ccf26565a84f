"""Several at one confirmation: all or none, each judged with the others in mind."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from booking.accounts.rules import Role
from booking.availability import service as availability
from booking.availability.rules import Pairing
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.reservations import queries, service
from booking.reservations.errors import SomeNotBookable, SomeTaken
from booking.reservations.models import GroupKind, Reservation, ReservationGroup
from booking.reservations.service import Wish
from tests.factories import make_caller, make_institution, make_instrument, slot

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEN, TWO = slot(), slot(slot().starts_at + 4 * HOUR)
NIGHT = slot(slot().starts_at + 12 * HOUR)


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


def refused(kind, *wishes, caller):
    with pytest.raises(kind) as error:
        service.reserve_all(wishes, caller=caller)
    assert db.session.scalar(select(func.count()).select_from(ReservationGroup)) == 0
    return {
        each["index"]: [broken["rule"] for broken in each["violations"]]
        for each in error.value.details["items"]
    }


def count():
    return db.session.scalar(select(func.count()).select_from(Reservation))


def test_all_are_reserved_at_one_confirmation(instrument, pump, firm):
    wishes = [Wish(pump.id, TWO), Wish(instrument.id, TWO), Wish(instrument.id, TEN)]

    made = service.reserve_all(wishes, caller=firm, purpose="拉伸试验")

    assert made.group.kind is GroupKind.BUNDLE
    assert (made.group.size, made.group.rule) == (3, None)
    assert [each.slot for each in made.reservations] == [TEN, TWO, TWO]
    assert {each.purpose for each in made.reservations} == {"拉伸试验"}
    assert {each.group_id for each in made.reservations} == {made.group.id}
    assert list(queries.breaches()) == []


def test_each_refused_item_is_named_with_all_its_rules_and_nothing_is_booked(
    instrument, pump, firm
):
    wishes = (
        Wish(instrument.id, TEN),
        Wish(pump.id, slot(NIGHT.starts_at + timedelta(minutes=7))),
        Wish(10**9, TEN),
    )

    assert refused(SomeNotBookable, *wishes, caller=firm) == {
        1: ["grid", "closed"],
        2: ["not_found"],
    }
    assert count() == 0


def test_what_is_taken_is_named_with_what_is_free_instead(instrument, pump, firm):
    service.reserve(instrument.id, TEN, caller=make_caller())

    with pytest.raises(SomeTaken) as taken:
        service.reserve_all([Wish(pump.id, TEN), Wish(instrument.id, TEN)], caller=firm)

    [item] = taken.value.details["items"]
    assert (item["index"], item["taken"]) == (1, True)
    assert item["alternatives"][0]["starts_at"] == TEN.ends_at
    assert count() == 1


def test_who_is_slower_with_one_gets_none(instrument, pump, firm, monkeypatch):
    service.reserve(instrument.id, TEN, caller=make_caller())
    # As if the other had committed just after we looked.
    monkeypatch.setattr("booking.availability.queries.is_free", lambda *_, **__: True)

    found = refused(SomeTaken, Wish(pump.id, TEN), Wish(instrument.id, TEN), caller=firm)

    assert found == {1: []}
    assert count() == 1


def test_quotas_count_the_other_items(instrument, manager, firm):
    availability.set_policy(instrument.id, {"quotas": {"firm_day_bookings": 1}}, caller=manager)
    wishes = [Wish(instrument.id, TWO), Wish(instrument.id, TEN)]

    assert refused(SomeNotBookable, *wishes, caller=firm) == {0: ["firm_day_bookings"]}


def test_gaps_reckon_with_the_other_items(instrument, manager, firm):
    availability.set_policy(instrument.id, {"gap_minutes": 180}, caller=manager)
    wishes = [Wish(instrument.id, TEN), Wish(instrument.id, TWO)]

    assert refused(SomeNotBookable, *wishes, caller=firm) == {1: ["gap"]}


@pytest.mark.parametrize("needs_first", [True, False])
def test_what_must_be_booked_together_is(instrument, pump, manager, firm, needs_first):
    one, other = (instrument, pump) if needs_first else (pump, instrument)
    availability.set_policy(one.id, {}, pairs={other.id: Pairing.NEEDS}, caller=manager)

    assert refused(SomeNotBookable, Wish(one.id, TEN), Wish(other.id, TWO), caller=firm) == {
        0: ["needs"]
    }
    made = service.reserve_all([Wish(one.id, TEN), Wish(other.id, TEN)], caller=firm)
    assert len(made.reservations) == 2


@pytest.mark.parametrize("pairing", [Pairing.APART, Pairing.APART_ALL])
def test_what_must_not_be_booked_together_is_not(instrument, pump, manager, firm, pairing):
    availability.set_policy(instrument.id, {}, pairs={pump.id: pairing}, caller=manager)
    wishes = [Wish(instrument.id, TEN), Wish(pump.id, TEN)]

    assert refused(SomeNotBookable, *wishes, caller=firm) == {0: [pairing], 1: [pairing]}


def test_items_that_overlap_need_a_unit_each(owner, firm):
    single = make_instrument(institution=owner, schedule={"buffer_after_minutes": 30})
    double = make_instrument(institution=owner, units=2)
    next_door = slot(TEN.ends_at)

    assert refused(
        SomeNotBookable, Wish(single.id, TEN), Wish(single.id, next_door), caller=firm
    ) == {1: ["overlaps"]}
    assert refused(SomeNotBookable, *[Wish(double.id, TEN)] * 3, caller=firm) == {2: ["overlaps"]}
    made = service.reserve_all([Wish(double.id, TEN)] * 2, caller=firm)
    assert {each.unit for each in made.reservations} == {1, 2}


def test_an_item_that_needs_approval_waits_while_the_others_stand(instrument, owner, firm):
    asked = make_instrument(institution=owner, schedule={"approval_mode": "always"})

    made = service.reserve_all([Wish(asked.id, TWO), Wish(instrument.id, TEN)], caller=firm)

    assert [each.status.value for each in made.reservations] == ["confirmed", "tentative"]
    assert list(queries.breaches()) == []


def test_a_preview_books_nothing_and_says_the_same(instrument, pump, firm):
    found = service.preview([Wish(instrument.id, TEN), Wish(pump.id, NIGHT)], caller=firm)

    assert [each.bookable for each in found] == [True, False]
    assert found[0].offer.quote.price.minor == 28800
    assert count() == 0


def test_a_group_is_shown_as_far_as_one_may_see_it(instrument, firm, manager):
    elsewhere = make_instrument()
    made = service.reserve_all([Wish(instrument.id, TEN), Wish(elsewhere.id, TEN)], caller=firm)

    mine = queries.get_group(made.group.id, caller=firm).reservations
    theirs = queries.get_group(made.group.id, caller=manager).reservations

    assert len(mine) == 2
    assert [each.instrument_id for each in theirs] == [instrument.id]
    with pytest.raises(NotFound):
        queries.get_group(made.group.id, caller=make_caller())


def test_the_database_lets_nobody_into_anothers_group(instrument, firm):
    made = service.reserve_all([Wish(instrument.id, TEN)], caller=firm)
    other = service.reserve(instrument.id, TWO, caller=make_caller())

    joined = text("UPDATE reservations SET group_id = :group WHERE id = :id")
    with pytest.raises(IntegrityError, match="fk_reservations_group"):
        db.session.execute(joined, {"group": made.group.id, "id": other.id})
