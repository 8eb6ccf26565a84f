"""The pages on which policies are decided, and the one that says why somebody cannot book."""

import re
from datetime import timedelta
from html import unescape

import pytest
from werkzeug.datastructures import MultiDict

from booking.accounts.rules import Role
from booking.availability import queries, service
from booking.availability.rules import Pairing
from booking.registry.models import SharingMode
from booking.reservations import queries as reservations
from booking.reservations import service as booking
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

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def instrument(institution):
    return make_instrument(institution=institution, name="电子万能试验机")


@pytest.fixture
def manager(client, institution):
    user = make_user(institution, Role.MANAGER)
    sign_in(client, user)
    return caller_of(user, (institution, Role.MANAGER))


def page_of(instrument):
    return f"/institution/instruments/{instrument.id}/policy"


def typed(page):
    """What the form would send: every input and ticked box, as pairs."""
    form = page.text[page.text.index("<main") :]
    pairs = []
    for each in re.findall(r"<input[^>]*name=[^>]*>", form):
        name = re.search(r'name="([^"]+)"', each)[1]
        if 'type="checkbox"' not in each or "checked" in each:
            pairs.append((name, unescape(re.search(r'value="([^"]*)"', each)[1])))
    for select, options in re.findall(
        r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S
    ):
        chosen = re.search(r'value="([^"]*)"\s+selected', options)
        pairs.append((select, chosen[1] if chosen else re.search(r'value="([^"]*)"', options)[1]))
    return pairs


def send(client, address, *, without=(), preview=False, **given):
    """Send the form as it stands with some fields otherwise; lists are boxes ticked."""
    data = MultiDict()
    for name, value in typed(client.get(address)):
        if name not in given and (name, value) not in without:
            data.add(name, value)
    for name, value in given.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    if preview:
        data["preview"] = "1"
    return client.post(address, data=data)


def test_saving_what_stands_changes_nothing(client, instrument, institution, manager):
    pump = make_instrument(institution=institution)
    service.set_policy(
        instrument.id,
        {
            "classes": ["sme", "internal"],
            "quotas": {"firm_day_hours": 4, "user_open_bookings": 3},
            "night": {
                "begins_minute": 1140, "ends_minute": 420, "classes": [],
                "lead_minutes": 60, "longest_minutes": None,
            },
            "observes_holidays": False,
        },
        pairs={pump.id: Pairing.APART_ALL},
        caller=manager,
    )  # fmt: skip
    before = queries.get_policy(instrument)
    document, inherits, pairs = before.document, list(before.schedule.inherits), before.pairs

    assert send(client, page_of(instrument)).status_code == 303

    after = queries.get_policy(instrument)
    assert (after.document, after.pairs) == (document, pairs)
    assert sorted(after.schedule.inherits) == sorted(inherits)


def test_what_is_typed_is_said_in_words_before_it_is_saved(client, instrument, manager):
    own = [("inherits", "quotas"), ("inherits", "gap_minutes")]

    page = send(
        client,
        page_of(instrument),
        without=own,
        preview=True,
        firm_week_hours="8",
        gap_minutes="45",
    )

    assert page.status_code == 200
    assert "每个单位每周最多预约 8 小时" in page.text
    assert "至少间隔 45 分钟" in page.text
    assert "按刚填的，还没有保存" in page.text
    assert queries.get_policy(instrument).document["quotas"] == {}


def test_what_is_left_to_the_institution_ignores_what_was_typed(client, instrument, manager):
    assert send(client, page_of(instrument), gap_minutes="45").status_code == 303

    sheet = queries.get_policy(instrument)
    assert sheet.document["gap_minutes"] == 0
    assert "gap_minutes" in sheet.schedule.inherits


