"""Gathering slots and confirming them at once, in the browser and without script."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from booking.kernel.db import db
from booking.reservations import service
from booking.reservations.models import Reservation
from booking.tariffs.rules import Fee, Terms
from tests.factories import (
    make_caller,
    make_instrument,
    make_organisation,
    make_price,
    make_user,
    sign_in,
    slot,
)

pytestmark = pytest.mark.service
START = "2026-11-25T10:00"


@pytest.fixture
def instrument(session):
    return make_instrument(name="万能试验机")


@pytest.fixture
def other(session):
    return make_instrument(name="环境试验箱")


@pytest.fixture
def firm(client):
    user = make_user(make_organisation())
    sign_in(client, user)
    return user


def token(page):
    return re.search(r'name="form_token" value="([^"]+)"', page.text).group(1)


@pytest.fixture
def gather(client, firm):
    def add(instrument, start=START, **more):
        page = client.get(f"/instruments/{instrument.id}?start={start}&minutes=120")
        form = {"form_token": token(page), "start": start, "minutes": "120"} | more
        return client.post(f"/instruments/{instrument.id}/basket", data=form)

    return add


def count():
    return db.session.scalar(select(func.count()).select_from(Reservation))


def test_an_empty_list_says_what_to_do(client, firm):
    page = client.get("/reservations/basket")

    assert "清单还是空的" in page.text
    assert "确认全部" not in page.text


def test_what_was_gathered_is_confirmed_at_once(client, gather, instrument, other):
    gather(instrument)
    answer = gather(other)
    page = client.get(answer.headers["Location"])

    assert all(words in page.text for words in ("共 2 项", "万能试验机", "环境试验箱", "576.00"))
    assert count() == 0
    form = {"form_token": token(page), "purpose": "拉伸试验"}
    done = client.get(client.post("/reservations/basket", data=form).headers["Location"])
    assert "一起预约的 2 项" in done.text
    assert count() == 2
    made = db.session.scalars(select(Reservation)).first()
    shown = client.get(f"/reservations/{made.id}")
    assert all(words in shown.text for words in ("一起预约的 2 项", "环境试验箱"))
    assert "清单还是空的" in client.get("/reservations/basket").text


def test_each_refused_item_says_why_and_nothing_is_booked(client, gather, instrument, other):
    gather(instrument)
    gather(other)
    service.reserve(other.id, slot(), caller=make_caller())
    page = client.get("/reservations/basket")

    assert "这个时段已被约走。" in page.text
    answer = client.post("/reservations/basket", data={"form_token": token(page)})
    assert answer.status_code == 409
    assert "一项也没有预约" in answer.text
    assert count() == 1


def test_an_item_is_removed(client, gather, instrument, other):
    gather(instrument)
    gather(other)
    page = client.get("/reservations/basket")
    item = re.search(r'name="item" value="([^"]+)"', page.text).group(1)

    client.post("/reservations/basket/remove", data={"form_token": token(page), "item": item})

    page = client.get("/reservations/basket")
    assert "共 1 项" in page.text
    assert "万能试验机" not in page.text


def test_a_withdrawn_instrument_is_said_so(client, gather, instrument):
    gather(instrument)
    instrument.publication = "draft"

    page = client.get("/reservations/basket")

    assert "这台仪器不再开放" in page.text
    assert "万能试验机" not in page.text


def test_a_list_has_twenty_items(client, gather, instrument):
    for hour in range(21):
        client_answer = gather(instrument, f"2026-12-{hour + 1:02}T10:00")
    page = client.get(client_answer.headers["Location"])

    assert "共 20 项" in page.text
    assert "清单最多 20 项" in page.text


@pytest.mark.parametrize(
    "forged",
    [
        "x",
        "1.2",
        "0.1.1.1.",
        "1.99999999999.60.1.",
        "1.1.0.1.",
        "1.29000000.60.1.7",
        "१.1.1.1.",
        "1.29000000.60.1..2",
    ],
)
def test_a_forged_list_is_an_empty_one(client, firm, forged):
    client.set_cookie("basket", forged)

    assert "清单还是空的" in client.get("/reservations/basket").text


def test_the_list_needs_a_log_in(client):
    assert client.get("/reservations/basket").status_code == 401


def test_a_test_the_law_demands_stays_one(client, gather, instrument, other):
    gather(instrument, statutory="1")
    page = client.get(gather(other).headers["Location"])
    client.post("/reservations/basket", data={"form_token": token(page), "purpose": "年检"})

    made = {each.instrument_id: each for each in db.session.scalars(select(Reservation))}
    assert made[instrument.id].is_statutory
    assert made[instrument.id].baseline is None
    assert not made[other.id].is_statutory


def test_prepaid_hours_are_not_gathered_and_nothing_chosen_is_lost(client, gather, instrument):
    answer = gather(instrument, prepaid="7", statutory="1")

    assert "prepaid=7" in answer.headers["Location"]
    assert "statutory=1" in answer.headers["Location"]
    assert "预付机时不能一次约多项" in client.get(answer.headers["Location"]).text
    assert "清单还是空的" in client.get("/reservations/basket").text


def test_cancelling_several_says_what_it_costs_by_how_far_it_reaches(
    client, gather, firm, now, session
):
    lab = make_instrument(price=None, schedule={"change_until_minutes": 1440})
    make_price(lab, kept_terms=Terms(late_cancel=Fee(minor=5000)).plain())
    gather(lab, start="2026-11-25T10:00")
    page = client.get(gather(lab, start="2026-11-25T14:00").headers["Location"])
    client.post("/reservations/basket", data={"form_token": token(page), "purpose": "复检"})
    now.set(slot().starts_at - timedelta(hours=3))
    sign_in(client, firm)  # anew: the clock jumped further than a session lasts
    first, second = session.scalars(select(Reservation).order_by(Reservation.starts_at)).all()

    def radios(reservation):
        shown = client.get(f"/reservations/{reservation.id}/cancel").text
        words = re.findall(r'<label class="form-check-label"[^>]*>(.*?)</label>', shown, re.S)
        return [re.findall(r"收 ([\d.]+) 元", each) for each in words]

    assert radios(first) == [["50.00"], ["100.00"], ["100.00"]]
    assert radios(second) == [["50.00"], ["50.00"], ["100.00"]]
