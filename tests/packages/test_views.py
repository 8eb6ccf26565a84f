"""The pages: what firms bought, what institutions sell, and booking with it."""

import re

import pytest

from booking.accounts.rules import Caller, OrganisationKind, Role, Seat
from booking.packages import queries
from booking.packages import service as packages
from booking.reservations import queries as reservations
from tests.factories import (
    make_balance,
    make_institution,
    make_instrument,
    make_organisation,
    make_package,
    make_user,
    sign_in,
)


@pytest.fixture
def owner(session):
    return make_institution()


@pytest.fixture
def firm(session):
    return make_organisation()


@pytest.fixture
def instrument(owner):
    return make_instrument(institution=owner)


@pytest.fixture
def balance(owner, firm):
    return make_balance(make_package(owner), firm)


@pytest.fixture
def as_firm(client, firm):
    sign_in(client, make_user(firm))
    return client


@pytest.fixture
def as_manager(client, owner):
    sign_in(client, make_user(owner, Role.MANAGER))
    return client


def _post(client, page, url, **fields):
    token = re.search(r'name="form_token"\s+value="([^"]+)"', client.get(page).text)[1]
    return client.post(url, data={"form_token": token, **fields})


def test_a_firm_without_hours_is_told_where_they_come_from(as_firm):
    page = as_firm.get("/prepaid")

    assert "没有可用的预付机时" in page.text


def test_a_firm_sees_what_is_left_and_until_when(as_firm, balance):
    page = as_firm.get("/prepaid").text

    assert "余 20 小时" in page
    assert "2027-11-23" in page
    one = as_firm.get(f"/prepaid/{balance.id}").text
    assert "购买" in one
    assert "更正余额" not in one


def test_what_has_ended_stands_below(client, firm, balance, now):
    now.advance(days=400)
    packages.expire()
    sign_in(client, make_user(firm))

    page = client.get("/prepaid").text

    assert "没有可用的预付机时" in page
    assert "已到期" in page


def test_another_firm_does_not_find_it(client, balance):
    sign_in(client, make_user(make_organisation()))

    assert client.get(f"/prepaid/{balance.id}").status_code == 404


def test_an_institution_publishes_sells_and_withdraws(as_manager, owner, firm, instrument):
    made = _post(
        as_manager,
        "/institution/packages/new",
        "/institution/packages/new",
        institution=owner.id,
        name="百小时包",
        customer_class="sme",
        hours="100",
        price="12,000",
        valid_months="12",
        instrument_ids=[instrument.id],
    )
    assert made.status_code == 303
    [package] = queries.list_packages(owner.id)
    bought = _post(
        as_manager,
        "/institution/packages",
        "/institution/packages/purchases",
        institution=owner.id,
        package_id=package.id,
        uscc=firm.uscc,
        paid_on="2026-11-20",
        reference="HD1",
    )
    assert bought.status_code == 303
    page = as_manager.get(bought.headers["Location"]).text
    assert "余 100 小时" in page
    assert instrument.name in as_manager.get(f"/instruments/{instrument.id}").text

    _post(as_manager, "/institution/packages", f"/institution/packages/{package.id}/withdraw")

    assert queries.list_packages(owner.id, is_sold=True) == []
    assert "已停售" in as_manager.get("/institution/packages").text


def test_what_cannot_be_published_stays_typed(as_manager, owner, instrument):
    page = _post(
        as_manager,
        "/institution/packages/new",
        "/institution/packages/new",
        institution=owner.id,
        name="太贵的包",
        customer_class="sme",
        hours="7",
        price="1000",
        valid_months="12",
    )

    assert page.status_code == 422
    assert "太贵的包" in page.text
    assert "整分" in page.text


def test_another_version_begins_as_the_one_before(as_manager, owner, instrument):
    old = make_package(owner, conditions="不退款", instrument_ids=[instrument.id])

    page = as_manager.get(f"/institution/packages/new?replaces={old.id}").text

    assert "不退款" in page
    assert "2400.00" in page
    made = _post(
        as_manager,
        f"/institution/packages/new?replaces={old.id}",
        "/institution/packages/new",
        institution=owner.id,
        replaces=old.id,
        name=old.name,
        customer_class="sme",
        hours="20",
        price="2200",
        valid_months="12",
    )
    assert made.status_code == 303
    [new] = queries.list_packages(owner.id, is_sold=True)
    assert new.replaces_id == old.id


def test_others_packages_are_not_found(as_manager):
    theirs = make_package(make_institution())

    assert as_manager.get(f"/institution/packages/new?replaces={theirs.id}").status_code == 404
    assert as_manager.get(f"/institution/packages?institution={theirs.id}").status_code == 404


def test_an_institution_without_prices_is_led_to_them(as_manager):
    assert "还没有可以打包的机时" in as_manager.get("/institution/packages/new").text
    assert "没有在售的机时包" in as_manager.get("/institution/packages").text


def test_firms_have_no_business_there(as_firm):
    assert as_firm.get("/institution/packages").status_code == 403


def test_finance_corrects_with_a_reason(as_manager, balance):
    page = f"/prepaid/{balance.id}"
    done = _post(as_manager, page, f"{page}/correct", hours="-1.5", reason="退款")

    assert done.status_code == 303
    shown = as_manager.get(page).text
    assert "余 18 小时 30 分" in shown
    assert "退款" in shown
    for hours, status in (("", 422), ("x", 422), ("0", 422), ("-0.001", 422), ("-19", 409)):
        again = _post(as_manager, page, f"{page}/correct", hours=hours, reason="退款")
        assert again.status_code == status, hours
        assert status == 409 or 'id="f-hours-error"' in again.text, hours


def test_the_panel_offers_what_fits_and_books_with_it(as_firm, balance, instrument):
    own = f"/instruments/{instrument.id}"
    start = "2026-11-25T10:00"
    address = f"{own}?start={start}&minutes=120"
    assert "预付机时" in as_firm.get(address).text

    chosen = as_firm.get(f"{address}&prepaid={balance.id}").text

    assert "余 18 小时" in chosen
    assert "还需支付" in chosen
    made = _post(
        as_firm,
        f"{address}&prepaid={balance.id}",
        f"{own}/reserve",
        start=start,
        minutes="120",
        prepaid=str(balance.id),
    )
    assert made.status_code == 303
    [reserved] = reservations.list_reservations(
        caller=_caller(as_firm, balance), limit=5, cursor=None
    ).items
    assert reserved.prepaid.minutes == 120
    page = as_firm.get(f"/reservations/{reserved.id}").text
    assert "查看预付机时" in page
    assert f"R-{reserved.id:06d}" in as_firm.get(f"/prepaid/{balance.id}").text


def _caller(client, balance):
    seat = Seat(balance.organisation_id, OrganisationKind.ENTERPRISE, Role.MANAGER)
    return Caller(user_id=0, name="", seats=(seat,))


def test_where_nothing_fits_nothing_is_offered(as_firm, balance):
    elsewhere = make_instrument()

    page = as_firm.get(f"/instruments/{elsewhere.id}?start=2026-11-26T10:00").text

    assert 'name="prepaid"' not in page
    odd = as_firm.get(f"/instruments/{elsewhere.id}?prepaid={balance.id}").text
    assert "还需支付" not in odd


def test_who_is_not_signed_in_sees_what_is_sold(client, owner, instrument):
    make_package(owner, conditions="转账后生效")

    page = client.get(f"/instruments/{instrument.id}").text

    assert "机时包" in page
    assert "转账后生效" in page
