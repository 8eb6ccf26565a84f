"""The policy besides time: who, how far apart, how much, at night, together; as tables."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.accounts.rules import CustomerClass
from booking.availability.rules import (
    QUOTAS,
    BookingPolicy,
    Conditions,
    DaysOff,
    Held,
    Night,
    Pair,
    Pairing,
    Unattended,
    WeekPlan,
    conditions_in_words,
    of_document,
    total,
)
from booking.kernel.timeslot import TimeSlot
from booking.reservations.rules import Left, Standing, broken_conditions, broken_pairs

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY_9 = datetime.fromisoformat("2026-11-23T09:00:00+08:00")
SME, LARGE, INTERNAL = CustomerClass.SME, CustomerClass.LARGE, CustomerClass.INTERNAL
# Saturday the 28th is worked in exchange, Friday the 27th is a holiday.
PLAN = WeekPlan(SHANGHAI, workdays={date(2026, 11, 28): True, date(2026, 11, 27): False})


def wanted(start: str, hours: float = 2) -> TimeSlot:
    starts_at = datetime.fromisoformat(f"{start}+08:00")
    return TimeSlot(starts_at, starts_at + timedelta(hours=hours))


def held(start: str, hours: float = 2, user: int = 1) -> Held:
    slot = wanted(start, hours)
    return Held(user, int(slot.starts_at.timestamp()) // 60, int(slot.ends_at.timestamp()) // 60)


def policy(**conditions: object) -> BookingPolicy:
    return BookingPolicy(SHANGHAI, 30, 60, 480, 120, 60, conditions=Conditions(**conditions))


def broken(slot: TimeSlot, asked: BookingPolicy, **standing: object) -> list[str]:
    who = Standing(standing.pop("customer_class", SME), 1, **standing)
    found = list(broken_conditions(slot, asked, PLAN, who, now=MONDAY_9))
    assert all(str(violation.detail) for violation in found)
    return [str(violation.rule) for violation in found]


TEN = wanted("2026-11-25T10:00")  # a Wednesday
BEFORE, AFTER = held("2026-11-25T08:00"), held("2026-11-25T12:00")


@pytest.mark.parametrize(
    ("slot", "conditions", "standing", "rules"),
    [
        pytest.param(TEN, {}, {"held": [BEFORE, AFTER]}, [], id="nothing-is-asked"),
        pytest.param(TEN, {"classes": (SME,)}, {}, [], id="their-class-may"),
        pytest.param(TEN, {"classes": (LARGE, INTERNAL)}, {}, ["classes"], id="others-only"),
        pytest.param(
            TEN, {"classes": (LARGE,)}, {"customer_class": INTERNAL}, ["classes"], id="not-our-own"
        ),
        pytest.param(TEN, {"gap_minutes": 30}, {"held": [BEFORE]}, ["gap"], id="right-behind"),
        pytest.param(TEN, {"gap_minutes": 30}, {"held": [AFTER]}, ["gap"], id="right-before"),
        pytest.param(
            TEN, {"gap_minutes": 30}, {"held": [held("2026-11-25T10:00")]}, ["gap"], id="beside"
        ),
        pytest.param(
            TEN,
            {"gap_minutes": 30},
            {"held": [held("2026-11-25T07:30"), held("2026-11-25T12:30")]},
            [],
            id="far-enough-on-both-sides",
        ),
        pytest.param(
            TEN, {"quotas": {"firm_day_bookings": 2}}, {"held": [BEFORE]}, [], id="second-of-two"
        ),
        pytest.param(
            TEN,
            {"quotas": {"firm_day_bookings": 2}},
            {"held": [BEFORE, AFTER]},
            ["firm_day_bookings"],
            id="third-of-two",
        ),
        pytest.param(
            TEN,
            {"quotas": {"user_day_bookings": 1}},
            {"held": [held("2026-11-25T14:00", user=2)]},
            [],
            id="a-colleagues-does-not-count-for-me",
        ),
        pytest.param(
            TEN,
            {"quotas": {"user_day_bookings": 1, "firm_day_bookings": 1}},
            {"held": [BEFORE]},
            ["user_day_bookings", "firm_day_bookings"],
            id="both-at-once",
        ),
        pytest.param(
            TEN, {"quotas": {"firm_day_hours": 4}}, {"held": [BEFORE]}, [], id="exactly-the-hours"
        ),
        pytest.param(
            TEN,
            {"quotas": {"firm_day_hours": 3}},
            {"held": [BEFORE]},
            ["firm_day_hours"],
            id="an-hour-too-much",
        ),
        pytest.param(
            wanted("2026-11-25T22:00", 4),
            {"quotas": {"firm_day_hours": 3}},
            {"held": [held("2026-11-26T08:00", 1)]},
            [],
            id="hours-count-on-the-day-they-lie",
        ),
        pytest.param(
            wanted("2026-11-25T22:00", 4),
            {"quotas": {"firm_day_hours": 3}},
            {"held": [held("2026-11-26T08:00", 2)]},
            ["firm_day_hours"],
            id="the-second-day-is-too-full",
        ),
        pytest.param(
            TEN,
            {"quotas": {"firm_week_bookings": 1}},
            {"held": [held("2026-11-22T20:00"), held("2026-11-30T00:00")]},
            [],
            id="the-week-begins-on-monday",
        ),
        pytest.param(
            TEN,
            {"quotas": {"firm_week_bookings": 1}},
            {"held": [held("2026-11-29T23:00")]},
            ["firm_week_bookings"],
            id="and-ends-on-sunday",
        ),
        pytest.param(
            TEN,
            {"quotas": {"firm_open_bookings": 1}},
            {"held": [held("2026-11-23T07:00")]},
            [],
            id="what-is-over-is-not-open",
        ),
        pytest.param(
            TEN,
            {"quotas": {"firm_open_bookings": 1}},
            {"held": [held("2026-12-23T07:00")]},
            ["firm_open_bookings"],
            id="what-is-ahead-is",
        ),
        pytest.param(
            TEN,
            {"quotas": {"firm_open_hours": 9}},
            {"held": [held("2026-12-23T07:00", 8)]},
            ["firm_open_hours"],
            id="hours-ahead",
        ),
        pytest.param(
            wanted("2026-11-25T16:00"), {"night": Night(classes=())}, {}, [], id="until-dusk"
        ),
        pytest.param(
            wanted("2026-11-25T16:30"),
            {"night": Night(classes=())},
            {},
            ["night_classes"],
            id="past-dusk",
        ),
        pytest.param(
            wanted("2026-11-25T06:00"),
            {"night": Night(classes=(LARGE,), lead_minutes=4320, longest_minutes=60)},
            {},
            ["night_classes", "night_lead", "night_longest"],
            id="before-dawn-and-all-else",
        ),
        pytest.param(
            wanted("2026-11-25T06:00"),
            {"night": Night(classes=(SME,), lead_minutes=60, longest_minutes=120)},
            {},
            [],
            id="at-night-as-asked",
        ),
        pytest.param(
            wanted("2026-11-25T10:00", 30), {"night": Night(classes=())}, {}, ["night_classes"],
            id="over-night",
        ),
        pytest.param(
            wanted("2026-11-28T10:00"), {"days_off": DaysOff(classes=())}, {}, [], id="exchanged"
        ),
        pytest.param(
            wanted("2026-11-27T10:00"),
            {"days_off": DaysOff(classes=())},
            {},
            ["days_off_classes"],
            id="a-holiday",
        ),
        pytest.param(
            wanted("2026-11-29T10:00"),
            {"days_off": DaysOff(classes=None, longest_minutes=60)},
            {},
            ["days_off_longest"],
            id="a-sunday",
        ),
        pytest.param(
            wanted("2026-11-28T22:00"),
            {"days_off": DaysOff(classes=())},
            {},
            [],
            id="until-midnight-before-sunday",
        ),
        pytest.param(TEN, {}, {"pairs": [Pair(2, "泵", Pairing.NEEDS)]}, ["needs"], id="alone"),
        pytest.param(
            TEN, {}, {"pairs": [Pair(2, "泵", Pairing.NEEDS, True)]}, [], id="with-the-other"
        ),
        pytest.param(
            TEN, {}, {"pairs": [Pair(2, "泵", Pairing.APART, True)]}, ["apart"], id="at-once"
        ),
        pytest.param(
            TEN, {}, {"pairs": [Pair(2, "泵", Pairing.APART_ALL, True)]}, ["apart_all"], id="shared"
        ),
        pytest.param(
            TEN, {}, {"pairs": [Pair(2, "泵", Pairing.APART), Pair(3, "泵", Pairing.APART_ALL)]},
            [], id="others-are-idle",
        ),
        pytest.param(
            TEN, {}, {"left": [Left("R-1", "甲", wanted("2026-11-25T12:00"))]}, ["needed_by"],
            id="another-would-be-left-alone",
        ),
        pytest.param(
            TEN, {}, {"left": [Left("R-1", "甲", wanted("2026-11-25T11:00"))]}, [],
            id="it-still-meets-it",
        ),
    ],
)  # fmt: skip
def test_every_broken_rule_is_named(slot, conditions, standing, rules):
    assert broken(slot, policy(**conditions), **standing) == rules


def test_giving_back_what_another_needs_is_refused():
    needed = Standing(SME, left=[Left("R-1", "甲", TEN)])

    [refused] = broken_pairs(None, policy(), needed)

    assert (refused.rule, "R-1" in str(refused.detail)) == ("needed_by", True)


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"gap_minutes": 30}, "请选 2026-11-25 07:30 以前结束或 2026-11-25 10:30 以后开始的时段。"),
        (
            {"quotas": {"firm_day_hours": 3}},
            "每个单位每天最多预约 3 小时：2026-11-25 已约 2 小时，加上这次 2 小时，超出 1 小时。"
            "请缩短时长或改约其他日期。",
        ),
        (
            {"quotas": {"user_week_bookings": 1}},
            "每位用户每周最多预约 1 次：2026-11-23 起的一周已约 1 次。请改约其他周。",
        ),
        ({"classes": (LARGE, INTERNAL)}, "这台仪器仅限大型企业、本机构预约。"),
    ],
)
def test_a_refusal_says_the_value_and_how_to_comply(conditions, said):
    who = Standing(SME, 1, held=[BEFORE])

    [refused] = broken_conditions(TEN, policy(**conditions), PLAN, who, now=MONDAY_9)

    assert said in str(refused.detail)


def test_what_the_owner_asks_is_said_in_words():
    asked = Conditions(
        classes=(SME, INTERNAL),
        gap_minutes=90,
        quotas={"firm_day_bookings": 2, "user_open_hours": 8},
        night=Night(classes=(INTERNAL,), lead_minutes=1440),
        days_off=DaysOff(classes=()),
    )
    pairs = [Pair(1, "泵", Pairing.NEEDS), Pair(2, "炉", Pairing.NEEDED_BY)]

    assert [str(each.words) for each in conditions_in_words(asked, pairs)] == [
        "仅限中小微企业、本机构预约",
        "夜间（18:00–次日 08:00）仅限本机构预约",
        "夜间（18:00–次日 08:00）至少提前 24 小时 预约",
        "周末和节假日不接受预约",
        "同一单位的两次预约之间至少间隔 1 小时 30 分",
        "每个单位每天最多预约 2 次",
        "每位用户未使用的预约合计最多 8 小时",
        "须同时预约“泵”",
    ]


def test_a_document_says_the_same_as_what_it_was_made_from():
    asked = Conditions(
        classes=(SME,),
        gap_minutes=5,
        quotas={"user_day_hours": 1},
        night=Night(classes=(), begins_minute=1200, ends_minute=300),
        days_off=DaysOff(lead_minutes=60),
    )

    assert of_document(asked.document()) == asked
    assert isinstance(of_document(asked.document()).night, Unattended)


ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns")]
FIRST = datetime.fromisoformat("2026-03-20T00:00:00+00:00")
SPANS = st.builds(
    lambda start, minutes: TimeSlot(
        FIRST + timedelta(minutes=start), FIRST + timedelta(minutes=start + minutes)
    ),
    st.integers(0, 20 * 1440),
    st.integers(5, 3000),
)


def minutes_by(key, slots, zone):
    """Count by brute force: minute by minute on the clock of the wall."""
    found: dict[object, int] = {}
    for slot in slots:
        for step in range(0, slot.minutes, 5):
            local = (slot.starts_at + timedelta(minutes=step)).astimezone(zone)
            part = min(5, slot.minutes - step)
            found[key(local.date())] = found.get(key(local.date()), 0) + part
    return found


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


@given(
    slot=SPANS,
    others=st.lists(SPANS, max_size=5),
    zone=st.sampled_from(ZONES),
    period=st.sampled_from(["day", "week"]),
)
def test_hours_count_on_the_local_day_or_week_in_which_they_lie(slot, others, zone, period):
    # On the grid of 5 minutes no part crosses a midnight, whose offsets are multiples of 30.
    slot, *others = (
        TimeSlot(
            FIRST + (each.starts_at - FIRST) // timedelta(minutes=5) * timedelta(minutes=5),
            FIRST
            + (each.starts_at - FIRST) // timedelta(minutes=5) * timedelta(minutes=5)
            + timedelta(minutes=-(-each.minutes // 5) * 5),
        )
        for each in (slot, *others)
    )
    key = monday if period == "week" else (lambda day: day)
    rows = [
        Held(1, int(o.starts_at.timestamp()) // 60, int(o.ends_at.timestamp()) // 60)
        for o in others
    ]

    after, before, first = total(
        QUOTAS[f"firm_{period}_hours"], slot, rows, zone=zone, now=MONDAY_9
    )

    counted, mine = minutes_by(key, [slot, *others], zone), minutes_by(key, [slot], zone)
    assert after == max(counted[each] for each in mine)
    assert (counted[first], counted[first] - mine[first]) == (after, before)


@given(slot=SPANS, others=st.lists(SPANS, max_size=6), zone=st.sampled_from(ZONES))
def test_a_booking_counts_once_on_the_day_it_begins(slot, others, zone):
    rows = [
        Held(1, int(o.starts_at.timestamp()) // 60, int(o.ends_at.timestamp()) // 60)
        for o in others
    ]

    after, before, _ = total(QUOTAS["firm_day_bookings"], slot, rows, zone=zone, now=MONDAY_9)

    day = slot.starts_at.astimezone(zone).date()
    on_day = sum(o.starts_at.astimezone(zone).date() == day for o in others)
    assert (after, before) == (on_day + 1, on_day)
