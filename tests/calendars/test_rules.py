"""Which feed for whom, what time it shows, and the words of its events; no database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.accounts.errors import ScopeMissing
from booking.accounts.rules import Caller, OrganisationKind, Role, Scope, Seat
from booking.calendars import rules
from booking.calendars.rules import Audience, EventFacts, FeedKind
from booking.kernel.clock import CHINA
from booking.kernel.errors import InvalidField, NotAllowed
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot

NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)
SLOT = TimeSlot(NOON, NOON + timedelta(hours=2))
MONDAY = date(2026, 11, 23)
FIRM, LAB = 1, 2


def caller(*seats, scopes=frozenset(Scope)):
    return Caller(user_id=7, name="李明", seats=seats, scopes=scopes)


def seat(role, *, organisation=FIRM, kind=OrganisationKind.ENTERPRISE):
    return Seat(organisation, kind, role)


def facts(**given):
    return EventFacts(
        **{
            "source": "reservation",
            "source_id": 5,
            "status": "confirmed",
            "kind": "reservation",
            "slot": SLOT,
            "sequence": 0,
            "created_at": NOON,
            "modified_at": NOON,
            "instrument": "电子万能试验机",
            "model": "WDW-100",
            "institution": "湖南省检测研究院",
            "place": "长沙市麓谷大道 1 号",
            "contact": "王工 0731-88880000",
            "customer": "长沙精工机械有限公司",
            "person": "李明",
            "purpose": "100% 拉伸",
            "price": Money(28800),
            "number": "R-000005",
        }
        | given
    )


@given(st.timedeltas(timedelta(0), timedelta(days=5000)))
def test_a_window_holds_at_least_90_days_back_365_ahead_and_30_of_cancelled(later):
    now = NOON + later
    window = rules.window_on(now.astimezone(CHINA).date())

    assert timedelta(days=90) <= now - window.since < timedelta(days=91)
    assert timedelta(days=365) < window.until - now <= timedelta(days=366)
    assert timedelta(days=30) <= now - window.cancelled_since < timedelta(days=31)


def test_a_window_is_the_same_all_day_in_china():
    evening = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)

    assert rules.window_on(evening.astimezone(CHINA).date()) == rules.window_on(MONDAY)
    assert rules.window_on((evening + timedelta(minutes=1)).astimezone(CHINA).date()) != (
        rules.window_on(MONDAY)
    )


@pytest.mark.parametrize(
    ("kind", "organisation", "who"),
    [
        pytest.param(FeedKind.USER, None, caller(), id="everybody-their-own"),
        pytest.param(FeedKind.ENTERPRISE, FIRM, caller(seat(Role.MANAGER)), id="manager"),
        pytest.param(
            FeedKind.INSTITUTION,
            LAB,
            caller(seat(Role.MANAGER, organisation=LAB, kind=OrganisationKind.INSTITUTION)),
            id="lab-manager",
        ),
    ],
)
def test_a_feed_may_be_made_and_lives(kind, organisation, who):
    rules.check_feed(kind, organisation, who)

    assert rules.is_alive(kind, organisation, who)


@pytest.mark.parametrize(
    ("kind", "organisation", "who"),
    [
        pytest.param(FeedKind.ENTERPRISE, FIRM, caller(seat(Role.MEMBER)), id="a-member"),
        pytest.param(FeedKind.ENTERPRISE, FIRM, caller(), id="a-stranger"),
        pytest.param(FeedKind.ENTERPRISE, LAB, caller(seat(Role.MANAGER)), id="another-firm"),
        pytest.param(FeedKind.INSTITUTION, FIRM, caller(seat(Role.MANAGER)), id="a-firm-as-lab"),
        pytest.param(
            FeedKind.INSTITUTION,
            LAB,
            caller(seat(Role.OPERATOR, organisation=LAB, kind=OrganisationKind.INSTITUTION)),
            id="an-operator",
        ),
    ],
)
def test_a_feed_of_an_organisation_is_its_managers(kind, organisation, who):
    with pytest.raises(NotAllowed):
        rules.check_feed(kind, organisation, who)

    assert not rules.is_alive(kind, organisation, who)


@pytest.mark.parametrize(
    ("kind", "organisation"), [(FeedKind.USER, FIRM), (FeedKind.ENTERPRISE, None)]
)
def test_only_an_organisations_feed_names_one(kind, organisation):
    with pytest.raises(InvalidField):
        rules.check_feed(kind, organisation, caller(seat(Role.MANAGER)))


@pytest.mark.parametrize(
    ("kind", "organisation"), [(FeedKind.USER, None), (FeedKind.ENTERPRISE, FIRM)]
)
def test_a_token_that_may_only_read_makes_no_feed(kind, organisation):
    reader = caller(seat(Role.MANAGER), scopes=frozenset({Scope.READ}))

    with pytest.raises(ScopeMissing):
        rules.check_feed(kind, organisation, reader)


@pytest.mark.parametrize(
    ("changed", "audience", "title"),
    [
        ({}, Audience.PUBLIC, "已占用"),
        ({}, Audience.CUSTOMER, "电子万能试验机"),
        ({}, Audience.OWNER, "电子万能试验机 · 长沙精工机械有限公司"),
        ({"status": "tentative"}, Audience.CUSTOMER, "待审批：电子万能试验机"),
        ({"status": "cancelled"}, Audience.PUBLIC, "已取消：已占用"),
        ({"status": "declined"}, Audience.CUSTOMER, "未获批准：电子万能试验机"),
        ({"status": "expired"}, Audience.CUSTOMER, "逾期未答复：电子万能试验机"),
        ({"unit": 2, "units": 3}, Audience.PUBLIC, "已占用（第 2 台）"),
        ({"unit": 1, "units": 1}, Audience.PUBLIC, "已占用"),
        ({"source": "closure", "kind": "maintenance"}, Audience.PUBLIC, "停机维护"),
        ({"source": "closure", "kind": "own_use"}, Audience.PUBLIC, "机构自用"),
        ({"source": "closure", "kind": "fault"}, Audience.OWNER, "故障停用：电子万能试验机"),
    ],
)
def test_summary_says_what_its_reader_may_know(changed, audience, title):
    assert rules.summary(facts(**changed), audience).render() == title


def test_description_tells_the_customer_where_whom_what_for_and_how_much():
    lines = [line.render() for line in rules.description(facts(customer=""), Audience.CUSTOMER)]

    assert lines == [
        "仪器：电子万能试验机 WDW-100",
        "机构：湖南省检测研究院",
        "地点：长沙市麓谷大道 1 号",
        "联系人：王工 0731-88880000",
        "预约人：李明",
        "用途：100% 拉伸",
        "金额：288.00 元",
        "预约编号：R-000005",
    ]


def test_description_leaves_out_what_is_not_known():
    closure = EventFacts(
        source="closure",
        source_id=1,
        status="confirmed",
        kind="fault",
        slot=SLOT,
        sequence=0,
        created_at=NOON,
        modified_at=NOON,
        instrument="一号机",
        purpose="等待备件",
    )

    lines = [line.render() for line in rules.description(closure, Audience.OWNER)]
    assert lines == ["仪器：一号机", "说明：等待备件"]


@given(st.text(), st.text(), st.text())
def test_the_public_is_told_nothing_that_somebody_wrote(customer, purpose, instrument):
    given = facts(customer=customer, purpose=purpose, instrument=instrument, person=customer)

    assert rules.summary(given, Audience.PUBLIC).render() == "已占用"
    assert list(rules.description(given, Audience.PUBLIC)) == []


def test_free_busy_is_60_days_from_today_unless_asked_otherwise():
    window = rules.free_busy_window(None, None, MONDAY)

    assert window.starts_at.isoformat() == "2026-11-22T16:00:00+00:00"
    assert window.duration == timedelta(days=60)
    assert rules.free_busy_window(NOON, NOON + timedelta(days=92), MONDAY).duration.days == 92


@pytest.mark.parametrize(
    ("days", "field"),
    [pytest.param(92.1, "to", id="too-long"), pytest.param(0, "to", id="empty"), (-1, "to")],
)
def test_free_busy_refuses_windows_it_cannot_answer(days, field):
    with pytest.raises(InvalidField) as refused:
        rules.free_busy_window(NOON, NOON + timedelta(days=days), MONDAY)

    assert list(refused.value.details["errors"]) == [field]
