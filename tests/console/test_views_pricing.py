"""The price list of an instrument: understood or kept as typed, tried on a slot, announced."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from booking.accounts.rules import CustomerClass, Role
from booking.tariffs import queries
from booking.tariffs.rules import ChargeUnit, Fee, Terms, Window
from tests.factories import (
    make_institution,
    make_instrument,
    make_price,
    make_user,
    sign_in,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def instrument(institution):
    return make_instrument(institution=institution, price=None)


@pytest.fixture
def manager(client, institution):
    user = make_user(institution, Role.MANAGER)
    sign_in(client, user)
    return user


def address_of(instrument):
    return f"/institution/instruments/{instrument.id}/prices"


def has(shown, words):
    return words in re.sub(r"<[^>]+>", " ", shown.text)


def post(client, instrument, path="", **given):
    page = client.get(address_of(instrument))
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)[1]
    values = {"form_token": token, "classes": "sme", "amount": "180"}
    return client.post(address_of(instrument) + path, data=values | given)


WINDOW = {
    "window-0-name": "夜间",
    "window-0-days": ["mon", "holiday"],
    "window-0-from": "22:00",
    "window-0-to": "8:00",
    "window-0-percent": "60",
}


def test_a_version_is_published_for_every_class_that_was_ticked(client, instrument, manager):
    made = post(
        client,
        instrument,
        classes=["sme", "large"],
        amount="￥1,180.50",
        discount_percent="12.5%",
        step_minutes="30",
        minimum="200",
        startup="50 元",
        operator_per_hour="120",
        late_cancel="50%",
        no_show="100",
        deposit="1000",
        **WINDOW,
    )

    assert made.status_code == 303
    price = queries.find_current(instrument.id, CustomerClass.LARGE)
    assert (price.per_hour.amount, price.discount_percent) == ("1180.50", Decimal("12.50"))
    assert price.terms == Terms(
        step_minutes=30,
        minimum_minor=20000,
        startup_minor=5000,
        operator_minor=12000,
        windows=(Window((0, 7), 1320, 480, 60, "夜间"),),
        late_cancel=Fee(percent=50),
        no_show=Fee(minor=10000),
        deposit_minor=100000,
    )
    assert queries.find_current(instrument.id, CustomerClass.SME).terms == price.terms
    shown = client.get(address_of(instrument))
    assert has(shown, "开机费 50.00 元")
    assert 'name="window-0-from"\n             value="22:00"' in shown.text or "22:00" in shown.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"classes": []}, "classes"),
        ({"amount": ""}, "amount"),
        ({"amount": "viel"}, "amount"),
        ({"unit": "block", "block_minutes": "7"}, "block_minutes"),
        ({"unit": "use", "minimum_minutes": "60"}, "minimum_minutes"),
        ({"late_cancel": "101%"}, "late_cancel"),
        ({"no_show": "ein wenig"}, "no_show"),
        (WINDOW | {"window-0-from": "25:00"}, "window-0-from"),
        (WINDOW | {"window-0-days": []}, "window-0-days"),
        (WINDOW | {"window-0-percent": ""}, "window-0-percent"),
        (WINDOW | {"window-0-to": "22:00"}, "window-0-name"),
        ({"effective_from": "2026-01-01T00:00"}, "effective_from"),
        ({"effective_from": "morgen"}, "effective_from"),
        ({"preview": "1", "slot_start": "2026-11-25T10:00", "slot_minutes": "0"}, "slot_minutes"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_stays(
    client, instrument, manager, change, field
):
    refused = post(client, instrument, **{"startup": "50.50"} | change)

    assert refused.status_code == 422
    assert f'href="#f-{field}"' in refused.text
    assert 'value="50.50"' in refused.text
    assert queries.find_current(instrument.id, CustomerClass.SME) is None


def test_two_windows_over_the_same_hours_are_both_named(client, instrument, manager):
    second = {f"window-1-{name[9:]}": value for name, value in WINDOW.items()}

    refused = post(client, instrument, **WINDOW | second | {"window-1-name": "清晨"})

    assert refused.status_code == 422
    assert has(refused, "夜间 22:00–08:00")
    assert has(refused, "清晨 22:00–08:00")


def test_a_slot_is_tried_without_publishing_anything(client, instrument, manager):
    make_price(instrument, per_hour_minor=12000, discount_percent=0)

    tried = post(
        client,
        instrument,
        amount="150",
        startup="50",
        preview="1",
        slot_start="2026-11-25T10:00",
        slot_minutes="120",
        **WINDOW,
    )

    assert tried.status_code == 200
    assert has(tried, "开机费")
    assert has(tried, "350.00")
    assert has(tried, "按现在的价格：240.00 元。")
    assert has(tried, "公示价比现在高 46%")
    assert queries.find_current(instrument.id, CustomerClass.SME).per_hour_minor == 12000


def test_a_price_is_announced_and_withdrawn(client, instrument, manager, now):
    make_price(instrument)
    announced = post(client, instrument, amount="200", effective_from="2027-01-01T00:00")
    assert announced.status_code == 303
    price = queries.find_announced(instrument.id, CustomerClass.SME)
    assert price.effective_from.isoformat() == "2026-12-31T16:00:00+00:00"
    assert has(client.get(address_of(instrument)), "待生效")

    again = post(client, instrument, amount="220", effective_from="2027-02-01T00:00")
    assert again.status_code == 409
    assert has(again, "已有一版价格将于 2027-01-01 00:00 生效")

    assert post(client, instrument, f"/{price.id}/withdraw").status_code == 303
    now.set(now.at + timedelta(days=60))
    assert queries.find_current(instrument.id, CustomerClass.SME).per_hour_minor == 18000


def test_what_holds_is_not_withdrawn(client, instrument, manager):
    price = make_price(instrument)

    refused = post(client, instrument, f"/{price.id}/withdraw")

    assert refused.status_code == 409
    assert has(refused, "已经生效")


def test_a_moment_that_the_clock_skips_is_refused(client, institution, manager):
    berlin = make_instrument(institution=institution, price=None, time_zone="Europe/Berlin")

    refused = post(client, berlin, effective_from="2027-03-28T02:30")

    assert refused.status_code == 422
    assert has(refused, "夏令时")


def test_the_form_begins_as_a_version_that_is_there(client, instrument, manager):
    make_price(instrument, customer_class=CustomerClass.LARGE, per_hour_minor=10)
    terms = Terms(
        unit=ChargeUnit.BLOCK, unit_minor=90000, block_minutes=240, no_show=Fee(percent=50)
    )
    price = make_price(instrument, kept_terms=terms.plain(), per_hour_minor=22500)

    shown = client.get(f"{address_of(instrument)}?from={price.id}").text

    for value in ("900.00", "240", "50%"):
        assert f'value="{value}"' in shown
    assert client.get(f"{address_of(instrument)}?from=999999").status_code == 200


def test_only_who_manages_the_instruments_sees_it(client, institution, instrument):
    sign_in(client, make_user(institution, Role.OPERATOR))
    assert client.get(address_of(instrument)).status_code == 403
    sign_in(client, make_user(make_institution(), Role.MANAGER))
    assert client.get(address_of(instrument)).status_code == 404
