"""What waits after a use, and the buttons of the day: who sees them, and that they work."""

import re

import pytest

from booking.accounts.rules import Role
from booking.reservations import queries, service
from booking.reservations.models import ReservationStatus
from tests.factories import (
    caller_of,
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
    slot,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
BEGINS, ENDS = slot().starts_at, slot().ends_at
USES, TODAY = "/institution/uses", "/institution/today"


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def operator(institution):
    return make_user(institution, Role.OPERATOR)


@pytest.fixture
def firm():
    return make_caller(make_organisation(name="长沙精工机械有限公司"))


@pytest.fixture
def reserved(institution, firm):
    instrument = make_instrument(institution=institution, name="电子万能试验机")
    return service.reserve(instrument.id, slot(), caller=firm)


@pytest.fixture
def shown(client, operator):
    """A function that returns the words of a page as the operator sees them."""

    def see(address=USES, user=None):
        sign_in(client, user or operator)
        page = client.get(address)
        see.text, see.status = page.text, page.status_code
        return " ".join(re.sub(r"<[^>]+>", " ", page.text.split("<main", 1)[1]).split())

    return see


def test_nothing_waits_at_first(shown):
    assert "没有等您处理的。" in shown()
    assert "使用和费用都处理完了" in shown()


def test_each_step_waits_in_its_list(reserved, firm, institution, operator, shown, now):
    as_operator = caller_of(operator, (institution, Role.OPERATOR))
    now.set(ENDS)
    assert "时段已过，没有登记 · 1" in shown()
    service.check_in(reserved.id, caller=as_operator, at=BEGINS)
    service.check_out(reserved.id, caller=as_operator, at=ENDS - (ENDS - BEGINS) / 4)
    assert "待核定用时 · 1" in shown()
    assert "早退" in shown()
    service.confirm_usage(reserved.id, caller=as_operator)
    assert "等企业核对 · 1" in shown()
    assert "没有等您处理的。" in shown()
    service.object_to(reserved.id, caller=firm, reason="少用半小时")
    assert "企业有异议 · 1" in shown()
    assert "少用半小时" in shown()
    service.confirm_usage(reserved.id, caller=as_operator, minutes=60, note="已核对")
    service.agree(reserved.id, caller=firm)

    words = shown()
    assert "待结算 · 1" in words
    assert "144.00" in words
    assert f'href="/reservations/{reserved.id}"' in shown.text


def test_what_nobody_recorded_is_recorded_afterwards(reserved, firm, client, operator, now):
    page = f"/reservations/{reserved.id}"
    now.set(ENDS)
    sign_in(client, operator)

    def record(**times):
        shown = client.get(page).text
        form = re.search(rf'action="{page}/record".*?</form>', shown, re.DOTALL)[0]
        fields = dict(re.findall(r'type="hidden"\s+name="(\w+)"\s+value="([^"]*)"', form))
        return client.post(f"{page}/record", data=fields | times)

    lost = record(started_at="", ended_at="2026-11-25T12:00")
    assert lost.status_code == 422
    assert "请填写开始时间。" in lost.text
    assert record(started_at="2026-11-25T11:00", ended_at="2026-11-25T10:30").status_code == 422
    assert queries.get_reservation(reserved.id, caller=firm).use is None
    assert record(started_at="2026-11-25T10:00", ended_at="2026-11-25T11:30").status_code == 303

    found = queries.get_reservation(reserved.id, caller=firm)
    assert (found.status, found.use.started_at) == (ReservationStatus.COMPLETED, BEGINS)


def test_finance_sees_it_and_strangers_do_not(reserved, institution, shown, now):
    now.set(ENDS)

    assert "有 1 笔等您处理。" in shown(user=make_user(institution, Role.FINANCE))
    assert "没有等您处理的。" in shown(user=make_user(make_institution(), Role.OPERATOR))
    shown(user=make_user(institution, Role.TESTER))
    assert shown.status == 403
    shown(f"{USES}?institution={institution.id}", make_user(make_institution(), Role.MANAGER))
    assert shown.status == 404


def test_it_takes_a_constant_number_of_queries(
    reserved, firm, institution, operator, client, now, shown
):
    second = make_instrument(institution=institution)
    now.set(ENDS)
    shown()
    with counted() as few:
        client.get(USES)
    now.set(BEGINS - (ENDS - BEGINS) * 30)
    service.reserve(second.id, slot(), caller=firm)
    now.set(ENDS)
    with counted() as many:
        client.get(USES)

    assert "· 2" in shown()
    assert len(many) == len(few)


def test_the_day_has_buttons_that_begin_and_end_a_use(reserved, firm, client, shown, now):
    shown(TODAY)
    assert "签到" not in shown.text
    now.set(BEGINS)
    shown(TODAY)

    def press(action):
        form = re.search(
            rf'action="/reservations/{reserved.id}/{action}".*?</form>', shown.text, re.DOTALL
        )
        fields = dict(re.findall(r'type="hidden"\s+name="(\w+)"\s+value="([^"]*)"', form[0]))
        return client.post(f"/reservations/{reserved.id}/{action}", data=fields)

    assert press("check-in").headers["Location"].startswith(TODAY)
    # Still there after the slot, until the use is ended.
    now.set(ENDS + (ENDS - BEGINS))
    shown(TODAY)
    assert "签退" in shown.text
    press("check-out")

    found = queries.get_reservation(reserved.id, caller=firm)
    assert found.status is ReservationStatus.COMPLETED
