"""Operated by oneself or by the owner's people: what needs an authorisation, and until when."""

from datetime import timedelta

import pytest

from booking.accounts.rules import Role
from booking.authorisations import service as authorisations
from booking.authorisations.errors import NotAuthorised
from booking.authorisations.rules import Operation
from booking.availability import queries as calendars
from booking.availability.rules import ApprovalMode
from booking.kernel import clock
from booking.reservations import queries, service
from booking.reservations.errors import NotBookable
from booking.reservations.models import ReservationStatus
from tests.factories import make_caller, make_institution, make_instrument, slot
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
DAY = timedelta(days=1)
AUTHORISED = {"operation": Operation.AUTHORISED}


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def operator(owner):
    return make_caller(owner, Role.OPERATOR)


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, schedule=AUTHORISED)


@pytest.fixture
def li(session):
    return make_caller()


@pytest.fixture
def authorised(instrument, operator, li):
    """Give Li an authorisation up to the day of the slot."""
    asked = authorisations.request(instrument.id, caller=li)
    last = slot().ends_at.date()
    return authorisations.grant(asked.id, caller=operator, grounds="证", valid_until=last)


@pytest.fixture(autouse=True)
def _nothing_is_broken_in_the_end(session):
    yield
    assert [*queries.breaches(), *calendars.breaches()] == []


def rules(refused) -> list[str]:
    return [each.rule for each in refused.value.violations]


def test_without_an_authorisation_one_is_told_how_to_comply(instrument, li):
    with pytest.raises(NotBookable) as refused:
        service.reserve(instrument.id, slot(), caller=li)

    assert rules(refused) == ["authorisation"]
    assert "机组协助" in str(refused.value.violations[0].detail)


def test_with_one_it_is_reserved_in_as_many_statements(instrument, li, authorised):
    with counted() as statements:
        made = service.reserve(instrument.id, slot(), caller=li)

    assert (made.status, made.is_assisted) == (ReservationStatus.CONFIRMED, False)
    assert len(statements) == 2


def test_assisted_it_needs_none(instrument, li):
    assert service.reserve(instrument.id, slot(), caller=li, is_assisted=True).is_assisted


def test_it_must_hold_to_the_end_of_the_slot(instrument, li, authorised):
    with pytest.raises(NotBookable) as refused:
        service.reserve(instrument.id, slot(slot().starts_at + DAY), caller=li)

    assert rules(refused) == ["authorisation"]


def test_it_is_the_persons_own(instrument, authorised):
    with pytest.raises(NotBookable):
        service.reserve(instrument.id, slot(), caller=make_caller())


def test_one_of_the_category_does_as_well(owner, instrument, operator, li):
    kin = make_instrument(institution=owner, schedule=AUTHORISED)
    asked = authorisations.request(kin.id, caller=li)
    reach = authorisations.Reach.CATEGORY
    authorisations.grant(asked.id, caller=operator, grounds="证", reach=reach)

    assert not service.reserve(instrument.id, slot(), caller=li).is_assisted


def test_where_only_the_owners_people_operate_it_is_assisted_unless_asked_otherwise(owner, li):
    schedule = {"operation": Operation.ASSISTED}
    instrument = make_instrument(institution=owner, schedule=schedule)

    with pytest.raises(NotBookable) as refused:
        service.reserve(instrument.id, slot(), caller=li, is_assisted=False)

    assert rules(refused) == ["operation"]
    assert service.reserve(instrument.id, slot(), caller=li).is_assisted


def test_the_owners_own_use_is_its_own_matter(instrument, operator):
    assert not service.reserve(instrument.id, slot(), caller=operator).is_assisted


def test_moving_asks_again(instrument, li, authorised):
    made = service.reserve(instrument.id, slot(), caller=li)

    with pytest.raises(NotBookable) as refused:
        service.move(made.id, slot(slot().starts_at + DAY), caller=li)

    assert rules(refused) == ["authorisation"]


def test_lost_before_approval_it_is_not_approved(owner, operator, li):
    schedule = AUTHORISED | {"approval_mode": ApprovalMode.ALWAYS}
    instrument = make_instrument(institution=owner, schedule=schedule)
    asked = authorisations.request(instrument.id, caller=li)
    authorisations.grant(asked.id, caller=operator, grounds="证")
    made = service.reserve(instrument.id, slot(), caller=li)
    authorisations.suspend(asked.id, caller=operator, reason="违规")

    with pytest.raises(NotBookable) as refused:
        service.approve(made.id, caller=operator)

    assert rules(refused) == ["authorisation"]


def test_lost_before_the_day_one_cannot_begin_but_the_owner_can(
    instrument, operator, li, authorised, now
):
    made = service.reserve(instrument.id, slot(), caller=li)
    authorisations.suspend(authorised.id, caller=operator, reason="违规")
    now.set(slot().starts_at)

    with pytest.raises(NotAuthorised):
        service.check_in(made.id, caller=li)

    assert service.check_in(made.id, caller=operator).status is ReservationStatus.IN_USE


def test_a_quote_says_how_it_would_be_operated(instrument, li, authorised):
    offer = service.quote(instrument.id, slot(), caller=li, is_assisted=True)

    assert offer.is_assisted
    assert offer.sheet.operation is Operation.AUTHORISED
    assert offer.sheet.authorised_until == slot().ends_at.astimezone(clock.CHINA).date()