def test_a_policy_nobody_could_book_by_keeps_what_was_typed(client, instrument, manager):
    page = send(
        client,
        page_of(instrument),
        shortest_minutes="660",
        longest_minutes="660",
        horizon_days="40",
    )

    assert page.status_code == 422
    assert "最长的开放时段只有 10 小时" in page.text
    assert 'value="660"' in page.text
    assert 'value="40"' in page.text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"gap_minutes": "x"}, "f-gap_minutes"),
        ({"firm_day_hours": "25"}, "f-firm_day_hours"),
        ({"night_begins": "25:00"}, "f-night_begins"),
        ({"pair-0-number": "没有的编号"}, "本机构没有编号为"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(client, instrument, manager, given, said):
    page = send(client, page_of(instrument), **given)

    assert page.status_code == 422
    assert said in unescape(page.text)


def test_pairs_are_typed_by_number(client, instrument, institution, manager):
    pump = make_instrument(institution=institution)
    given = {"pair-0-number": pump.inner_id, "pair-0-how": "needs"}

    assert send(client, page_of(instrument), **given).status_code == 303
    assert [each.pairing for each in queries.pairs_of(instrument.id)] == [Pairing.NEEDS]
    assert "须与它同时预约" in client.get(page_of(pump)).text
    assert send(client, page_of(instrument), **{"pair-0-number": ""}).status_code == 303
    assert queries.pairs_of(instrument.id) == []


def test_who_typed_by_an_older_version_is_told(client, instrument, manager):
    page = send(client, page_of(instrument), version="9")

    assert page.status_code == 409
    assert "有人改过规则" in page.text


def test_defaults_are_set_for_all_that_inherit(client, instrument, institution, manager):
    address = f"/institution/policy?institution={institution.id}"
    assert "还没有设置默认规则" in client.get(address).text

    assert send(client, address, gap_minutes="30", user_week_hours="6").status_code == 303

    document = queries.get_policy(instrument).document
    assert (document["gap_minutes"], document["quotas"]) == (30, {"user_week_hours": 6})
    refused = send(client, address, classes=[])
    assert refused.status_code == 422


def test_only_managers_of_the_institution_come_here(client, instrument, institution):
    for user, status in (
        (make_user(institution, Role.OPERATOR), 403),
        (make_user(make_institution(), Role.MANAGER), 404),
    ):
        sign_in(client, user)
        assert client.get(page_of(instrument)).status_code == status
        assert client.get(page_of(instrument).replace("policy", "why")).status_code == status


@pytest.fixture
def firm():
    return make_organisation(name="长沙精工机械有限公司")


@pytest.fixture
def buyer(firm):
    user = make_user(firm, Role.MANAGER, email="buyer@example.cn")
    return caller_of(user, (firm, Role.MANAGER))


def why(client, instrument, **given):
    start = slot().starts_at.astimezone(instrument.zone) + given.pop("later", timedelta())
    asked = {"starts_at": f"{start:%Y-%m-%dT%H:%M}", "minutes": "120"} | given
    return client.get(f"/institution/instruments/{instrument.id}/why", query_string=asked)


def test_every_rule_is_shown_kept_or_broken(client, instrument, manager, firm, buyer):
    service.set_policy(instrument.id, {"quotas": {"firm_day_bookings": 1}}, caller=manager)
    booking.reserve(instrument.id, slot(), caller=buyer)

    page = why(client, instrument, organisation=firm.id, later=timedelta(hours=4))

    assert "约不了：1 条规则不符" in page.text
    assert page.text.count("is-broken") == 1
    assert page.text.count("is-kept") >= 5
    assert "2026-11-25 已约 1 次" in page.text


def test_somebody_never_seen_is_found_by_credit_code_only(client, instrument, manager, firm):
    assert why(client, instrument, organisation=firm.id).status_code == 422
    page = why(client, instrument, uscc=firm.uscc)
    assert "可以预约" in page.text
    assert firm.name in page.text
    for given, said in (
        ({"uscc": "91430100MA0000000"}, "应为 18 位"),
        ({"uscc": firm.uscc, "login": "nobody@example.cn"}, "没有使用这个登录名的人员"),
        ({}, "请选择单位"),
    ):
        refused = why(client, instrument, **given)
        assert (refused.status_code, said in refused.text) == (422, True)


def test_a_manager_books_anyway_and_the_owner_sees_why(client, instrument, manager, firm, buyer):
    service.set_policy(instrument.id, {"quotas": {"firm_day_bookings": 1}}, caller=manager)
    booking.reserve(instrument.id, slot(), caller=buyer)
    page = why(client, instrument, organisation=firm.id, later=timedelta(hours=4))
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)[1]
    asked = dict(typed(page)) | {"form_token": token, "organisation": str(firm.id)}
    address = f"/institution/instruments/{instrument.id}/why"

    refused = client.post(address, data=asked | {"override_reason": ""})
    assert (refused.status_code, "请写明理由" in refused.text) == (422, True)
    done = client.post(address, data=asked | {"override_reason": "急件，已电话商定"})

    assert done.status_code == 303
    shown = client.get(done.location)
    assert "破例预约：急件，已电话商定" in shown.text
    made = int(done.location.rpartition("/")[2])
    assert reservations.get_reservation(made, caller=buyer).user_id == buyer.user_id
    sign_in(client, make_user(firm, Role.MANAGER))
    assert "急件" not in client.get(done.location).text


def test_what_must_hold_for_everybody_offers_no_way_around(client, instrument, manager, firm):
    booking.reserve(instrument.id, slot(), caller=make_caller(firm))

    page = why(client, instrument, organisation=firm.id)

    assert "这个时段已被约走" in page.text
    assert "破例预约" not in page.text


def test_a_class_that_may_book_but_has_no_price_is_warned_of(client, institution, manager):
    instrument = make_instrument(institution=institution, price=None)
    make_price(instrument)
    words = "这些还没有公布价格，因此约不了：大型企业、高校和科研院所"
    own = [("inherits", "classes")]

    page = client.get(page_of(instrument))
    narrowed = send(
        client, page_of(instrument), without=own, preview=True, classes=["sme", "internal"]
    )

    assert words in page.text
    assert "还没有公布价格" not in narrowed.text


def test_what_is_not_shared_outside_needs_no_prices(client, institution, manager):
    instrument = make_instrument(
        institution=institution, price=None, sharing_mode=SharingMode.INTERNAL
    )

    assert "还没有公布价格" not in client.get(page_of(instrument)).text
