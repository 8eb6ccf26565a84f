"""What nobody claims is given back after the time its owner set, by itself."""

from datetime import timedelta

import pytest

from booking.accounts.rules import Role
from booking.availability import queries as calendars
from booking.availability import service as availability
from booking.availability.models import Occupancy
from booking.kernel.errors import InvalidField
from booking.notices.models import Notice
from booking.notices.rules import Kind
from booking.reservations import queries, service
from booking.reservations.models import ReservationStatus
from booking.tariffs.rules import Fee, Terms
from tests.factories import make_caller, make_institution, make_instrument, make_price, slot

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
MINUTE = timedelta(minutes=1)
BEGINS, ENDS = slot().starts_at, slot().ends_at
KEPT = BEGINS + 30 * MINUTE


@pytest.fixture
def owner():
    return make_institution()


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, schedule={"release_after_minutes": 30})


@pytest.fixture
def firm():
    return make_caller()


@pytest.fixture
def reserved(instrument, firm):
    return service.reserve(instrument.id, slot(), caller=firm)


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    assert [*queries.breaches(), *calendars.breaches()] == []


def test_it_is_kept_until_then_and_given_back_after(reserved, now, session):
    assert queries.kept_until(reserved) == KEPT
    now.set(KEPT - MINUTE)
    assert service.release_unclaimed() == 0

    now.set(KEPT)
    assert service.release_unclaimed() == 1

    assert reserved.status is ReservationStatus.NO_SHOW
    assert queries.kept_until(reserved) is None
    assert session.get(Occupancy, reserved.occupancy_id).ends_at == KEPT
    assert service.release_unclaimed() == 0


def test_the_firm_is_told_that_nobody_decided_it(reserved, now, session):
    now.set(KEPT)
    service.release_unclaimed()

    told = session.query(Notice).filter_by(kind=Kind.NO_SHOW).one()
    assert told.subject_id == reserved.id
    assert told.facts["by_itself"] is True


def test_who_began_keeps_it(reserved, firm, now):
    now.set(KEPT - MINUTE)
    service.check_in(reserved.id, caller=firm)

    now.set(ENDS - MINUTE)
    assert service.release_unclaimed() == 0
    assert reserved.status is ReservationStatus.IN_USE


def test_the_fee_that_was_agreed_is_due(owner, firm, now):
    schedule = {"release_after_minutes": 60}
    instrument = make_instrument(institution=owner, schedule=schedule, price=None)
    make_price(instrument, kept_terms=Terms(no_show=Fee(percent=50)).plain())
    reserved = service.reserve(instrument.id, slot(), caller=firm)

    now.set(BEGINS + 60 * MINUTE)
    service.release_unclaimed()

    assert reserved.fee is not None
    assert reserved.fee.minor == reserved.price_minor // 2 > 0


def test_nothing_is_released_where_the_owner_set_nothing(owner, firm, now):
    other = make_instrument(institution=owner)
    reserved = service.reserve(other.id, slot(), caller=firm)

    now.set(ENDS)

    assert queries.kept_until(reserved) is None
    assert service.release_unclaimed() == 0
    assert reserved.status is ReservationStatus.CONFIRMED


def test_what_is_long_past_waits_for_the_log_of_the_owner(reserved, now):
    now.set(BEGINS + timedelta(days=1, minutes=1))

    assert service.release_unclaimed() == 0
    assert reserved.status is ReservationStatus.CONFIRMED


@pytest.mark.parametrize("minutes", [1, 29, 1441])
def test_too_soon_or_too_late_is_refused(owner, instrument, minutes):
    manager = make_caller(owner, Role.MANAGER)

    with pytest.raises(InvalidField) as refused:
        availability.set_policy(instrument.id, {"release_after_minutes": minutes}, caller=manager)

    assert list(refused.value.details["errors"]) == ["release_after_minutes"]


def test_an_institution_can_set_it_for_all(owner, instrument, firm):
    manager = make_caller(owner, Role.MANAGER)
    availability.set_policy(instrument.id, {}, caller=manager)
    availability.set_defaults(owner.id, {"release_after_minutes": 45}, caller=manager)
    reserved = service.reserve(instrument.id, slot(), caller=firm)

    assert queries.kept_until(reserved) == BEGINS + 45 * MINUTE
