"""The page of an instrument's opening hours and terms: what is typed is understood or kept."""

import re
from datetime import date

import pytest

from booking.accounts.rules import Role
from booking.availability import queries
from booking.availability.models import SpecialDay
from tests.factories import (
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def instrument(institution):
    return make_instrument(institution=institution, name="电子万能试验机")


@pytest.fixture
def operator(client, institution):
    user = make_user(institution, Role.OPERATOR)
    sign_in(client, user)
    return user


def address_of(instrument):
    return f"/institution/instruments/{instrument.id}/hours"


def shown(page):
    """What the form holds: the values of its inputs and the chosen options."""
    values = {
        re.search(r'name="([^"]+)"', each)[1]: re.search(r'value="([^"]*)"', each)[1]
        for each in re.findall(r"<input[^>]*name=[^>]*>", page.text)
        if 'type="checkbox"' not in each or "checked" in each
    }
    for select, options in re.findall(
        r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page.text, re.S
    ):
        chosen = re.search(r'value="([^"]*)"\s+selected', options)
        values[select] = chosen[1] if chosen else ""
    return values


def save(client, instrument, **given):
    values = shown(client.get(address_of(instrument))) | given
    kept = {name: value for name, value in values.items() if value is not None}
    return client.post(address_of(instrument), data=kept)


def sheet_of(instrument):
    return queries.get_schedule(instrument)


def test_the_page_shows_what_stands(client, instrument, operator):
    values = shown(client.get(address_of(instrument)))

    assert values["monday"] == "08:00-18:00"
    assert values["sunday"] == ""
    assert (values["grid_minutes"], values["longest_minutes"]) == ("30", "480")
    assert (values["observes_holidays"], values["version"]) == ("1", "1")


def test_saving_sets_the_week_and_the_terms(client, instrument, operator):
    answer = save(
        client,
        instrument,
        monday="14:00-17:30 08:30-12:00",
        tuesday="",
        lead_minutes="60",
        observes_holidays=None,
    )

    assert answer.status_code == 303
    assert answer.headers["Location"] == address_of(instrument)
    sheet = sheet_of(instrument)
    assert sheet.week[0] == [(510, 720), (840, 1050)]
    assert 1 not in sheet.week
    assert (sheet.terms.lead_minutes, sheet.terms.observes_holidays) == (60, False)
    assert "开放时间已保存" in client.get(address_of(instrument)).text


@pytest.mark.parametrize(
    "typed",
    [
        "8:30-12:00 14:00-17:30",
        "08:30–12:00，14:00–17:30",
        "08：30 ～ 12：00；14：00 ～ 17：30",
        "8:30至12:00、14:00到17:30",
        " 08:30 - 12:00,  14:00 - 17:30 ",
    ],
)
def test_hours_are_understood_however_people_write_them(client, instrument, operator, typed):
    assert save(client, instrument, monday=typed).status_code == 303
    assert sheet_of(instrument).week[0] == [(510, 720), (840, 1050)]


def test_a_day_may_last_until_midnight(client, instrument, operator):
    assert save(client, instrument, monday="00:00-24:00").status_code == 303
    assert sheet_of(instrument).week[0] == [(0, 1440)]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("早上八点到十二点", "没有看懂“早上八点-十二点”"),
        ("08:30", "没有看懂“08:30”"),
        ("08:30-12:60", "没有看懂“08:30-12:60”"),
        ("08:00-24:30", "时间须在 00:00 到 24:00 之间。"),
        ("22:00-02:00", "跨零点的请拆成两段"),
        ("08:00-12:00 11:00-13:00", "同一天的开放时段不能重叠。"),
        (
            " ".join(f"{h:02}:{m:02}-{h:02}:{m + 10}" for h in range(9) for m in (0, 20, 40)),
            "最多 24 段",
        ),
    ],
)
def test_a_day_that_cannot_be_is_named_beside_it_and_everything_typed_stays(
    client, instrument, operator, typed, said
):
    answer = save(client, instrument, wednesday=typed, friday="09:00-11:00", lead_minutes="90")

    assert answer.status_code == 422
    assert "有 1 处需要修改" in answer.text
    assert '<a href="#f-wednesday">' in answer.text
    assert said in answer.text
    values = shown(answer)
    assert (values["wednesday"], values["friday"], values["lead_minutes"]) == (
        typed,
        "09:00-11:00",
        "90",
    )
    assert sheet_of(instrument).schedule.version == 1


def test_all_that_is_wrong_is_said_at_once(client, instrument, operator):
    answer = save(client, instrument, monday="x", tuesday="y", horizon_days="367", lead_minutes="")

    assert answer.status_code == 422
    for name in ("monday", "tuesday", "horizon_days", "lead_minutes"):
        assert f'<a href="#f-{name}">' in answer.text
    assert "请填写整数。" in answer.text


