"""What a firm sees first, and nobody else's."""

import re
from datetime import date, timedelta

import pytest

from booking.accounts.rules import CustomerClass, Role
from booking.reservations import service
from booking.reservations.models import Settlement
from booking.tariffs.rules import Fee, Terms
from booking.waiting import service as places
from tests.factories import (
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
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
BEGINS, ENDS = slot().starts_at, slot().ends_at  # Wednesday
DAY = timedelta(days=1)


@pytest.fixture
def owner(session):
    return make_institution(name="湖南省检测院")


@pytest.fixture
def lab(owner):
    return caller_of(make_user(owner, Role.MANAGER), (owner, Role.MANAGER))


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner, name="电子万能试验机")


@pytest.fixture
def company(session):
    return make_organisation(name="长沙精工机械有限公司")


@pytest.fixture
def user(company):
    return make_user(company, Role.MANAGER)


@pytest.fixture
def firm(user, company):
    return caller_of(user, (company, Role.MANAGER))


@pytest.fixture
def shown(client, user):
    """A function that returns the words of the page."""

    def show(path="/dashboard"):
        sign_in(client, user)
        answer = client.get(path)
        assert answer.status_code == 200
        return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())

    return show


@pytest.fixture
def confirmed(now, instrument, firm, lab):
    """A use of Wednesday that the operator confirmed."""
    made = service.reserve(instrument.id, slot(), caller=firm)
    now.set(BEGINS)
    service.check_in(made.id, caller=firm)
    now.set(ENDS)
    service.check_out(made.id, caller=firm)
    service.confirm_usage(made.id, caller=lab)
    return made.id


def test_a_new_firm_is_shown_where_to_begin(shown):
    page = shown()

    assert "从第一次预约开始" in page
    assert "0.00 元" in page


def test_the_next_visit_stands_first(shown, instrument, firm, now):
    later = slot(BEGINS + DAY)
    service.reserve(instrument.id, later, caller=firm)
    service.reserve(instrument.id, slot(), caller=firm)

    page = shown()

    assert page.index("下一次使用") < page.index("11月25日 周三 10:00–12:00")
    assert page.index("11月25日 周三") < page.index("11月26日 周四")
    assert "查看预约" in page
    now.set(BEGINS)
    assert "开始使用" in shown()


def test_a_confirmed_use_waits_to_be_checked_and_then_no_more(shown, confirmed, firm):
    assert "待您处理 · 1" in shown()
    assert "核对费用 288.00 元" in shown()

    service.agree(confirmed, caller=firm)

    assert "没有待您处理的事" in shown()


def test_what_was_saved_leads_to_its_lines(shown, client, confirmed, firm, lab):
    service.agree(confirmed, caller=firm)
    paid = {"settlement": Settlement.PAID, "settled_on": date(2026, 11, 25), "reference": "回单 1"}
    service.settle(confirmed, caller=lab, **paid)

    page = shown()

    assert "72.00 元" in page
    assert "2026年11月节约最多：72.00 元" in page
    text = client.get("/dashboard").text
    for scope in ("counted", "no_baseline", "excluded"):
        assert f"scope={scope}#lines" in text
    assert "month=11#lines" in text
    assert f"R-{confirmed:06}" in shown("/savings?year=2026&month=11&scope=counted")
    assert f"R-{confirmed:06}" not in shown("/savings?year=2026&month=10")
    assert f"R-{confirmed:06}" not in shown("/savings?year=2026&scope=excluded")


def test_a_fee_stands_until_the_institution_recorded_it(shown, owner, firm, lab, now):
    costly = make_instrument(institution=owner, price=None)
    make_price(costly, CustomerClass.SME, kept_terms=Terms(no_show=Fee(percent=50)).plain())
    made = service.reserve(costly.id, slot(), caller=firm)
    now.set(BEGINS + timedelta(minutes=45))
    service.no_show(made.id, caller=lab)

    assert "费用 144.00 元，待登记" in shown()


def test_a_member_sees_their_own_and_not_a_colleagues(client, company, instrument, firm):
    service.reserve(instrument.id, slot(), caller=firm)
    sign_in(client, make_user(company))

    assert "从第一次预约开始" in client.get("/dashboard").text


def test_who_works_elsewhere_is_led_there(client, owner):
    for user, place in (
        (make_user(owner, Role.OPERATOR), "/institution/instruments"),
        (make_user(), "/account"),
    ):
        sign_in(client, user)
        assert client.get("/dashboard").headers["Location"] == place


def test_strangers_are_asked_to_log_in(client):
    assert client.get("/dashboard").status_code == 401


def test_it_takes_a_constant_number_of_queries(shown, instrument, firm):
    service.reserve(instrument.id, slot(), caller=firm)
    shown()
    with counted() as few:
        shown()
    for days in (1, 2):
        service.reserve(instrument.id, slot(BEGINS + days * DAY), caller=firm)
    with counted() as more:
        shown()

    assert len(more) == len(few)


def test_an_offer_of_the_waiting_list_comes_first(shown, instrument, firm):
    held = service.reserve(instrument.id, slot(), caller=(holder := make_caller()))
    places.join(instrument.id, slot(), minutes=120, caller=firm)
    service.cancel(held.id, caller=holder)
    places.offer_next(instrument.id)

    page = shown()

    assert "待您处理 · 1" in page
    assert "候补到位，请在" in page
