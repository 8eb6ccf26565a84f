"""The page of the day: who sees it, which day it shows, what it says where nothing is on."""

import re

import pytest

from booking.accounts.rules import Role
from booking.reservations import service
from tests.factories import (
    make_caller,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

ADDRESS = "/institution/today"


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def operator(client, institution):
    user = make_user(institution, Role.OPERATOR)
    sign_in(client, user)
    return user


def test_strangers_are_told_whom_it_is_for(client):
    assert client.get(ADDRESS).status_code == 401
    sign_in(client, make_user(make_organisation(), Role.MANAGER))

    answer = client.get(ADDRESS)

    assert answer.status_code == 403
    assert "您的账号不属于任何机构" in answer.text
    assert f'href="{ADDRESS}"' not in client.get("/").text


def test_somebody_elses_institution_is_not_found(client, operator):
    assert client.get(f"{ADDRESS}?institution={make_institution().id}").status_code == 404


def test_the_day_names_visits_in_picture_and_words(client, institution, operator):
    instrument = make_instrument(institution=institution, name="电子万能试验机")
    firm = make_organisation(name="长沙<精工>")
    service.reserve(instrument.id, slot(), caller=make_caller(firm), purpose="拉伸")

    page = client.get(f"{ADDRESS}?day=2026-11-25").text

    assert "长沙&lt;精工&gt;" in page
    assert "<精工>" not in page
    assert page.count("10:00–12:00") >= 2  # in the picture and in the table
    assert "1 台仪器，到访 1 次，停用 0 台。" in page
    picture = re.search(r'<div class="board".*?<details', page, re.DOTALL)[0]
    assert "<a href" not in picture  # nothing to focus in what is hidden from readers


@pytest.mark.parametrize("day", ["", "yesterday", "2026-02-31", "9999-12-31", "0001-01-01"])
def test_a_day_that_cannot_be_is_today(client, institution, operator, day):
    make_instrument(institution=institution)

    answer = client.get(ADDRESS, query_string={"day": day})

    assert answer.status_code == 200
    assert "11月23日 周一" in answer.text


def test_without_instruments_it_says_what_will_be_here(client, operator):
    page = client.get(ADDRESS).text

    assert "还没有可显示的仪器" in page


def test_a_free_day_says_so(client, institution, operator):
    make_instrument(institution=institution)

    assert "这一天还没有预约" in client.get(ADDRESS).text
