"""The day of an institution: what stands on it, on whose clock, and at what cost."""

from datetime import date, datetime, timedelta

import pytest

from booking.accounts.rules import Role
from booking.availability.models import OccupancyKind
from booking.console import queries
from booking.kernel.errors import NotAllowed
from booking.registry.models import Publication
from booking.reservations import service
from tests.factories import (
    WEDNESDAY_10,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    slot,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

WEDNESDAY = date(2026, 11, 25)


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def operator(institution):
    return make_caller(institution, Role.OPERATOR)


def booked(instrument, when, **given):
    firm = make_organisation(**given)
    return service.reserve(
        instrument.id, when, caller=make_caller(firm), purpose="拉伸试验", organisation_id=None
    )


def test_a_row_has_hours_visits_and_stops(institution, operator):
    instrument = make_instrument(institution=institution)
    booked(instrument, slot(), name="长沙精工")
    service.close(
        instrument.id,
        slot(WEDNESDAY_10 + timedelta(hours=4)),
        OccupancyKind.CALIBRATION,
        caller=operator,
        reason="年检",
    )

    board = queries.board(institution.id, WEDNESDAY, caller=operator)

    (row,) = board.rows
    assert row.opened == ["08:00–18:00"]
    assert [each.when for each in row.agenda] == ["10:00–12:00", "14:00–16:00"]
    assert [(each.firm, each.purpose) for each in row.visits] == [("长沙精工", "拉伸试验")]
    assert [(each.kind, each.reason) for each in row.stops] == [("calibration", "年检")]
    assert [(bar.left, bar.width, bar.lane) for bar in row.bars] == [(20, 20, 0), (60, 20, 0)]
    assert (board.visits, board.stops) == (1, 1)
    assert [visit.firm for _, visit in board.arrivals] == ["长沙精工"]


def test_who_called_off_does_not_come(institution, operator):
    reservation = booked(make_instrument(institution=institution), slot())
    service.cancel(reservation.id, caller=operator, reason="仪器故障")

    assert queries.board(institution.id, WEDNESDAY, caller=operator).visits == 0


def test_drafts_are_shown_only_with_something_on(institution, operator):
    make_instrument(institution=institution, publication="draft")
    taken_back = make_instrument(institution=institution)
    booked(taken_back, slot())
    taken_back.publication = Publication.WITHDRAWN

    rows = queries.board(institution.id, WEDNESDAY, caller=operator).rows

    assert [row.id for row in rows] == [taken_back.id]


def test_a_closure_of_several_units_is_told_of_once(institution, operator):
    instrument = make_instrument(institution=institution, units=3)
    service.close(instrument.id, slot(), OccupancyKind.MAINTENANCE, caller=operator)

    (row,) = queries.board(institution.id, WEDNESDAY, caller=operator).rows

    assert [stop.unit for stop in row.stops] == [None]


def test_what_overlaps_stands_in_lanes(institution, operator):
    instrument = make_instrument(institution=institution, units=2)
    for _ in range(2):
        booked(instrument, slot())

    (row,) = queries.board(institution.id, WEDNESDAY, caller=operator).rows

    assert [bar.lane for bar in row.bars] == [0, 1]
    assert row.lanes == 2


def test_days_and_now_go_by_the_instruments_clock(institution, operator, now):
    make_instrument(institution=institution, time_zone="Asia/Tokyo")
    now.set(datetime.fromisoformat("2026-11-25T23:30:00+08:00"))  # 00:30 in Tokyo

    board = queries.board(institution.id, None, caller=operator)

    assert board.day == date(2026, 11, 26)
    assert board.now_at is None  # before the hours shown


def test_now_stands_where_it_is(institution, operator, now):
    make_instrument(institution=institution)
    now.set(WEDNESDAY_10 + timedelta(hours=3))

    assert queries.board(institution.id, None, caller=operator).now_at == 50
    assert queries.board(institution.id, date(2026, 11, 26), caller=operator).now_at is None


def test_a_visit_that_is_over_is_no_arrival(institution, operator, now):
    booked(make_instrument(institution=institution), slot())
    now.set(WEDNESDAY_10 + timedelta(hours=2))

    board = queries.board(institution.id, None, caller=operator)

    assert board.visits == 1
    assert board.arrivals == []


def test_only_who_works_the_day_sees_it(institution):
    make_instrument(institution=institution)
    for stranger in (
        make_caller(institution, Role.TESTER),
        make_caller(make_institution(), Role.MANAGER),
        make_caller(),
    ):
        with pytest.raises(NotAllowed):
            queries.board(institution.id, WEDNESDAY, caller=stranger)


def test_a_board_costs_the_same_for_one_and_for_many(institution, operator):
    def cost():
        with counted() as statements:
            queries.board(institution.id, WEDNESDAY, caller=operator)
        return len(statements)

    booked(make_instrument(institution=institution), slot())
    one = cost()
    for _ in range(5):
        booked(make_instrument(institution=institution), slot())

    assert cost() == one == 5