def test_terms_that_contradict_each_other_are_refused(client, instrument, operator):
    answer = save(client, instrument, shortest_minutes="240", longest_minutes="120")

    assert answer.status_code == 422
    assert "单次最长不能短于单次最短。" in answer.text


def test_what_somebody_saved_meanwhile_is_shown_before_it_is_replaced(client, instrument, operator):
    before = shown(client.get(address_of(instrument)))
    assert save(client, instrument, monday="07:00-09:00").status_code == 303

    refused = client.post(address_of(instrument), data=before | {"monday": "10:00-12:00"})

    assert refused.status_code == 409
    assert "您填写时有人改过开放时间" in refused.text
    assert "07:00-09:00" in refused.text
    assert sheet_of(instrument).week[0] == [(420, 540)]
    again = shown(refused)
    assert again["monday"] == "10:00-12:00"
    assert client.post(address_of(instrument), data=again).status_code == 303
    assert sheet_of(instrument).week[0] == [(600, 720)]


def test_the_first_hours_of_an_instrument_are_set(client, institution, operator):
    fresh = make_instrument(institution=institution, schedule=None)

    assert "还没有开放时间" in client.get(address_of(fresh)).text
    assert save(client, fresh, monday="08:00-12:00").status_code == 303
    assert sheet_of(fresh).week == {0: [(480, 720)]}


def test_two_who_set_the_first_hours_do_not_overwrite_each_other(client, institution, operator):
    fresh = make_instrument(institution=institution, schedule=None)
    before = shown(client.get(address_of(fresh)))
    save(client, fresh, monday="08:00-12:00")

    answer = client.post(address_of(fresh), data=before | {"monday": "13:00-14:00"})

    assert answer.status_code == 409
    assert sheet_of(fresh).week == {0: [(480, 720)]}


def test_days_that_differ_are_listed_and_outlive_a_save(client, instrument, operator, session):
    session.add(
        SpecialDay(
            instrument_id=instrument.id,
            day=date(2026, 12, 5),
            opens_minute=540,
            closes_minute=720,
            reason="开放日",
        )
    )
    session.add(SpecialDay(instrument_id=instrument.id, day=date(2026, 12, 31), reason="盘点"))

    page = client.get(address_of(instrument)).text

    assert "09:00-12:00" in page
    assert "开放日" in page
    assert "盘点" in page
    assert save(client, instrument).status_code == 303
    assert sheet_of(instrument).special_days == {
        date(2026, 12, 5): ([(540, 720)], "开放日"),
        date(2026, 12, 31): ([], "盘点"),
    }


def test_a_form_without_its_token_saves_nothing_and_keeps_what_was_typed(
    client, instrument, operator
):
    answer = save(client, instrument, form_token=None, monday="10:00-12:00")

    assert answer.status_code == 403
    assert "请再提交一次" in answer.text
    assert shown(answer)["monday"] == "10:00-12:00"
    assert sheet_of(instrument).week[0] == [(480, 1080)]


@pytest.mark.parametrize("publication", ["published", "draft"])
def test_another_institutions_hours_are_not_found(client, operator, instrument, publication):
    theirs = make_instrument(publication=publication)
    values = shown(client.get(address_of(instrument)))

    assert client.get(address_of(theirs)).status_code == 404
    assert client.post(address_of(theirs), data=values).status_code == 404


def test_a_firm_finds_no_such_page(client, instrument):
    sign_in(client, make_user(make_organisation(), Role.MANAGER))

    assert client.get(address_of(instrument)).status_code == 404


def test_a_tester_of_the_house_may_not(client, institution, instrument):
    sign_in(client, make_user(institution, Role.TESTER))

    assert client.get(address_of(instrument)).status_code == 403


def test_who_is_not_signed_in_logs_in_and_comes_back(client, instrument):
    answer = client.get(address_of(instrument))

    assert answer.status_code == 401
    assert f'value="{address_of(instrument)}"' in answer.text


def test_the_zone_is_named_where_it_is_not_the_usual_one(client, institution, operator):
    far = make_instrument(institution=institution, time_zone="Asia/Urumqi")

    assert "Asia/Urumqi" in client.get(address_of(far)).text


def test_hours_that_leave_the_policy_no_slot_are_warned_of(client, instrument, operator):
    words = "没有人能约"
    assert words not in client.get(address_of(instrument)).text

    days = ("tuesday", "wednesday", "thursday", "friday")
    short = {"monday": "08:00-09:00", "shortest_minutes": "120", **dict.fromkeys(days, "")}
    preview = save(client, instrument, preview="1", **short)
    saved = save(client, instrument, **short)
    page = client.get(address_of(instrument))

    assert "按刚填的时间和现在的预约规则，没有人能约" in preview.text
    assert saved.status_code == 303
    assert "按现在的预约规则，没有人能约" in page.text
    assert "短于单次最短" in page.text


def test_without_any_hours_there_is_nothing_to_warn_of(client, institution, operator):
    instrument = make_instrument(institution=institution, schedule=None)

    assert "没有人能约" not in client.get(address_of(instrument)).text
