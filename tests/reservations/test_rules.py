"""Booking rules and the life cycle as tables."""

from datetime import datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from booking.availability.rules import BookingPolicy, WeekPlan, length
from booking.kernel.errors import WrongState
from booking.kernel.timeslot import TimeSlot
from booking.reservations.errors import TooLateToChange
from booking.reservations.models import HOLDING, TRANSITIONS, Reservation, ReservationStatus
from booking.reservations.rules import broken_rules, check_changeable, from_to

MONDAY_9 = datetime.fromisoformat("2026-11-23T09:00:00+08:00")
SHANGHAI = ZoneInfo("Asia/Shanghai")
POLICY = BookingPolicy(
    zone=SHANGHAI,
    grid_minutes=30,
    shortest_minutes=60,
    longest_minutes=480,
    lead_minutes=120,
    horizon_days=60,
    change_until_minutes=1440,
)
OFFICE = WeekPlan(SHANGHAI, week={day: [(480, 1080)] for day in range(5)})
S = ReservationStatus


def wanted(start: str, hours: float = 2) -> TimeSlot:
    starts_at = datetime.fromisoformat(f"{start}+08:00")
    return TimeSlot(starts_at, starts_at + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("slot", "rules"),
    [
        pytest.param(wanted("2026-11-25T10:00"), [], id="fits"),
        pytest.param(wanted("2026-11-25T08:00", 8), [], id="from-opening-and-as-long-as-allowed"),
        pytest.param(wanted("2026-11-23T11:00"), [], id="exactly-the-lead-time"),
        pytest.param(wanted("2026-11-23T10:30"), ["lead_time"], id="too-soon"),
        pytest.param(wanted("2026-11-23T08:30"), ["past"], id="began-already"),
        pytest.param(wanted("2025-11-24T10:00"), ["past"], id="last-year"),
        pytest.param(wanted("2027-01-21T16:00"), [], id="within-the-horizon"),
        pytest.param(wanted("2027-01-22T08:00"), ["horizon"], id="past-the-horizon"),
        pytest.param(wanted("2098-01-22T08:00"), ["horizon"], id="far-future"),
        pytest.param(wanted("2026-11-25T10:00", 0.5), ["shortest"], id="too-short"),
        pytest.param(wanted("2026-11-25T08:00", 9), ["longest"], id="too-long"),
        pytest.param(wanted("2026-11-25T10:10"), ["grid"], id="off-the-grid"),
        pytest.param(wanted("2026-11-25T10:00", 2.1), ["grid"], id="ends-off-the-grid"),
        pytest.param(wanted("2026-11-25T07:30"), ["closed"], id="before-opening"),
        pytest.param(wanted("2026-11-25T17:00"), ["closed"], id="past-closing"),
        pytest.param(wanted("2026-11-28T10:00"), ["closed"], id="weekend"),
        pytest.param(
            wanted("2026-11-22T03:10", 9.1), ["past", "longest", "grid", "closed"], id="all-at-once"
        ),
        pytest.param(wanted("2026-11-25T08:00", 24 * 365), ["horizon", "longest"], id="a-year"),
    ],
)
def test_every_broken_rule_is_named(slot, rules):
    found = list(broken_rules(slot, POLICY, OFFICE, now=MONDAY_9))

    assert [violation.rule for violation in found] == rules
    assert all(str(violation.detail) for violation in found)


def test_seconds_are_off_the_grid():
    slot = TimeSlot(*(at + timedelta(seconds=1) for at in edges(wanted("2026-11-25T10:00"))))

    assert [v.rule for v in broken_rules(slot, POLICY, OFFICE, now=MONDAY_9)] == ["grid"]


def edges(slot: TimeSlot) -> tuple[datetime, datetime]:
    return slot.starts_at, slot.ends_at


def test_a_refusal_says_the_value_and_how_to_comply():
    (violation,) = broken_rules(wanted("2026-11-25T08:00", 9), POLICY, OFFICE, now=MONDAY_9)

    assert str(violation.detail) == "单次最长 8 小时，您选了 9 小时。可分次预约。"


@pytest.mark.parametrize(
    ("minutes_before", "refused"), [(24 * 60, False), (24 * 60 - 1, True), (-5, True)]
)
def test_changes_end_a_day_before(minutes_before, refused):
    slot = wanted("2026-11-25T10:00")
    now = slot.starts_at - timedelta(minutes=minutes_before)

    if refused:
        with pytest.raises(TooLateToChange):
            check_changeable(slot, POLICY, now=now)
    else:
        check_changeable(slot, POLICY, now=now)


def test_lengths_and_slots_in_words():
    assert [str(length(minutes)) for minutes in (45, 120, 90)] == [
        "45 分钟",
        "2 小时",
        "1 小时 30 分",
    ]
    assert from_to(wanted("2026-11-25T10:00"), SHANGHAI) == "2026-11-25 10:00–12:00"
    assert from_to(wanted("2026-11-25T22:00", 4), SHANGHAI) == "2026-11-25 22:00 – 2026-11-26 02:00"


LIFE_CYCLE = {
    (S.TENTATIVE, S.CONFIRMED),
    (S.TENTATIVE, S.DECLINED),
    (S.TENTATIVE, S.EXPIRED),
    (S.TENTATIVE, S.CANCELLED),
    (S.CONFIRMED, S.IN_USE),
    (S.CONFIRMED, S.CANCELLED),
    (S.CONFIRMED, S.NO_SHOW),
    (S.CONFIRMED, S.TENTATIVE),
    (S.IN_USE, S.COMPLETED),
    (S.COMPLETED, S.USAGE_CONFIRMED),
    (S.USAGE_CONFIRMED, S.SETTLED),
    (S.SETTLED, S.CLOSED),
}


@pytest.mark.parametrize(("before", "after"), list(product(S, S)), ids=str)
def test_the_life_cycle_has_these_moves_and_no_others(before, after):
    reservation = Reservation(status=before, version=1)

    if (before, after) in LIFE_CYCLE:
        reservation.become(after, action="test")
        assert (reservation.status, reservation.version) == (after, 2)
    else:
        with pytest.raises(WrongState):
            reservation.become(after, action="test")
        assert (reservation.status, reservation.version) == (before, 1)


def test_every_status_has_its_line_in_the_table():
    assert set(TRANSITIONS) == set(S)
    assert {S.TENTATIVE, S.CONFIRMED, S.IN_USE} == HOLDING
