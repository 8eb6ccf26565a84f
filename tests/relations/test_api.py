"""Declarations over the API and in the pages: wiring, permission, bad input."""

import re

import pytest

from booking.accounts.rules import Role
from booking.relations import queries
from tests.factories import (
    bearer,
    caller_of,
    make_admin,
    make_institution,
    make_organisation,
    make_uscc,
    make_user,
    sign_in,
)

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]
URL = "/api/v1/related-groups"
SOURCE = "股东名册，2026-10-08"


@pytest.fixture
def owner(session):
    return make_institution(name="湖南省检测院")


@pytest.fixture
def company(session):
    return make_organisation(name="长沙精工机械有限公司")


@pytest.fixture
def manager(company):
    return make_user(company, Role.MANAGER)


@pytest.fixture
def admin(session):
    from booking.accounts.models import User
    from booking.kernel.db import db

    return db.session.get_one(User, make_admin().user_id)


def body(*organisations, **more):
    members = [{"uscc": each.uscc, "name": each.name} for each in organisations]
    return {"members": members, "source": SOURCE, "since": "2026-01-01"} | more


def test_a_manager_declares_sees_and_ends_their_own(client, manager, company, owner):
    headers = bearer(manager)
    made = client.post(URL, json=body(owner, organisation_id=company.id), headers=headers)

    assert made.status_code == 201
    assert made.headers["Location"].endswith(f"/related-groups/{made.json['id']}")
    assert [each["uscc"] for each in made.json["members"]] == [company.uscc, owner.uscc]
    shown = client.get(f"{URL}/{made.json['id']}", headers=headers).json
    assert shown["source"] == SOURCE
    assert [each["id"] for each in client.get(URL, headers=headers).json["items"]] == [shown["id"]]
    ended = client.post(
        f"{URL}/{shown['id']}/end", json={"until": "2026-11-23", "version": 1}, headers=headers
    )
    assert {each["until"] for each in ended.json["members"]} == {"2026-11-23"}
    stale = {"until": "2026-11-24", "version": 1}
    assert client.post(f"{URL}/{shown['id']}/end", json=stale, headers=headers).status_code == 409


def test_others_are_refused_and_see_nothing(client, manager, company, owner):
    made = client.post(
        URL, json=body(owner, organisation_id=company.id), headers=bearer(manager)
    ).json
    other = bearer(make_user(owner, Role.MANAGER))

    assert client.get(f"{URL}/{made['id']}", headers=other).status_code == 404
    assert client.post(URL, json=body(company, owner), headers=other).status_code == 403
    assert client.get(URL).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"members": [{"uscc": "91430100MA0000000X", "name": "甲"}]},
        {"members": []},
        {"since": "2027-01-01"},
        {"since": "gestern"},
        {"source": ""},
    ],
)
def test_what_cannot_be_is_said_by_field(client, admin, company, owner, wrong):
    answer = client.post(URL, json=body(company, owner) | wrong, headers=bearer(admin))

    assert answer.status_code == 422
    assert next(iter(wrong)) in answer.json["errors"] or "uscc" in str(answer.json["errors"])


def typed(client, path):
    """Return the hidden token of the page's forms."""
    return {"form_token": re.search(r'name="form_token"\s+value="([^"]+)"', path)[1]}


def test_a_managers_page_declares_and_ends(client, manager, company, owner):
    sign_in(client, manager)
    page = f"/organisations/{company.id}/related"
    form = typed(client, client.get(page).text)
    empty = client.post(page, data=form)
    assert empty.status_code == 422
    assert "请填写对方的统一社会信用代码" in empty.text

    given = {"uscc": owner.uscc, "name": owner.name, "since": "2026-01-01", "source": SOURCE}
    done = client.post(page, data=form | given, follow_redirects=True)

    assert "湖南省检测院" in done.text
    [group] = queries.declared_by(company.id)
    ended = client.post(
        f"{page}/{group.id}/end", data=form | {"until": "2026-11-23"}, follow_redirects=True
    )
    assert "已登记结束日期" in ended.text


def test_who_does_not_manage_it_gets_no_page(client, company, owner):
    sign_in(client, make_user(company))
    assert client.get(f"/organisations/{company.id}/related").status_code == 403
    assert client.get(f"/organisations/{owner.id}/related").status_code == 404


def test_the_operators_page_declares_of_all(client, admin, company):
    sign_in(client, admin)
    page = "/admin/related"
    form = typed(client, client.get(page).text)
    rows = f"{company.uscc} {company.name}\n{make_uscc()} 株洲新材料有限公司"
    wrong = client.post(
        page, data=form | {"members": "只有名称", "since": "2026-01-01", "source": SOURCE}
    )
    assert wrong.status_code == 422
    assert "每行一个" in wrong.text

    given = {"members": rows, "since": "2026-01-01", "source": SOURCE}
    done = client.post(page, data=form | given, follow_redirects=True)

    assert "株洲新材料有限公司" in done.text
    assert "由平台登记" in done.text
    assert "株洲新材料有限公司" not in client.get(f"{page}?q=nobody").text
    caller = caller_of(admin)
    assert queries.list_groups(caller=caller, limit=5, cursor=None).items == []


def test_nobody_else_sees_the_operators_page(client, manager):
    sign_in(client, manager)
    assert client.get("/admin/related").status_code == 403
