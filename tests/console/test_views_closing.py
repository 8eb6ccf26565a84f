"""The page on which an instrument is closed for a while: over promises only once they are named."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.accounts.rules import Role
from booking.availability.models import Closure, OccupancyKind
from booking.reservations import service
from booking.reservations.models import ReservationStatus
from tests.factories import (
    WEDNESDAY_10,
    caller_of,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
    slot,
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
    return caller_of(user, (institution, Role.OPERATOR))


def address_of(instrument):
    return f"/institution/instruments/{instrument.id}/closures"


def token_of(page):
    return re.search(r'name="form_token"\s+value="([^"]+)"', page.text)[1]


def once_of(page):
    return re.search(r'name="once"\s+value="([^"]+)"', page.text)[1]


def close(client, instrument, **given):
    page = client.get(address_of(instrument))
    data = {
        "form_token": token_of(page),
        "once": once_of(page),
        "kind": "maintenance",
        "starts_at": "2026-11-25T10:00",
        "ends_at": "2026-11-25T12:00",
        "reason": "更换夹具",
    }
    return client.post(address_of(instrument), data=data | given)


def lift(client, instrument, closure, **given):
    data = {"form_token": token_of(client.get(address_of(instrument))), "version": "1"}
    return client.post(f"{address_of(instrument)}/{closure.id}/lift", data=data | given)


def all_closures(session):
    return session.scalars(select(Closure).order_by(Closure.id)).all()


def test_an_instrument_is_closed_on_the_clock_of_its_own_place(
    client, institution, operator, session
):
    far = make_instrument(institution=institution, time_zone="Asia/Tokyo")

    answer = close(client, far, ends_at="2026-11-25 12:00")

    assert (answer.status_code, answer.headers["Location"]) == (303, address_of(far))
    (made,) = all_closures(session)
    assert made.slot == slot(WEDNESDAY_10 - timedelta(hours=1))
    assert (made.kind, made.reason) == (OccupancyKind.MAINTENANCE, "更换夹具")
    page = client.get(address_of(far)).text
    assert "已停用：11月25日 周三 10:00–12:00。" in page
    assert "更换夹具" in page
    assert "Asia/Tokyo" in page


def test_only_what_is_not_over_is_listed(client, institution, instrument, operator, now):
    service.close(instrument.id, slot(), OccupancyKind.FAULT, caller=operator, reason="旧的")
    lifted = service.close(
        instrument.id,
        slot(WEDNESDAY_10 + timedelta(days=2)),
        OccupancyKind.FAULT,
        caller=operator,
        reason="解除的",
    ).closure
    service.lift(lifted.id, caller=operator)
    now.set(WEDNESDAY_10 + timedelta(hours=3))
    service.close(
        instrument.id,
        slot(WEDNESDAY_10 + timedelta(hours=2), hours=4),
        OccupancyKind.CALIBRATION,
        caller=operator,
        reason="现在的",
    )
    sign_in(client, make_user(institution, Role.OPERATOR))  # the first session is too old by now

    page = client.get(address_of(instrument)).text

    assert "现在的" in page
    assert "停用中" in page
    assert "旧的" not in page
    assert "解除的" not in page


def test_one_unit_of_several_can_be_closed(client, institution, operator, session):
    twins = make_instrument(institution=institution, units=2)

    assert close(client, twins, unit="2").status_code == 303
    assert [each.unit for each in all_closures(session)] == [2]
    assert "第 2 台" in client.get(address_of(twins)).text


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"starts_at": ""}, "starts_at", "请填写开始时间。"),
        ({"ends_at": "morgen"}, "ends_at", "请写作 2026-11-25 14:00。"),
        ({"ends_at": "2026-02-30T10:00"}, "ends_at", "请写作 2026-11-25 14:00。"),
        ({"ends_at": "2026-11-25T09:00"}, "ends_at", "结束时间须晚于开始时间。"),
        ({"ends_at": "9999-12-31T23:59"}, "ends_at", "2000 年到 2099 年"),
        ({"starts_at": "0001-01-01T00:00"}, "starts_at", "2000 年到 2099 年"),
        ({"ends_at": "2028-11-25T09:00"}, "ends_at", "一次停用最长 400 天。"),
        ({"kind": "reservation"}, "kind", ""),
    ],
)
def test_what_cannot_be_is_named_beside_it_and_everything_typed_stays(
    client, instrument, operator, session, given, field, said
):
    answer = close(client, instrument, **given)

    assert answer.status_code == 422
    assert f'<a href="#f-{field}">' in answer.text
    assert said in answer.text
    assert 'value="更换夹具"' in answer.text
    assert f'value="{given.get("starts_at", "2026-11-25T10:00")}"' in answer.text
    assert all_closures(session) == []


def test_reservations_in_the_way_are_named_and_nothing_changes(
    client, instrument, operator, session
):
    firm = make_organisation(name="株洲机械有限公司")
    promised = service.reserve(instrument.id, slot(), caller=make_caller(firm))

    answer = close(client, instrument)

    assert answer.status_code == 409
    assert "该时间段内已有 1 个预约。" in answer.text
    assert promised.number in answer.text
    assert "株洲机械有限公司" in answer.text
    assert 'value="更换夹具"' in answer.text
    session.refresh(promised)
    assert promised.status is ReservationStatus.CONFIRMED
    assert all_closures(session) == []


def test_reservations_that_were_ticked_give_way(client, instrument, operator, session):
    promised = service.reserve(instrument.id, slot(), caller=make_caller())

    answer = close(client, instrument, cancel=[str(promised.id)])

    assert answer.status_code == 303
    session.refresh(promised)
    assert (promised.status, promised.cancel_reason) == (ReservationStatus.CANCELLED, "更换夹具")
    assert len(all_closures(session)) == 1


def test_of_two_in_the_way_the_one_ticked_stays_ticked(client, instrument, operator, session):
    first = service.reserve(instrument.id, slot(hours=1), caller=make_caller())
    later = slot(WEDNESDAY_10 + timedelta(hours=1), hours=1)
    second = service.reserve(instrument.id, later, caller=make_caller())

    answer = close(client, instrument, cancel=[str(first.id)])

    assert answer.status_code == 409
    assert re.search(rf'value="{first.id}"\s+checked', answer.text)
    assert re.search(rf'value="{second.id}"\s+aria', answer.text)
    session.refresh(first)
    assert first.status is ReservationStatus.CONFIRMED


def test_a_ticked_reservation_that_has_gone_meanwhile_is_said(client, instrument, operator):
    gone = service.reserve(instrument.id, slot(), caller=make_caller())
    other = slot(WEDNESDAY_10 + timedelta(days=1))

    answer = close(
        client,
        instrument,
        cancel=[str(gone.id)],
        starts_at=f"{other.starts_at + timedelta(hours=8):%Y-%m-%dT%H:%M}",
        ends_at=f"{other.ends_at + timedelta(hours=8):%Y-%m-%dT%H:%M}",
    )

    assert answer.status_code == 422
    assert "不在该时间段内" in answer.text
    assert 'href="#f-cancel"' not in answer.text


def test_another_closure_in_the_way_is_named(client, instrument, operator):
    service.close(instrument.id, slot(hours=1), OccupancyKind.CALIBRATION, caller=operator)

    answer = close(client, instrument)

    assert answer.status_code == 409
    assert "该时间段内已有停用安排。" in answer.text
    assert "11月25日 周三 10:00–11:00 · 仪器校准" in answer.text


def test_pressing_twice_closes_once(client, instrument, operator, session):
    once = once_of(client.get(address_of(instrument)))

    first, second = (close(client, instrument, once=once) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert len(all_closures(session)) == 1


def test_a_form_without_its_token_closes_nothing_and_keeps_what_was_typed(
    client, instrument, operator, session
):
    answer = close(client, instrument, form_token="")

    assert answer.status_code == 403
    assert 'value="更换夹具"' in answer.text
    assert all_closures(session) == []


def test_lifting_gives_the_time_back(client, instrument, operator, session):
    closure = service.close(instrument.id, slot(), OccupancyKind.FAULT, caller=operator).closure

    answer = lift(client, instrument, closure)

    assert (answer.status_code, answer.headers["Location"]) == (303, address_of(instrument))
    session.refresh(closure)
    assert closure.lifted_at is not None
    page = client.get(address_of(instrument)).text
    assert "已解除停用" in page
    assert "开放时间内都可以预约" in page


@pytest.mark.parametrize(("given", "status"), [({"version": "9"}, 409), ({"form_token": "x"}, 403)])
def test_a_lift_that_is_refused_says_why(client, instrument, operator, session, given, status):
    closure = service.close(instrument.id, slot(), OccupancyKind.FAULT, caller=operator).closure

    answer = lift(client, instrument, closure, **given)

    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    session.refresh(closure)
    assert closure.lifted_at is None


def test_a_closure_of_another_instrument_is_not_found(client, institution, instrument, operator):
    second = make_instrument(institution=institution)
    closure = service.close(second.id, slot(), OccupancyKind.FAULT, caller=operator).closure

    assert lift(client, instrument, closure).status_code == 404


@pytest.mark.parametrize("publication", ["published", "draft"])
def test_another_institutions_closures_are_not_found(client, operator, instrument, publication):
    theirs = make_instrument(publication=publication)
    token = token_of(client.get(address_of(instrument)))

    assert client.get(address_of(theirs)).status_code == 404
    assert client.post(address_of(theirs), data={"form_token": token}).status_code == 404
    away = client.post(f"{address_of(theirs)}/1/lift", data={"form_token": token})
    assert away.status_code == 404


def test_a_firm_finds_no_such_page_and_a_tester_may_not(client, institution, instrument):
    sign_in(client, make_user(make_organisation(), Role.MANAGER))
    assert client.get(address_of(instrument)).status_code == 404

    sign_in(client, make_user(institution, Role.TESTER))
    assert client.get(address_of(instrument)).status_code == 403


def test_who_is_not_signed_in_logs_in_and_comes_back(client, instrument):
    answer = client.get(address_of(instrument))

    assert answer.status_code == 401
    assert f'value="{address_of(instrument)}"' in answer.text
