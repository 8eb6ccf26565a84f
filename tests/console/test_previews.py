"""What will be: the next two weeks by hours that are only typed, mails that are not sent."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from booking.accounts.rules import Role
from booking.availability import queries as availability
from booking.availability.models import OccupancyKind, SpecialDay
from booking.console import queries
from booking.notices import gateway as notices
from booking.notices import service as outbox
from booking.notices.models import Notice
from booking.notices.rules import Kind, Side
from booking.reference.models import CalendarDay
from booking.reservations import service as reservations
from tests.factories import (
    WEDNESDAY_10,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

OFFICE = {day: [(480, 1080)] for day in range(5)}
USUAL = {"grid_minutes": "30", "shortest_minutes": "60", "longest_minutes": "480",
         "lead_minutes": "120", "horizon_days": "60", "change_until_minutes": "1440",
         "buffer_before_minutes": "0", "buffer_after_minutes": "0"}  # fmt: skip


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def instrument(institution):
    return make_instrument(institution=institution)


@pytest.fixture
def page(client, institution, instrument):
    sign_in(client, make_user(institution, Role.OPERATOR))
    return f"/institution/instruments/{instrument.id}/hours"


def send(client, page, **given):
    shown = client.get(page).text
    data = {
        "form_token": re.search(r'name="form_token"\s+value="([^"]+)"', shown)[1],
        "version": re.search(r'name="version"\s+value="([^"]*)"', shown)[1],
        "special-rows": "1",
    }
    return client.post(page, data=data | USUAL | given)


def test_holidays_exchanged_and_special_days_say_why(instrument, session):
    monday = date(2026, 11, 23)
    for day, works in ((monday + timedelta(days=1), False), (monday + timedelta(days=5), True)):
        standing = session.get(CalendarDay, day)
        if standing is None:
            session.add(CalendarDay(day=day, is_workday=works, name="", source="test"))
        else:
            standing.is_workday = works
    session.flush()
    special = {monday + timedelta(days=2): ([], "盘点")}

    ahead = queries.days_ahead(instrument, OFFICE, special, observes_holidays=True)

    told = [(str(each.why), each.reason, bool(each.hours)) for each in ahead.days[:7]]
    assert len(ahead.days) == 14
    assert told == [
        ("None", "", True),
        ("holiday", "", False),
        ("special", "盘点", False),
        ("None", "", True),
        ("None", "", True),
        ("exchanged", "", True),
        ("None", "", False),
    ]


def test_visits_outside_of_the_hours_are_named(instrument):
    made = reservations.reserve(instrument.id, slot(), caller=make_caller())

    inside = queries.days_ahead(instrument, OFFICE, {}, observes_holidays=False)
    mornings = {day: [(480, 660)] for day in range(5)}
    outside = queries.days_ahead(instrument, mornings, {}, observes_holidays=False)

    assert inside.outside == []
    assert [each.id for each in outside.outside] == [made.id]


def test_a_preview_shows_what_was_typed_and_saves_nothing(client, instrument, page):
    answer = send(client, page, monday="09:00-10:00", preview="1")

    assert answer.status_code == 200
    assert "按刚填的，还没有保存" in answer.text
    assert "09:00-10:00" in answer.text
    assert availability.get_schedule(instrument).week[0] == [(480, 1080)]


def test_special_days_are_set_changed_and_removed_and_past_ones_kept(
    client, instrument, page, session
):
    past = date(2026, 11, 20)
    session.add(SpecialDay(instrument_id=instrument.id, day=past, reason="旧"))
    session.flush()

    done = send(
        client,
        page,
        **{
            "special-0-day": "2026-12-24",
            "special-0-hours": "9:00-12:00",
            "special-0-reason": "年终 盘点",
            "special-2-day": "2026-12-31",
        },
    )

    assert done.status_code == 303
    assert availability.get_schedule(instrument).special_days == {
        past: ([], "旧"),
        date(2026, 12, 24): ([(540, 720)], "年终 盘点"),
        date(2026, 12, 31): ([], ""),
    }
    assert 'value="2026-12-24"' in client.get(page).text
    send(client, page)
    assert list(availability.get_schedule(instrument).special_days) == [past]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"special-0-hours": "9:00-12:00"}, "请选择日期。"),
        ({"special-0-day": "2026-02-31"}, "请选择日期。"),
        ({"special-0-day": "2026-12-24", "special-0-hours": "九点"}, "没有看懂“九点”"),
        (
            {"special-0-day": "2026-12-24", "special-1-day": "2026-12-24"},
            "同一天只能填写一次。",
        ),
    ],
)
def test_special_days_that_cannot_be_stay_as_typed(client, instrument, page, given, reason):
    answer = send(client, page, **given)

    assert answer.status_code == 422
    assert reason in answer.text
    assert all(f'value="{value}"' in answer.text for value in given.values())
    assert availability.get_schedule(instrument).special_days == {}


def test_the_mail_shown_is_the_mail_sent(app, institution, instrument, session):
    made = reservations.reserve(
        instrument.id, slot(), caller=make_caller(make_organisation(name="长沙精工"))
    )
    operator = make_caller(institution, Role.OPERATOR)

    with app.test_request_context():
        [(_, shown)] = queries.cancellation_letters([made.id], reason="主轴更换", most=5)
    reservations.close(
        instrument.id,
        slot(WEDNESDAY_10, hours=8),
        OccupancyKind.MAINTENANCE,
        caller=operator,
        reason="主轴更换",
        cancel=[made.id],
    )
    outbox.expand()
    notice = session.scalars(select(Notice).where(Notice.kind == Kind.CANCELLATION)).one()
    with app.test_request_context():
        sent = notices.compose(notice.kind, Side.CUSTOMER, notice.facts, subject_id=made.id)

    assert "主轴更换" in str(shown.rows)
    assert (shown.subject, shown.sentence, shown.rows, shown.steps) == (
        sent.subject,
        sent.sentence,
        sent.rows,
        sent.steps,
    )


def test_a_closure_over_visits_shows_the_mails_before_anything_happens(
    client, institution, instrument
):
    firm = make_organisation(name="长沙精工")
    made = reservations.reserve(instrument.id, slot(), caller=make_caller(firm))
    sign_in(client, make_user(institution, Role.OPERATOR))
    page = f"/institution/instruments/{instrument.id}/closures"
    token = re.search(r'name="form_token"\s+value="([^"]+)"', client.get(page).text)[1]

    answer = client.post(
        page,
        data={
            "form_token": token,
            "kind": "maintenance",
            "starts_at": "2026-11-25T08:00",
            "ends_at": "2026-11-25T18:00",
        },
    )

    assert answer.status_code == 409
    assert "预览将发给企业的邮件（1 封）" in answer.text
    assert "收件方：长沙精工" in answer.text
    assert "仪器维护" in answer.text
    assert made.status == "confirmed"
