"""The pages of finer customer classes: defined, filled, changed and ended without script."""

import re
from datetime import timedelta

import pytest

from booking.accounts.rules import Role, SizeClass
from booking.kernel import clock
from booking.pricegroups import queries
from booking.pricegroups.models import PriceGroup
from tests.factories import (
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

AT = "/institution/classes"


@pytest.fixture
def institution(session):
    return make_institution()


@pytest.fixture
def instrument(institution):
    return make_instrument(institution=institution)


@pytest.fixture
def manager(client, institution):
    user = make_user(institution, Role.MANAGER)
    sign_in(client, user)
    return user


def has(shown, words):
    return words in re.sub(r"<[^>]+>", "", shown.text)


def post(client, page, path, **given):
    shown = client.get(page)
    token = re.search(r'name="form_token" value="([^"]+)"', shown.text)[1]
    return client.post(path, data={"form_token": token} | given)


def create(client, **given):
    values = {"base_class": "sme", "name": "园区企业", "percent": "15%", "reason": "协议 3 号"}
    return post(client, f"{AT}/new", f"{AT}/new", **(values | given))


def only_group(session):
    return session.query(PriceGroup).one()


def test_an_institution_without_classes_is_told_what_they_are_for(client, manager):
    shown = client.get(AT)

    assert has(shown, "还没有细分客户类别")
    assert f'href="{AT}/new' in shown.text


def test_it_is_defined_and_said_in_words(client, manager, instrument, session):
    made = create(client, **{"own-0-instrument": str(instrument.id), "own-0-percent": "20"})
    assert made.status_code == 303

    shown = client.get(made.headers["Location"])

    assert has(shown, "按中小微企业的公示价优惠 15%")
    assert has(shown, f"{instrument.name}：优惠 20%")
    assert has(shown, "依据：协议 3 号")
    assert has(client.get(AT), "现有 0 家单位")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": ""}, "请填写名称。"),
        ({"reason": ""}, "请填写依据"),
        ({"percent": "0"}, "请填写优惠，否则"),
        ({"percent": "abc"}, "请填写 0 到 100"),
        ({"base_class": ""}, "请选择基本类别。"),
        ({"first_day": "2020-01-01"}, "生效时间不能早于现在"),
        ({"own-1-percent": "20"}, "请选择仪器。"),
        ({"own-0-instrument": "999999", "own-0-percent": "20"}, "只能选择本机构的仪器。"),
    ],
)
def test_what_cannot_be_is_refused_and_stays_typed(client, manager, given, words, session):
    refused = create(client, **given)

    assert refused.status_code == 422
    assert has(refused, words)
    assert 'value="协议 3 号"' in refused.text or "reason" in given
    assert session.query(PriceGroup).count() == 0


def test_a_firm_is_added_by_name_or_code_and_removed(client, manager, session):
    create(client)
    group = only_group(session)
    page = f"{AT}/{group.id}"
    by_name, by_code = make_organisation(name="长沙精工机械"), make_organisation()

    for organisation in ("长沙精工机械", f" {by_code.uscc.lower()} "):
        added = post(client, page, f"{page}/members", organisation=organisation)
        assert added.status_code == 303, re.sub("<[^>]+>", "", added.text)
    shown = client.get(page)
    assert has(shown, by_name.name)
    assert has(shown, by_code.uscc)

    member = queries.list_members(group.id, limit=9, cursor=None).items[0]
    gone = post(client, page, f"{page}/members/{member.id}/remove")
    assert gone.status_code == 303
    assert has(client.get(page), "曾属于本类 · 1")


@pytest.mark.parametrize(
    ("size", "typed", "words"),
    [
        (SizeClass.LARGE, None, "该单位按大型企业计价"),
        (SizeClass.SMALL, "没有这家", "没有这个名称或统一社会信用代码的单位"),
        (SizeClass.SMALL, "", "请填写单位名称或统一社会信用代码"),
    ],
)
def test_who_cannot_belong_is_named(client, manager, session, size, typed, words):
    create(client)
    page = f"{AT}/{only_group(session).id}"
    firm = make_organisation(size_class=size)

    named = firm.uscc if typed is None else typed
    refused = post(client, page, f"{page}/members", organisation=named)

    assert refused.status_code == 422
    assert has(refused, words)


def test_two_of_a_name_are_told_apart_by_code_only(client, manager, session):
    create(client)
    page = f"{AT}/{only_group(session).id}"
    make_organisation(name="同名公司")
    make_organisation(name="同名公司")

    assert post(client, page, f"{page}/members", organisation="同名公司").status_code == 422


def test_a_new_version_is_published_announced_and_taken_back(client, manager, session, now):
    create(client)
    page = f"{AT}/{only_group(session).id}"
    ahead = (clock.today() + timedelta(days=10)).isoformat()
    values = {"name": "园区企业", "percent": "20", "reason": "协议 4 号", "first_day": ahead}

    assert post(client, page, f"{page}/publish", **values).status_code == 303
    shown = client.get(page)
    assert has(shown, "待生效")
    assert has(shown, "优惠 20%")

    assert post(client, page, f"{page}/withdraw").status_code == 303
    now.advance(hours=1)
    assert post(client, page, f"{page}/end").status_code == 303
    assert has(client.get(page), "已停用")
    assert has(client.get(AT), "已停用 · 1")


def test_a_stale_form_changes_nothing(client, manager, session):
    create(client)
    page = f"{AT}/{only_group(session).id}"

    refused = post(client, page, f"{page}/end", version="9")

    assert refused.status_code == 409
    assert queries.describe([only_group(session)])[0].is_in_force


def test_others_cannot_open_it(client, manager, session, institution):
    create(client)
    page = f"{AT}/{only_group(session).id}"

    sign_in(client, make_user(make_institution(), Role.MANAGER))
    assert client.get(page).status_code == 404
    sign_in(client, make_user(institution, Role.OPERATOR))
    assert client.get(page).status_code == 403
    sign_in(client, make_user(make_organisation()))
    assert client.get(page).status_code == 404


def test_a_member_sees_its_class_on_the_instruments_page_and_others_do_not(
    client, manager, session, instrument
):
    create(client, percent="25")
    firm = make_organisation()
    page = f"{AT}/{only_group(session).id}"
    post(client, page, f"{page}/members", organisation=firm.uscc)
    at = f"/instruments/{instrument.id}?minutes=120"

    sign_in(client, make_user(firm))
    own = client.get(at)
    results = client.get("/instruments?minutes=120")
    sign_in(client, make_user(make_organisation()))
    others = client.get(at)

    assert has(own, "园区企业优惠 −25%")
    assert has(own, "您的单位属于“园区企业”")
    assert has(results, "270.00")
    assert not has(others, "园区企业")


def test_the_price_editor_leads_there(client, manager, instrument):
    shown = client.get(f"/institution/instruments/{instrument.id}/prices")

    assert f'href="{AT}?institution={instrument.institution_id}"' in shown.text
