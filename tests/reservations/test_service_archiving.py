"""Settled reservations are closed once nobody can object any more."""

from datetime import timedelta

import pytest

from booking.accounts.rules import Role
from booking.journal import queries as journal
from booking.kernel import clock
from booking.reservations import jobs, queries, service
from booking.reservations.models import ReservationStatus, Settlement
from booking.savings import queries as savings
from tests.factories import make_caller, make_institution, make_instrument, slot

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
BEGINS, ENDS = slot().starts_at, slot().ends_at  # Wednesday
DAY = timedelta(days=1)


@pytest.fixture
def settled(session, now):
    """A reservation that was settled on Wednesday."""
    owner, firm = make_institution(), make_caller()
    instrument = make_instrument(institution=owner)
    manager = make_caller(owner, Role.MANAGER)
    found = service.reserve(instrument.id, slot(), caller=firm)
    now.set(BEGINS)
    service.check_in(found.id, caller=firm)
    now.set(ENDS)
    service.check_out(found.id, caller=firm)
    service.confirm_usage(found.id, caller=manager)
    service.agree(found.id, caller=firm)
    service.settle(
        found.id,
        caller=manager,
        settlement=Settlement.PAID,
        settled_on=clock.today(),
        reference="1",
    )
    return found


def test_it_stays_open_for_three_working_days_and_is_closed_then(settled, now):
    now.set(ENDS + 5 * DAY)  # Monday, the third
    assert service.close_settled() == 0

    now.set(ENDS + 6 * DAY)
    assert jobs.close() == "完结 1 个预约"

    assert settled.status is ReservationStatus.CLOSED
    assert journal.list_entries("reservation", settled.id)[0].action == "reservation.closed"
    assert service.close_settled() == 0
    assert [*queries.breaches(), *savings.breaches()] == []


def test_what_is_not_settled_is_left_alone(session, now):
    service.reserve(make_instrument().id, slot(), caller=make_caller())
    now.set(ENDS + 30 * DAY)

    assert service.close_settled() == 0
