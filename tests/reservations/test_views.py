"""From an instrument's page to a reservation and back out of it: nothing typed is lost."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.accounts.rules import CustomerClass, Role
from booking.kernel.money import Money
from booking.reservations import service
from booking.reservations.models import Reservation, ReservationStatus
from booking.tariffs import service as tariffs
from booking.tariffs.rules import ChargeUnit, Fee, Terms
from tests.factories import (
    WEDNESDAY_10,
    caller_of,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_price,
    make_user,
    sign_in,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

CHOSEN = "minutes=120&start=2026-11-25T10:00"


@pytest.fixture
def instrument():
    return make_instrument(name="电子万能试验机")


@pytest.fixture
def firm():
    return make_organisation(name="长沙精工机械有限公司")


@pytest.fixture
def signed_in(client, firm):
    user = make_user(firm, Role.MANAGER)
    sign_in(client, user)
    return caller_of(user, (firm, Role.MANAGER))


def token_of(page):
    return re.search(r'name="form_token"\s+value="([^"]+)"', page.text)[1]


def once_of(page):
    return re.search(r'name="once"\s+value="([^"]+)"', page.text)[1]


def reserve(client, instrument, **given):
    page = client.get(f"/instruments/{instrument.id}?{CHOSEN}")
    data = {
        "form_token": token_of(page),
        "once": once_of(page),
        "start": "2026-11-25T10:00",
        "minutes": "120",
        "purpose": "原材料拉伸试验",
    }
    return client.post(f"/instruments/{instrument.id}/reserve", data=data | given)


def all_reservations(session):
    return session.scalars(select(Reservation).order_by(Reservation.id)).all()


def test_a_stranger_sees_slots_price_saving_and_the_way_to_log_in(client, instrument):
    page = client.get(f"/instruments/{instrument.id}?{CHOSEN}").text

    assert "电子万能试验机" in page
    assert "288.00" in page
    assert "预计为企业节约" in page
    assert "登录后预约" in page
    assert 'value="2026-11-25T10:00"' in page


def test_without_a_choice_the_soonest_slot_is_filled_in(client, instrument):
    page = client.get(f"/instruments/{instrument.id}").text

    assert re.search(r'name="start"\s+value="2026-11-23T11:00"', page)


def test_a_day_of_the_strip_leads_to_its_first_start(client, instrument):
    page = client.get(f"/instruments/{instrument.id}?day=2026-11-26").text

    assert re.search(r'type="hidden"\s+name="start"\s+value="2026-11-26T08:00"', page)


def test_confirming_reserves_and_leads_to_the_confirmation(client, instrument, signed_in, session):
    answer = reserve(client, instrument)

    (made,) = all_reservations(session)
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"/reservations/{made.id}/made",
    )
    assert (made.purpose, made.status) == ("原材料拉伸试验", ReservationStatus.CONFIRMED)
    page = client.get(answer.headers["Location"]).text
    assert "预约成功" in page
    assert made.number in page
    assert "11月24日 周二 10:00 前可免费取消。" in page


def test_pressing_twice_reserves_once(client, instrument, signed_in, session):
    page = client.get(f"/instruments/{instrument.id}?{CHOSEN}")
    again = {"form_token": token_of(page), "once": once_of(page)}

    first, second = (reserve(client, instrument, **again) for _ in range(2))

    assert len(all_reservations(session)) == 1
    assert first.headers["Location"] == second.headers["Location"]


def test_a_stranger_who_confirms_logs_in_and_finds_everything_again(client, instrument, session):
    answer = reserve(client, instrument)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/log-in?next=")
    assert "2026-11-25T10" in answer.headers["Location"]
    assert "%25E5%258E%259F" in answer.headers["Location"]  # the purpose
    assert all_reservations(session) == []


def test_a_slot_taken_meanwhile_is_409_with_what_is_free_and_keeps_the_purpose(
    client, instrument, signed_in, session
):
    page = client.get(f"/instruments/{instrument.id}?{CHOSEN}")
    service.reserve(instrument.id, slot(), caller=make_caller())

    answer = reserve(client, instrument, form_token=token_of(page), once=once_of(page))

    assert answer.status_code == 409
    assert "这个时段刚被约走。" in answer.text
    assert "start=2026-11-25T12:00" in answer.text
    assert "purpose=%E5%8E%9F" in answer.text
    assert len(all_reservations(session)) == 1


def test_broken_rules_are_named_before_and_after_confirming(client, instrument, signed_in):
    late = f"/instruments/{instrument.id}?minutes=120&start=2026-11-25T19:00"

    assert "无法预约：1 条规则不符" in client.get(late).text
    answer = reserve(client, instrument, start="2026-11-25T19:00")

    assert answer.status_code == 422
    assert "所选时段不在开放时间内。" in answer.text


def test_a_form_without_its_token_changes_nothing(client, instrument, signed_in, session):
    answer = reserve(client, instrument, form_token="x")

    assert answer.status_code == 403
    assert "原材料拉伸试验" in answer.text
    assert all_reservations(session) == []


@pytest.mark.parametrize(
    "given", ["start=morgen", "start=2026-11-25", "minutes=0", "day=x", "from=y"]
)
def test_what_cannot_be_meant_counts_as_not_chosen(client, instrument, given):
    assert client.get(f"/instruments/{instrument.id}?{given}").status_code == 200


def test_an_instrument_that_is_not_open_says_why_and_offers_others(client):
    closed = make_instrument(schedule=None)

    page = client.get(f"/instruments/{closed.id}").text

    assert "这台仪器尚未开放在线预约。" in page
    assert "看同类仪器" in page
    assert "确认预约" not in page


def test_somebody_elses_draft_is_not_found(client):
    draft = make_instrument(publication="draft")

    assert client.get(f"/instruments/{draft.id}").status_code == 404


def test_the_list_shows_what_comes_next_apart_from_the_past(client, instrument, signed_in):
    coming = service.reserve(instrument.id, slot(), caller=signed_in)

    page = client.get("/reservations").text

    assert "下一个" in page
    assert coming.number in page
    assert coming.number not in client.get("/reservations?view=past").text


def test_an_empty_list_leads_to_the_search(client, signed_in):
    page = client.get("/reservations").text

    assert "这里还没有预约" in page
    assert 'href="/instruments"' in page


def test_somebody_elses_reservation_is_not_found(client, instrument, signed_in):
    theirs = service.reserve(instrument.id, slot(), caller=make_caller())

    for path in ("", "/made", "/cancel"):
        assert client.get(f"/reservations/{theirs.id}{path}").status_code == 404


def test_cancelling_asks_first_and_frees_the_time(client, instrument, signed_in, session):
    mine = service.reserve(instrument.id, slot(), caller=signed_in)
    page = client.get(f"/reservations/{mine.id}/cancel")

    answer = client.post(
        f"/reservations/{mine.id}/cancel",
        data={"form_token": token_of(page), "version": "1", "reason": "样品未到"},
    )

    assert answer.status_code == 303
    session.refresh(mine)
    assert (mine.status, mine.cancel_reason) == (ReservationStatus.CANCELLED, "样品未到")
    shown = client.get(f"/reservations/{mine.id}").text
    assert "已取消" in shown
    assert "样品未到" in shown


def test_cancelling_too_late_says_so_and_keeps_the_reservation(
    client, instrument, signed_in, session, now
):
    mine = service.reserve(instrument.id, slot(), caller=signed_in)
    now.set(WEDNESDAY_10 - timedelta(hours=3))
    user = session.get_one(type(make_user()), signed_in.user_id)
    sign_in(client, user)
    page = client.get(f"/reservations/{mine.id}/cancel")

    answer = client.post(f"/reservations/{mine.id}/cancel", data={"form_token": token_of(page)})

    assert answer.status_code == 422
    assert "请联系机构" in answer.text
    session.refresh(mine)
    assert mine.status is ReservationStatus.CONFIRMED


def test_the_owners_people_see_it_from_their_side(client, session):
    institution = make_institution()
    instrument = make_instrument(institution=institution)
    firm = make_organisation(name="株洲机械有限公司")
    user = make_user(firm, Role.MANAGER)
    service.reserve(instrument.id, slot(), caller=caller_of(user, (firm, Role.MANAGER)))
    sign_in(client, make_user(institution, Role.OPERATOR))

    assert "株洲机械有限公司" in client.get("/reservations").text


def test_moving_offers_what_fits_and_moves(client, instrument, signed_in, session):
    mine = service.reserve(instrument.id, slot(), caller=signed_in)
    page = client.get(f"/reservations/{mine.id}/move")
    assert 'value="2026-11-26T14:00"' in page.text
    assert 'value="2026-11-25T11:00"' not in page.text  # its own time

    answer = client.post(
        f"/reservations/{mine.id}/move",
        data={"form_token": token_of(page), "version": "1", "start": "2026-11-26T14:00"},
    )

    assert answer.status_code == 303
    session.refresh(mine)
    assert mine.slot == slot(WEDNESDAY_10 + timedelta(days=1, hours=4))


def test_moving_to_what_was_just_taken_keeps_the_old_time(client, instrument, signed_in, session):
    mine = service.reserve(instrument.id, slot(), caller=signed_in)
    page = client.get(f"/reservations/{mine.id}/move")
    service.reserve(instrument.id, slot(WEDNESDAY_10 + timedelta(days=1)), caller=make_caller())

    answer = client.post(
        f"/reservations/{mine.id}/move",
        data={"form_token": token_of(page), "start": "2026-11-26T10:00"},
    )

    assert answer.status_code == 409
    assert "原预约仍然有效" in answer.text
    session.refresh(mine)
    assert mine.slot == slot()


@pytest.mark.parametrize("start", ["", "morgen", "9999-12-31T23:59", "2026-11-26T19:00"])
def test_a_start_that_cannot_be_is_named(client, instrument, signed_in, start):
    mine = service.reserve(instrument.id, slot(), caller=signed_in)
    page = client.get(f"/reservations/{mine.id}/move")

    answer = client.post(
        f"/reservations/{mine.id}/move",
        data={"form_token": token_of(page), "start": start},
    )

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


@pytest.mark.usefixtures("signed_in")
def test_rules_that_are_kept_are_counted_and_listed(client, instrument):
    page = client.get(f"/instruments/{instrument.id}?{CHOSEN}").text

    assert "符合全部 6 条预约规则" in page
    assert "最多提前 60 天预约" in page


def test_a_stranger_reads_which_rule_a_time_breaks(client, instrument):
    page = client.get(f"/instruments/{instrument.id}?minutes=120&start=2026-11-25T03:00").text

    assert "无法预约：1 条规则不符" in page
    assert "所选时段不在开放时间内" in page


def test_another_day_keeps_the_time_where_it_is_free(client, instrument):
    page = client.get(
        f"/instruments/{instrument.id}?minutes=120&start=2026-11-25T10:00&day=2026-11-26"
    ).text
    assert 'name="start" value="2026-11-26T10:00"' in page

    service.reserve(instrument.id, slot(WEDNESDAY_10 + timedelta(days=1)), caller=make_caller())
    page = client.get(
        f"/instruments/{instrument.id}?minutes=120&start=2026-11-25T10:00&day=2026-11-26"
    ).text
    assert 'name="start" value="2026-11-26T08:00"' in page


def test_until_when_it_may_be_given_back_is_said_before_it_is_taken(client, instrument):
    page = client.get(f"/instruments/{instrument.id}?{CHOSEN}").text
    assert "11月24日 周二 10:00 前可免费改期或取消" in page

    page = client.get(f"/instruments/{instrument.id}?minutes=120&start=2026-11-23T14:00").text
    assert "须联系机构" in page


@pytest.mark.usefixtures("signed_in")
def test_the_purpose_written_last_stands_there_until_another_is_typed(client, instrument):
    made = reserve(client, instrument, purpose="来料检验")
    assert "length=120" in made.headers["Set-Cookie"]

    assert 'value="来料检验"' in client.get(f"/instruments/{instrument.id}?minutes=60").text
    page = client.get(f"/instruments/{instrument.id}?minutes=60&purpose=").text
    assert 'value="来料检验"' not in page


def test_the_steps_of_a_reservation_name_the_side_that_took_them(client, signed_in, instrument):
    made = service.reserve(instrument.id, slot(), caller=signed_in)
    service.move(made.id, slot(WEDNESDAY_10 + timedelta(hours=2)), caller=signed_in)

    page = client.get(f"/reservations/{made.id}").text
    assert page.index("已改期") > page.index("已预约")
    assert "请于 11月25日 周三 12:00 到场" in page

    owner = make_caller(instrument.institution, Role.MANAGER)
    service.cancel(made.id, caller=owner)
    steps = client.get(f"/reservations/{made.id}").text.split("进度")[1]
    assert "到场" not in steps
    assert instrument.institution.name in steps


def test_a_month_shows_each_day_and_what_runs_on_into_the_next(client, signed_in):
    machine = make_instrument(
        name="恒温恒湿箱",
        hours={day: [(0, 1440)] for day in range(7)},
        schedule={"longest_minutes": 2880},
    )
    service.reserve(machine.id, slot(WEDNESDAY_10, hours=30), caller=signed_in)

    page = client.get("/reservations?view=month&month=2026-11").text
    assert "2026年11月" in page
    assert page.count("恒温恒湿箱") == 2
    assert "month=2026-10" in page
    assert "month=2026-12" in page
    assert "这个月没有预约" in client.get("/reservations?view=month&month=2026-10").text
    assert "2026年11月" in client.get("/reservations?view=month&month=%E4%B9%9D").text


def test_what_comes_next_is_the_soonest_however_many_there_are(client, signed_in, monkeypatch):
    monkeypatch.setattr("booking.reservations.views.own.SHOWN", 2)
    machine = make_instrument(name="电子万能试验机")
    for hours in (0, 2, -2):
        service.reserve(machine.id, slot(WEDNESDAY_10 + timedelta(hours=hours)), caller=signed_in)

    first = client.get("/reservations").text
    assert first.index("08:00–10:00") < first.index("10:00–12:00")
    assert "12:00–14:00" not in first
    more = re.search(r'href="([^"]*cursor=[^"]*)"', first)[1].replace("&amp;", "&")
    assert "12:00–14:00" in client.get(more).text
    assert client.get("/reservations?cursor=nonsense").status_code == 200


def test_the_fee_is_said_before_cancelling_late_and_kept_after(client, session, now):
    owner = make_institution()
    instrument = make_instrument(institution=owner, price=None)
    tariffs.publish_price(
        instrument.id,
        CustomerClass.SME,
        Money.of("180.00"),
        caller=make_caller(owner, Role.MANAGER),
        terms=Terms(startup_minor=5000, late_cancel=Fee(percent=50)),
    )
    firm = make_organisation()
    user = make_user(firm)
    mine = service.reserve(instrument.id, slot(), caller=caller_of(user, (firm, Role.MEMBER)))
    sign_in(client, user)
    shown = client.get(f"/reservations/{mine.id}").text
    assert "开机费" in shown
    assert "之后收 205.00 元" in shown

    now.set(WEDNESDAY_10 - timedelta(hours=3))
    sign_in(client, user)
    page = client.get(f"/reservations/{mine.id}/cancel")
    assert "现在取消收 205.00 元" in page.text
    client.post(f"/reservations/{mine.id}/cancel", data={"form_token": token_of(page)})

    assert "逾期取消费" in client.get(f"/reservations/{mine.id}").text


def test_the_panel_says_how_the_price_comes_about(client, session):
    instrument = make_instrument(price=None)
    terms = Terms(startup_minor=5000, no_show=Fee(percent=50), deposit_minor=100000)
    make_price(instrument, kept_terms=terms.plain(), discount_percent=0)

    shown = client.get(f"/instruments/{instrument.id}?start=2026-11-25T10:00&minutes=120").text

    for words in ("公示价 180.00 元/小时 × 2 小时", "开机费", "410.00", "爽约收 205.00 元", "押金"):
        assert words in shown


def test_samples_are_asked_for_where_they_are_paid(client, session):
    instrument = make_instrument(price=None)
    terms = Terms(unit=ChargeUnit.SAMPLE, unit_minor=42000)
    make_price(instrument, kept_terms=terms.plain(), discount_percent=0)

    asked = f"/instruments/{instrument.id}?start=2026-11-25T10:00&minutes=120"
    three = client.get(f"{asked}&samples=3").text

    assert "公示价 420.00 元/样品 × 3" in three
    assert "1,260.00" in three
    assert "420.00 元/样品 × 1" in client.get(f"{asked}&samples=-1").text
