"""`booking verify` finds what must never be: each breach made by hand, past our own code."""

import pytest
from sqlalchemy import text

from booking.reservations import queries, service
from tests.factories import make_caller, make_instrument, slot

pytestmark = pytest.mark.service


@pytest.fixture
def reservation(session):
    made = service.reserve(make_instrument().id, slot(), caller=make_caller())
    session.flush()
    return made


def test_a_sound_reservation_has_no_breach(reservation):
    assert list(queries.breaches()) == []


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        pytest.param(
            "ALTER TABLE reservations DROP CONSTRAINT ck_reservations_holds;"
            "UPDATE reservations SET occupancy_id = NULL; DELETE FROM occupancies",
            "预约 {id} 的状态与它的占用不符。",
            id="holds-nothing",
        ),
        pytest.param(
            "ALTER TABLE reservations DROP CONSTRAINT ck_reservations_let_go;"
            "UPDATE reservations SET status = 'cancelled'",
            "预约 {id} 的状态与它的占用不符。",
            id="cancelled-and-still-holding",
        ),
        pytest.param(
            "UPDATE occupancies SET ends_at = ends_at - interval '1 hour'",
            "预约 {id} 占用的时间不是它的时段。",
            id="holds-less",
        ),
        pytest.param(
            "UPDATE reservations SET buffer_after_minutes = 30",
            "预约 {id} 占用的时间不是它的时段。",
            id="holds-without-its-buffer",
        ),
        pytest.param(
            "INSERT INTO occupancies (instrument_id, unit, starts_at, ends_at, kind)"
            " SELECT instrument_id, 2, starts_at, ends_at, kind FROM occupancies",
            "占用 {stray} 不属于任何预约。",
            id="nobodys-time",
        ),
        pytest.param(
            "UPDATE reservations SET baseline_minor = list_minor + 1",
            "预约 {id} 的金额算不平。",
            id="baseline-is-not-the-list",
        ),
        pytest.param(
            "UPDATE reservations SET list_minor = list_minor + 1, baseline_minor = NULL,"
            " baseline_rank = NULL",
            "预约 {id} 的金额算不平。",
            id="list-does-not-follow-from-its-version",
        ),
        pytest.param(
            "UPDATE reservations SET baseline_rank = NULL",
            "预约 {id} 的金额算不平。",
            id="baseline-without-a-source",
        ),
        pytest.param(
            "UPDATE reservations SET version = 2",
            "预约 {id} 的变更没有全部记入日志。",
            id="changed-past-the-journal",
        ),
    ],
)
def test_each_breach_is_found_and_named(session, reservation, damage, sentence):
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # tables with open ends stay as they are
    for statement in damage.split(";"):
        session.execute(text(statement))
    stray = session.scalar(text("SELECT max(id) FROM occupancies"))

    assert list(queries.breaches()) == [sentence.format(id=reservation.id, stray=stray)]
