"""Changing many instruments at once from the list: all of them, or none with the reasons."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.accounts.rules import CustomerClass, Role
from booking.availability import queries as availability
from booking.availability.models import SpecialDay
from booking.console.views.bulk import DOINGS
from booking.kernel import clock
from booking.registry.models import Publication, SharingMode
from booking.reservations import service as reservations
from booking.tariffs import queries as tariffs
from booking.tariffs.models import Price
from tests.factories import (
    make_caller,
    make_institution,
    make_instrument,
    make_user,
    sign_in,
    slot,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

LIST, ADDRESS = "/institution/instruments", "/institution/instruments/bulk"
WEEK = {"monday": "08:30-12:00", "grid_minutes": "30", "shortest_minutes": "60",
        "longest_minutes": "480", "lead_minutes": "0", "horizon_days": "30",
        "change_until_minutes": "60", "buffer_before_minutes": "0",
        "buffer_after_minutes": "0"}  # fmt: skip


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def manager(client, institution):
    user = make_user(institution, Role.MANAGER)
    sign_in(client, user)
    return user


def change(client, doing, instruments, **given):
    ids = [str(each.id) for each in instruments]
    asked = client.get(ADDRESS, query_string={"do": doing, "id": ids})
    token = re.search(r'name="form_token"\s+value="([^"]+)"', asked.text)
    data = {"form_token": token[1] if token else "", "do": doing, "id": ids}
    return client.post(ADDRESS, data=data | given)


def test_several_are_published_and_those_that_are_out_stay_so(client, institution, manager):
    drafts = [make_instrument(institution=institution, publication="draft") for _ in range(2)]
    out = make_instrument(institution=institution)

    answer = change(client, "publish", [*drafts, out])

    assert answer.status_code == 303
    assert {each.publication for each in drafts} == {Publication.PUBLISHED}
    assert "已修改 2 台仪器。另有 1 台原本如此" in client.get(LIST).text


def test_one_that_cannot_be_leaves_all_as_they_were_and_is_named(client, session, manager):
    unverified = make_institution(verified_at=None)
    user = make_user(unverified, Role.MANAGER)
    sign_in(client, user)
    drafts = [
        make_instrument(institution=unverified, publication="draft", name=name)
        for name in ("光谱仪", "质谱仪")
    ]

    answer = change(client, "publish", drafts)

    assert answer.status_code == 422
    assert "有 2 台不能这样修改，所选仪器都没有改动。" in answer.text
    assert answer.text.count("机构尚未通过平台核验") == 2
    for each in drafts:
        session.refresh(each)
        assert each.publication is Publication.DRAFT


def test_withdrawing_says_how_many_visits_stay_valid(client, institution, manager, session):
    instrument = make_instrument(institution=institution)
    made = reservations.reserve(instrument.id, slot(), caller=make_caller())

    asked = client.get(ADDRESS, query_string={"do": "withdraw", "id": instrument.id})
    answer = change(client, "withdraw", [instrument])

    assert "还有 1 个将到的预约，照常有效" in asked.text
    assert answer.status_code == 303
    session.refresh(instrument)
    assert instrument.publication is Publication.WITHDRAWN
    session.refresh(made)
    assert made.status == "confirmed"


def test_hours_of_many_are_set_and_special_days_stay(client, institution, manager, session):
    first = make_instrument(institution=institution)
    second = make_instrument(institution=institution, schedule=None)
    day = clock.today() + timedelta(days=7)
    session.add(SpecialDay(instrument_id=first.id, day=day, reason="盘点"))
    session.flush()

    answer = change(client, "hours", [first, second], **WEEK)

    assert answer.status_code == 303
    for each in (first, second):
        sheet = availability.get_schedule(each)
        assert sheet.week == {0: [(510, 720)]}
        assert sheet.terms.lead_minutes == 0
    assert list(availability.get_schedule(first).special_days) == [day]


def test_hours_that_cannot_be_are_shown_as_typed(client, institution, manager):
    answer = change(
        client, "hours", [make_instrument(institution=institution)], **WEEK | {"monday": "八点"}
    )

    assert answer.status_code == 422
    assert "没有看懂“八点”" in answer.text
    assert 'value="八点"' in answer.text


def test_a_price_is_published_for_all_classes_chosen(client, institution, manager, session):
    instruments = [make_instrument(institution=institution) for _ in range(2)]

    answer = change(
        client,
        "price",
        instruments,
        classes=["sme", "large"],
        per_hour="￥1,200.50",
        discount_percent="12.5%",
        discount_reason="共享办法第 5 条",
    )

    assert answer.status_code == 303
    for each in instruments:
        for customer_class in (CustomerClass.SME, CustomerClass.LARGE):
            price = tariffs.find_current(each.id, customer_class)
            assert (price.per_hour_minor, str(price.discount_percent)) == (120050, "12.50")
        assert tariffs.find_current(each.id, CustomerClass.RESEARCH).per_hour_minor == 18000


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"per_hour": "180"}, "请至少选择一类客户。"),
        ({"classes": "sme"}, "请填写每小时的价格。"),
        ({"classes": "sme", "per_hour": "一百"}, "请填写金额"),
        ({"classes": "sme", "per_hour": "1.234"}, "请填写金额"),
        ({"classes": "sme", "per_hour": "-1"}, "请填写金额"),
        ({"classes": "sme", "per_hour": "1", "discount_percent": "101"}, "请填写 0 到 100"),
    ],
)
def test_a_price_that_cannot_be_is_refused(client, institution, manager, session, given, reason):
    before = session.scalars(select(Price)).all()

    answer = change(
        client, "price", [make_instrument(institution=institution, price=None)], **given
    )

    assert answer.status_code == 422
    assert reason in answer.text
    assert session.scalars(select(Price)).all() == before


def test_the_sharing_mode_is_set(client, institution, manager, session):
    instrument = make_instrument(institution=institution)

    assert change(client, "sharing", [instrument], mode="internal").status_code == 303
    session.refresh(instrument)
    assert instrument.sharing_mode is SharingMode.INTERNAL
    assert change(client, "sharing", [instrument], mode="everybody").status_code == 422


def test_all_that_match_are_taken_without_ticking_them(client, institution, manager):
    for name in ("光谱仪", "光度计", "天平"):
        make_instrument(institution=institution, name=name)

    asked = client.get(ADDRESS, query_string={"do": "sharing", "all": "1", "lacking": "price"})
    every = client.get(ADDRESS, query_string={"do": "sharing", "all": "1"})

    assert "没有选中仪器" in asked.text
    assert "共 3 台" in every.text


def test_the_list_then_shows_what_was_changed(client, institution, manager):
    lacking = make_instrument(institution=institution, name="甲", schedule=None)

    done = change(client, "hours", [lacking], lacking="hours", state="normal", **WEEK)

    assert done.headers["Location"].endswith(f"?institution={institution.id}&state=normal")
    assert "<bdi>甲</bdi>" in client.get(done.headers["Location"]).text


def test_somebody_elses_instruments_are_not_touched(client, institution, manager, session):
    other = make_instrument()

    asked = client.get(ADDRESS, query_string={"do": "withdraw", "id": other.id})
    answer = change(client, "withdraw", [make_instrument(institution=institution), other])

    assert "没有选中仪器" in asked.text
    assert answer.status_code == 404
    session.refresh(other)
    assert other.publication is Publication.PUBLISHED


def test_operators_set_hours_but_neither_prices_nor_publication(client, institution):
    instrument = make_instrument(institution=institution)
    sign_in(client, make_user(institution, Role.OPERATOR))

    assert change(client, "hours", [instrument], **WEEK).status_code == 303
    for doing in ("publish", "withdraw", "price", "sharing"):
        asked = client.get(ADDRESS, query_string={"do": doing, "id": instrument.id})
        assert asked.status_code == 403


def test_what_nobody_can_do_is_not_found(client, institution, manager):
    assert client.get(ADDRESS, query_string={"do": "delete"}).status_code == 404
    assert set(DOINGS) == {"publish", "withdraw", "hours", "price", "sharing"}
