"""Quoting, reserving, moving and cancelling on a real database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.accounts.rules import CustomerClass, Role, Scope
from booking.availability import queries as calendars
from booking.availability import service as availability
from booking.availability.errors import SlotTaken
from booking.availability.models import Occupancy
from booking.journal.models import JournalEntry
from booking.kernel.errors import NotAllowed, NotFound, Stale, WrongState
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Publication, RunningState, SharingMode
from booking.reservations import queries, service
from booking.reservations.errors import NotBookable, TooLateToChange
from booking.reservations.models import ReservationStatus
from tests.factories import (
    caller_of,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_price,
    make_user,
    prices_up,
    slot,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
THURSDAY = slot(slot().starts_at + DAY)


@pytest.fixture
def firm(session):
    return make_caller()


@pytest.fixture
def instrument(session):
    return make_instrument()


def rules_of(refused) -> list[str]:
    return [violation.rule for violation in refused.value.violations]


def no_breaches() -> bool:
    return not [*queries.breaches(), *calendars.breaches()]


def test_reserve_freezes_price_and_baseline(instrument, firm):
    reservation = service.reserve(instrument.id, slot(hours=2), caller=firm)

    assert (reservation.list_minor, reservation.price_minor) == (36000, 28800)
    assert reservation.expected_saving == Money.of("72.00")
    assert reservation.baseline_rank == 2
    assert reservation.status is ReservationStatus.CONFIRMED
    assert no_breaches()


def test_a_later_price_changes_nothing_that_was_agreed(instrument, firm, session):
    reservation = service.reserve(instrument.id, slot(), caller=firm)
    reservation_id = reservation.id
    prices_up()
    session.expire_all()

    assert queries.get_reservation(reservation_id, caller=firm).price == Money.of("288.00")


def test_reserve_refuses_an_overlapping_slot(instrument, firm):
    service.reserve(instrument.id, slot(), caller=firm)

    with pytest.raises(SlotTaken):
        service.reserve(instrument.id, slot(), caller=make_caller())


def test_the_refusal_offers_what_is_free_here_and_elsewhere_with_prices(instrument, firm):
    equal = make_instrument(price=None)
    make_price(equal, per_hour_minor=10000, discount_percent=0)
    make_instrument(region_code="430200")
    service.reserve(instrument.id, slot(), caller=firm)

    with pytest.raises(SlotTaken) as refused:
        service.reserve(instrument.id, slot(), caller=firm)

    here, elsewhere = (refused.value.details[part] for part in ("alternatives", "elsewhere"))
    assert [each["starts_at"] - slot().starts_at for each in here] == [2 * HOUR, 4 * HOUR, 6 * HOUR]
    assert {each["price"] for each in here} == {Money.of("288.00")}
    assert [(each["instrument_id"], each["starts_at"], each["price"]) for each in elsewhere] == [
        (equal.id, slot().starts_at, Money.of("200.00"))
    ]


def test_every_alternative_can_be_had(instrument, firm):
    make_instrument()
    service.reserve(instrument.id, slot(), caller=firm)
    with pytest.raises(SlotTaken) as refused:
        service.reserve(instrument.id, slot(), caller=firm)
    offered = [*refused.value.details["alternatives"], *refused.value.details["elsewhere"]]

    for each in offered:
        service.reserve(
            each["instrument_id"], TimeSlot(each["starts_at"], each["ends_at"]), caller=firm
        )

    assert len(offered) == 4
    assert no_breaches()


def test_unsorted_instruments_are_nobodys_equal(firm):
    first, _ = (make_instrument(category_code="990000") for _ in range(2))
    service.reserve(first.id, slot(), caller=firm)

    with pytest.raises(SlotTaken) as refused:
        service.reserve(first.id, slot(), caller=firm)

    assert refused.value.details["elsewhere"] == []


def test_reserve_names_all_broken_rules_at_once_and_what_would_do(instrument, firm):
    with pytest.raises(NotBookable) as refused:
        service.reserve(instrument.id, slot(hours=9.1), caller=firm)

    assert rules_of(refused) == ["longest", "grid", "closed"]
    nearest = refused.value.details["alternatives"][0]
    assert nearest["ends_at"] - nearest["starts_at"] == 8 * HOUR
    service.reserve(instrument.id, TimeSlot(nearest["starts_at"], nearest["ends_at"]), caller=firm)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"schedule": None}, "not_open"),
        ({"price": None}, "no_price"),
        ({"sharing_mode": SharingMode.INTERNAL}, "sharing_mode"),
        ({"sharing_mode": SharingMode.NONE}, "sharing_mode"),
        ({"running_state": RunningState.REPAIR}, "running_state"),
    ],
    ids=str,
)
def test_what_cannot_be_booked_says_why(firm, given, rule):
    instrument = make_instrument(**given)

    with pytest.raises(NotBookable) as refused:
        service.reserve(instrument.id, slot(), caller=firm)

    assert rules_of(refused) == [rule]
    assert refused.value.details["alternatives"] == []


def test_a_draft_or_unknown_instrument_is_not_found(firm):
    draft = make_instrument(publication=Publication.DRAFT)

    for instrument_id in (draft.id, draft.id + 1):
        with pytest.raises(NotFound):
            service.reserve(instrument_id, slot(), caller=firm)


def test_the_owner_uses_its_own_instrument_free_of_charge_and_without_saving():
    owner = make_institution()
    instrument = make_instrument(institution=owner, sharing_mode=SharingMode.INTERNAL, price=None)

    reservation = service.reserve(instrument.id, slot(), caller=make_caller(owner, Role.TESTER))

    assert reservation.customer_class is CustomerClass.INTERNAL
    assert (reservation.price, reservation.baseline) == (Money(0), None)
    assert no_breaches()


def test_buffers_keep_neighbours_apart(firm):
    instrument = make_instrument(schedule={"buffer_before_minutes": 30, "buffer_after_minutes": 30})
    service.reserve(instrument.id, slot(hours=2), caller=firm)

    with pytest.raises(SlotTaken) as refused:
        service.reserve(instrument.id, slot(slot().ends_at + HOUR / 2), caller=firm)

    assert refused.value.details["alternatives"][0]["starts_at"] == slot().ends_at + HOUR
    assert no_breaches()


def test_identical_units_are_given_out_one_by_one(firm):
    instrument = make_instrument(units=2)

    units = [service.reserve(instrument.id, slot(), caller=firm).unit for _ in range(2)]

    assert units == [1, 2]
    with pytest.raises(SlotTaken):
        service.reserve(instrument.id, slot(), caller=firm)


def test_the_baseline_of_a_young_list_waits_for_a_use_paid_in_full(firm, session):
    instrument = make_instrument(price=None)
    make_price(instrument, discount_percent=0)

    first = service.reserve(instrument.id, slot(), caller=firm)
    assert first.baseline is None
    first.status = ReservationStatus.USAGE_CONFIRMED
    session.flush()

    assert service.reserve(instrument.id, THURSDAY, caller=firm).baseline == Money.of("360.00")


def test_a_quote_names_rules_price_and_whether_it_is_taken(instrument, firm):
    free = service.quote(instrument.id, slot(), caller=firm)
    service.reserve(instrument.id, slot(), caller=firm)
    taken = service.quote(instrument.id, slot(), caller=firm)

    assert (free.bookable, free.quote.price, free.quote.saving) == (
        True,
        Money.of("288.00"),
        Money.of("72.00"),
    )
    assert [violation.rule for violation in taken.violations] == ["taken"]


def test_move_frees_the_old_slot_and_takes_the_new(instrument, firm):
    reservation = service.reserve(instrument.id, slot(), caller=firm)

    moved = service.move(reservation.id, THURSDAY, caller=firm, version=1)

    assert (moved.slot, moved.version, moved.sequence) == (THURSDAY, 2, 1)
    assert service.reserve(instrument.id, slot(), caller=firm)
    assert no_breaches()


def test_move_may_overlap_its_own_old_slot(instrument, firm):
    reservation = service.reserve(instrument.id, slot(), caller=firm)

    service.move(reservation.id, slot(slot().starts_at + HOUR), caller=firm)

    assert no_breaches()


def test_who_finds_the_old_slot_nearer_than_thought_queues_after_all(instrument, firm, monkeypatch):
    reservation = service.reserve(instrument.id, slot(hours=2), caller=firm)
    queue, asked = availability.queue_for, []

    def look(*args: object, **given: object) -> bool:
        asked.append(args)
        return len(asked) > 1 and queue(*args, **given)

    monkeypatch.setattr(availability, "queue_for", look)
    later = slot(slot().starts_at + HOUR, hours=2)
    service.move(reservation.id, later, caller=firm)

    assert (reservation.slot, len(asked)) == (later, 2)
    assert no_breaches()


def test_move_to_the_same_slot_changes_nothing(instrument, firm):
    reservation = service.reserve(instrument.id, slot(), caller=firm)

    assert service.move(reservation.id, slot(), caller=firm).version == 1


def test_a_refused_move_offers_alternatives(instrument, firm):
    service.reserve(instrument.id, THURSDAY, caller=make_caller())
    reservation = service.reserve(instrument.id, slot(), caller=firm)

    with pytest.raises(SlotTaken) as refused:
        service.move(reservation.id, THURSDAY, caller=firm)

    assert len(refused.value.details["alternatives"]) == 3


def test_move_keeps_the_rules_and_todays_price(instrument, firm, session):
    reservation = service.reserve(instrument.id, slot(), caller=firm)
    with pytest.raises(NotBookable):
        service.move(reservation.id, slot(slot().starts_at, hours=9), caller=firm)
    prices_up()

    moved = service.move(reservation.id, THURSDAY, caller=firm)

    assert moved.price == Money.of("576.00")


def test_a_stale_version_moves_and_cancels_nothing(instrument, firm):
    reservation = service.reserve(instrument.id, slot(), caller=firm)
    service.move(reservation.id, THURSDAY, caller=firm, version=1)

    with pytest.raises(Stale):
        service.move(reservation.id, slot(), caller=firm, version=1)
    with pytest.raises(Stale):
        service.cancel(reservation.id, caller=firm, version=1)


def test_a_new_purpose_is_recorded(instrument, firm):
    reservation = service.reserve(instrument.id, slot(), caller=firm, purpose="拉伸")

    service.change(reservation.id, caller=firm, purpose="弯曲")

    assert (reservation.purpose, reservation.version) == ("弯曲", 2)
    assert no_breaches()


def test_cancel_frees_the_slot_and_keeps_the_reason(instrument, firm, session):
    reservation = service.reserve(instrument.id, slot(), caller=firm)

    service.cancel(reservation.id, caller=firm, reason="样品未到")

    assert reservation.status is ReservationStatus.CANCELLED
    assert (reservation.occupancy_id, reservation.cancel_reason) == (None, "样品未到")
    assert session.scalars(select(Occupancy)).all() == []
    assert service.reserve(instrument.id, slot(), caller=firm)
    assert no_breaches()


def test_withdrawn_since_it_can_be_cancelled_and_no_longer_be_moved(instrument, firm):
    reservation = service.reserve(instrument.id, slot(), caller=firm)
    instrument.publication = Publication.WITHDRAWN

    with pytest.raises(NotBookable) as refused:
        service.move(reservation.id, THURSDAY, caller=firm)
    assert rules_of(refused) == ["not_open"]
    assert service.cancel(reservation.id, caller=firm).status is ReservationStatus.CANCELLED


def test_what_is_cancelled_stays_so(instrument, firm):
    reservation = service.reserve(instrument.id, slot(), caller=firm)
    service.cancel(reservation.id, caller=firm)

    for again in (
        lambda: service.cancel(reservation.id, caller=firm),
        lambda: service.move(reservation.id, THURSDAY, caller=firm),
        lambda: service.change(reservation.id, caller=firm, purpose="又"),
    ):
        with pytest.raises(WrongState):
            again()


def test_the_customer_is_bound_by_the_last_moment_and_the_owner_is_not(now):
    owner = make_institution()
    instrument, firm = make_instrument(institution=owner), make_caller()
    reservation = service.reserve(instrument.id, slot(), caller=firm)
    now.set(slot().starts_at - 2 * HOUR)

    with pytest.raises(TooLateToChange):
        service.cancel(reservation.id, caller=firm)
    with pytest.raises(TooLateToChange):
        service.move(reservation.id, THURSDAY, caller=firm)

    operator = make_caller(owner, Role.OPERATOR)
    assert service.cancel(reservation.id, caller=operator).cancelled_by == operator.user_id


def test_every_change_is_in_the_journal(instrument, firm, session):
    reservation = service.reserve(instrument.id, slot(), caller=firm)
    service.move(reservation.id, THURSDAY, caller=firm)
    service.cancel(reservation.id, caller=firm)

    entries = session.scalars(
        select(JournalEntry)
        .where(JournalEntry.subject_type == "reservation")
        .order_by(JournalEntry.id)
    ).all()

    assert [entry.action for entry in entries] == [
        "reservation.reserved",
        "reservation.moved",
        "reservation.cancelled",
    ]
    assert {entry.actor_id for entry in entries} == {firm.user_id}
    assert entries[1].data["old"]["starts_at"] != entries[1].data["new"]["starts_at"]


@pytest.fixture
def people(session):
    """A firm's member and colleague, manager, a stranger, and the owner's people."""
    firm, owner = make_organisation(), make_institution()
    return {
        "maker": make_caller(firm),
        "colleague": make_caller(firm),
        "manager": make_caller(firm, Role.MANAGER),
        "stranger": make_caller(),
        "operator": make_caller(owner, Role.OPERATOR),
        "tester": make_caller(owner, Role.TESTER),
        "owner": owner,
    }


@pytest.mark.parametrize(
    ("who", "outcome"),
    [
        ("maker", None),
        ("manager", None),
        ("operator", None),
        ("colleague", NotFound),
        ("stranger", NotFound),
        ("tester", NotFound),
    ],
)
def test_who_may_change_a_reservation(people, who, outcome):
    instrument = make_instrument(institution=people["owner"])
    reservation = service.reserve(instrument.id, slot(), caller=people["maker"])

    for act in (
        lambda: queries.get_reservation(reservation.id, caller=people[who]),
        lambda: service.move(reservation.id, THURSDAY, caller=people[who]),
        lambda: service.cancel(reservation.id, caller=people[who]),
    ):
        if outcome is None:
            act()
        else:
            with pytest.raises(outcome):
                act()


def test_a_finance_clerk_sees_and_does_not_touch():
    buyer = make_institution()
    reservation = service.reserve(
        make_instrument().id, slot(), caller=make_caller(buyer, Role.TESTER)
    )
    clerk = make_caller(buyer, Role.FINANCE)

    assert queries.get_reservation(reservation.id, caller=clerk)
    with pytest.raises(NotAllowed):
        service.cancel(reservation.id, caller=clerk)


def test_a_token_that_only_reads_does_not_change(instrument):
    firm = make_organisation()
    user = make_user(firm, Role.MANAGER)
    writes = caller_of(user, (firm, Role.MANAGER))
    reads = replace(writes, scopes=frozenset({Scope.READ}))
    reservation = service.reserve(instrument.id, slot(), caller=writes)

    assert queries.get_reservation(reservation.id, caller=reads)
    with pytest.raises(NotAllowed):
        service.cancel(reservation.id, caller=reads)
    with pytest.raises(NotAllowed):
        service.reserve(instrument.id, THURSDAY, caller=reads)


def test_who_left_the_firm_no_longer_sees_its_reservations(instrument):
    firm = make_organisation()
    user = make_user(firm)
    reservation = service.reserve(
        instrument.id, slot(), caller=caller_of(user, (firm, Role.MEMBER))
    )

    with pytest.raises(NotFound):
        queries.get_reservation(reservation.id, caller=caller_of(user))


def test_lists_take_one_statement_however_long(instrument, firm):
    for hour in (0, 2, 4):
        service.reserve(instrument.id, slot(slot().starts_at + hour * HOUR), caller=firm)

    with counted() as statements:
        page = queries.list_reservations(caller=firm, limit=50, cursor=None)

    assert len(page.items) == 3
    assert len(statements) == 1


def test_a_reservation_takes_two_statements(instrument, firm):
    with counted() as statements:
        service.reserve(instrument.id, slot(), caller=firm)

    assert len(statements) == 2  # sheet; occupancy, reservation, journal entry and notice
