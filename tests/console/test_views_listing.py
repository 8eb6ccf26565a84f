"""An institution's own instruments: who sees the list, and publishing from it."""

import re

import pytest

from booking.accounts.models import Membership
from booking.accounts.rules import Role
from booking.console.views import listing
from booking.registry.models import Publication
from tests.factories import (
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    sign_in,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

ADDRESS = "/institution/instruments"


@pytest.fixture
def institution():
    return make_institution(name="湖南省计量检测研究院")


@pytest.fixture
def manager(client, institution):
    user = make_user(institution, Role.MANAGER)
    sign_in(client, user)
    return user


def token_of(page):
    return re.search(r'name="form_token"\s+value="([^"]+)"', page.text)[1]


def move(client, instrument, action, **given):
    data = {"form_token": token_of(client.get(ADDRESS)), "version": str(instrument.version)}
    return client.post(f"{ADDRESS}/{instrument.id}/{action}", data=data | given)


def test_who_is_not_signed_in_logs_in_and_comes_back(client):
    answer = client.get(ADDRESS)

    assert answer.status_code == 401
    assert f'value="{ADDRESS}"' in answer.text


def test_who_works_at_no_institution_is_told_so_and_sees_no_link(client):
    sign_in(client, make_user(make_organisation(), Role.MANAGER))

    assert client.get(ADDRESS).status_code == 403
    assert "我的仪器" not in client.get("/").text


def test_the_list_shows_every_state_and_whether_hours_are_set(client, institution, manager):
    make_instrument(institution=institution, name="电子万能试验机")
    make_instrument(
        institution=institution, name="三坐标测量机", publication="draft", schedule=None
    )
    make_instrument(institution=institution, name="光谱仪", publication="withdrawn")
    make_instrument(name="别家的仪器")

    page = client.get(ADDRESS).text

    for words in (
        "电子万能试验机",
        "三坐标测量机",
        "光谱仪",
        "已发布",
        "草稿",
        "已撤回",
        "共 3 条",
    ):
        assert words in page
    assert page.count("开放时间未设置") == 1
    assert "别家的仪器" not in page


def test_an_empty_list_says_how_instruments_come_in(client, manager):
    page = client.get(ADDRESS).text

    assert "还没有登记仪器" in page
    assert 'href="/api/docs"' in page


def test_operators_run_instruments_but_do_not_publish_them(client, institution):
    instrument = make_instrument(institution=institution)
    sign_in(client, make_user(institution, Role.OPERATOR))

    page = client.get(ADDRESS).text
    answer = move(client, instrument, "withdraw")

    assert f"{ADDRESS}/{instrument.id}/hours" in page
    assert f"{ADDRESS}/{instrument.id}/withdraw" not in page
    assert answer.status_code == 403
    assert instrument.publication is Publication.PUBLISHED


def test_testers_only_look(client, institution):
    instrument = make_instrument(institution=institution)
    sign_in(client, make_user(institution, Role.TESTER))

    page = client.get(ADDRESS).text

    assert instrument.name in page
    assert f"{ADDRESS}/{instrument.id}/" not in page


def test_a_draft_is_published_and_withdrawn_again(client, institution, manager, session):
    draft = make_instrument(institution=institution, publication="draft")

    answer = move(client, draft, "publish", institution=str(institution.id))

    session.refresh(draft)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{ADDRESS}?institution={institution.id}"
    assert draft.publication is Publication.PUBLISHED
    assert "已发布，企业可以找到它。" in client.get(ADDRESS).text
    assert move(client, draft, "withdraw").status_code == 303
    session.refresh(draft)
    assert draft.publication is Publication.WITHDRAWN


def test_before_verification_publishing_is_refused_with_the_reason(client, session):
    unverified = make_institution(verified_at=None)
    draft = make_instrument(institution=unverified, publication="draft", name="光谱仪")
    sign_in(client, make_user(unverified, Role.MANAGER))

    answer = move(client, draft, "publish")

    assert answer.status_code == 422
    assert "“光谱仪”没有更改。机构尚未通过平台核验" in answer.text
    session.refresh(draft)
    assert draft.publication is Publication.DRAFT


def test_an_older_version_changes_nothing(client, institution, manager, session):
    instrument = make_instrument(institution=institution)

    answer = move(client, instrument, "withdraw", version="7")

    assert answer.status_code == 409
    session.refresh(instrument)
    assert instrument.publication is Publication.PUBLISHED


def test_a_form_without_its_token_changes_nothing(client, institution, manager, session):
    instrument = make_instrument(institution=institution)

    answer = move(client, instrument, "withdraw", form_token="x")

    assert answer.status_code == 403
    assert "请再提交一次" in answer.text
    session.refresh(instrument)
    assert instrument.publication is Publication.PUBLISHED


@pytest.mark.parametrize("publication", ["published", "draft"])
def test_another_institutions_instrument_is_not_found(client, manager, institution, publication):
    make_instrument(institution=institution)
    theirs = make_instrument(publication=publication)

    assert move(client, theirs, "withdraw").status_code == 404


def test_who_works_at_several_chooses_between_them(client, institution, manager, session):
    second = make_institution(name="长沙市食品药品检验所")
    session.add(Membership(user_id=manager.id, organisation_id=second.id, role=Role.OPERATOR))
    make_instrument(institution=institution, name="电子万能试验机")
    make_instrument(institution=second, name="液相色谱仪")

    first_page = client.get(ADDRESS).text
    page = client.get(f"{ADDRESS}?institution={second.id}").text

    assert "电子万能试验机" in first_page
    assert f"{ADDRESS}?institution={second.id}" in first_page
    assert "液相色谱仪" in page
    assert "电子万能试验机" not in page


def test_an_institution_one_does_not_work_at_is_not_found(client, manager):
    other = make_institution()

    assert client.get(f"{ADDRESS}?institution={other.id}").status_code == 404


@pytest.mark.parametrize("given", ["institution=x", "page=x", "page=0", "page=999999999", "page="])
def test_what_cannot_be_meant_counts_as_not_chosen(client, institution, manager, given):
    make_instrument(institution=institution, name="光谱仪")

    page = client.get(f"{ADDRESS}?{given}")

    assert page.status_code == 200
    assert "光谱仪" in page.text


def test_long_lists_are_paged(client, institution, manager, monkeypatch):
    monkeypatch.setattr(listing, "SHOWN", 1)
    make_instrument(institution=institution, name="甲", name_pinyin="jia")
    make_instrument(institution=institution, name="乙", name_pinyin="yi")

    first = client.get(ADDRESS).text
    second = client.get(f"{ADDRESS}?page=2").text

    assert ">甲<" in first
    assert ">乙<" not in first
    assert "page=2" in first
    assert "共 2 条" in first
    assert ">乙<" in second
    assert "page=1" in second
