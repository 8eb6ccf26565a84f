"""A series in the browser: the rule, each date before confirming, skipping and shifting."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from booking.accounts.models import Organisation, User
from booking.accounts.rules import Role
from booking.kernel.db import db
from booking.reservations import service
from booking.reservations.models import Reservation
from tests.factories import (
    caller_of,
    make_caller,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
    slot,
)

pytestmark = pytest.mark.service
RULE = {"start": "2026-11-25T10:00", "minutes": "120", "freq": "WEEKLY", "count": "3"}


@pytest.fixture
def instrument(session):
    return make_instrument(schedule={"horizon_days": 60})


@pytest.fixture
def address(client, instrument):
    sign_in(client, make_user(make_organisation()))
    return f"/instruments/{instrument.id}/series"


def token(page):
    return re.search(r'name="form_token" value="([^"]+)"', page.text).group(1)


def count():
    return db.session.scalar(select(func.count()).select_from(Reservation))


def test_the_instruments_page_leads_there(client, instrument, address):
    page = client.get(f"/instruments/{instrument.id}?start=2026-11-25T10:00&minutes=120")

    assert f"{address}?start=2026-11-25T10:00" in page.text


def test_a_series_is_shown_and_confirmed(client, address):
    page = client.get(address, query_string=RULE)

    assert page.text.count("可以预约</span>") == 3
    done = client.post(address, data=RULE | {"form_token": token(page)})
    assert "系列预约" in client.get(done.headers["Location"]).text
    assert count() == 3


def test_a_clash_is_skipped_or_shifted(client, instrument, address):
    taken = slot(slot().starts_at + timedelta(weeks=1))
    service.reserve(instrument.id, taken, caller=make_caller())
    page = client.get(address, query_string=RULE)
    assert "这个时段已被约走。" in page.text
    shift = re.search(r'name="date-1"\s+value="(2026[^"]+)"', page.text).group(1)

    form = RULE | {"form_token": token(page)}
    refused = client.post(address, data=form)
    assert refused.status_code == 409
    assert "一项也没有预约" in refused.text
    assert count() == 1
    client.post(address, data=form | {"date-0": "skip", "date-1": shift})
    assert count() == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"count": "10000"}, "最多 60 次"),
        ({"interval": "0"}, "1 到 99"),
        ({"count": "x"}, "不能使用"),
    ],
)
def test_a_rule_that_cannot_be_is_said(client, address, change, words):
    page = client.get(address, query_string=RULE | change)

    assert page.status_code == 422
    assert words in page.text


def test_without_a_slot_one_is_asked_for(client, address, instrument):
    page = client.get(address)

    assert page.status_code == 200


def made(client, address):
    page = client.get(address, query_string=RULE)
    client.post(address, data=RULE | {"form_token": token(page)})
    return db.session.scalars(select(Reservation).order_by(Reservation.starts_at)).all()


def test_this_and_following_are_cancelled_on_the_page(client, address):
    rows = made(client, address)
    page = client.get(f"/reservations/{rows[1].id}/cancel")
    assert "这一个和以后的" in page.text

    form = {"form_token": token(page), "scope": "following"}
    client.post(f"/reservations/{rows[1].id}/cancel", data=form)

    assert [each.status.value for each in rows] == ["confirmed", "cancelled", "cancelled"]


def test_all_are_moved_on_the_page_or_none(client, instrument, address):
    rows = made(client, address)
    page = client.get(f"/reservations/{rows[0].id}/move")
    form = {"form_token": token(page), "scope": "all", "start": "2026-11-26T10:00"}
    other = slot(slot().starts_at + timedelta(days=8))
    hit = service.reserve(instrument.id, other, caller=make_caller())

    refused = client.post(f"/reservations/{rows[0].id}/move", data=form)
    assert refused.status_code == 409
    assert "12月3日" in refused.text
    service.cancel(hit.id, caller=make_caller_of(hit))
    client.post(f"/reservations/{rows[0].id}/move", data=form)

    db.session.expire_all()
    assert {f"{each.starts_at:%a}" for each in rows} == {"Thu"}


def make_caller_of(reservation):
    user = db.session.get(User, reservation.user_id)
    return caller_of(user, (db.session.get(Organisation, reservation.organisation_id), Role.MEMBER))
