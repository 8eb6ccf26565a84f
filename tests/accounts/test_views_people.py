"""The pages for the people of an organisation: what managers read, what is refused and why."""

import re

import pytest
from sqlalchemy import select

from booking.accounts import queries
from booking.accounts.models import Membership, User
from booking.accounts.rules import OrganisationKind, Role
from booking.kernel.db import db
from tests.factories import make_institution, make_organisation, make_uscc, make_user, sign_in
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PASSWORD = "Lathe-7-quiet"
WU = {"name": "吴芳", "email": "wu@example.cn", "roles": "finance", "once": "1"}


@pytest.fixture
def lab(session):
    return make_institution(name="湖南省检测研究院")


@pytest.fixture
def zhou(client, lab):
    """The manager, signed in."""
    user = make_user(lab, Role.MANAGER, name="周文斌", password=PASSWORD)
    sign_in(client, user)
    return user


@pytest.fixture
def he(lab):
    """A member with a password."""
    return make_user(lab, Role.TESTER, name="何伟", mobile="13912345678", password=PASSWORD)


@pytest.fixture
def post(client):
    """A function that posts a form of this visit below the organisation's people."""
    token = re.search(r'name="form_token"\s+value="(\w+)"', client.get("/log-in").text)[1]

    def send(address, **fields):
        return client.post(address, data={"form_token": token, **fields})

    return send


def at(lab, user=None, action=""):
    person = f"/{user.id}" if user else ""
    return f"/organisations/{lab.id}/people{person}{action}"


def led_to(answer):
    return answer.status_code, answer.headers.get("Location")


def errors(answer):
    return dict(re.findall(r'href="#f-(\w+)">([^<]+)</a>', answer.text))


class TestPeople:
    def test_are_listed_with_roles_and_state_and_masked_numbers(self, client, lab, zhou, he):
        he.is_active = False

        page = client.get(at(lab)).text

        assert "周文斌" in page
        assert "139****5678" in page
        assert "13912345678" not in page
        assert "已停用" in page
        assert "检测" in page

    def test_the_menu_leads_to_ones_own(self, client, lab, zhou):
        assert led_to(client.get("/people")) == (303, at(lab))
        assert 'href="/people"' in client.get("/account").text

    def test_are_for_managers_only(self, client, lab, zhou, he):
        sign_in(client, he)

        assert client.get("/people").status_code == 403
        assert client.get(at(lab)).status_code == 403
        assert client.get(at(lab, zhou)).status_code == 403

    @pytest.mark.parametrize("action", ["", "/roles", "/disable", "/enable", "/remove"])
    def test_strangers_find_nothing(self, client, post, lab, he, action):
        sign_in(client, make_user(make_organisation(), Role.MANAGER))
        address = at(lab, he, action)

        answer = post(address, roles="checker") if action else client.get(address)

        assert answer.status_code == 404

    def test_take_the_same_number_of_queries_however_many(self, client, lab, zhou):
        with counted() as few:
            client.get(at(lab))
        for _ in range(60):
            make_user(lab, Role.TESTER)

        with counted() as many:
            page = client.get(at(lab))

        assert len(many) == len(few)
        assert "下一页" in page.text

    def test_a_cursor_that_is_none_shows_the_first(self, client, lab, zhou):
        assert "周文斌" in client.get(at(lab) + "?cursor=nonsense").text


class TestInviting:
    def test_shows_the_link_once_and_it_works(self, client, post, lab, zhou):
        answer = post(at(lab), **WU)

        assert answer.status_code == 201
        assert answer.headers["Cache-Control"] == "no-store"
        [link] = re.findall(r"<code>(http[^<]+/invitation\?invitation=[\w-]+)</code>", answer.text)
        assert "设置密码" in client.get(link.removeprefix("http://127.0.0.1:8000")).text
        assert link not in client.get(at(lab)).text

    def test_a_reload_invites_nobody_twice(self, post, lab, zhou):
        post(at(lab), **WU)
        invited = select(User.invitation_digest).filter_by(email="wu@example.cn")
        before = db.session.scalar(invited)

        assert led_to(post(at(lab), **WU)) == (303, at(lab))
        assert db.session.scalar(invited) == before

    def test_names_what_is_missing_and_keeps_what_was_typed(self, post, lab, zhou):
        answer = post(at(lab), mobile="1391234")

        assert answer.status_code == 422
        assert set(errors(answer)) == {"name", "mobile", "roles"}
        assert 'value="1391234"' in answer.text

    def test_asks_for_a_way_to_log_in(self, post, lab, zhou):
        answer = post(at(lab), name="吴芳", roles="finance")

        assert errors(answer) == {"email": "请填写邮箱或手机号，登录时使用。"}

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", "吴芳\r\nBcc: all@example.cn"),
            ("email", "wu@example.cn\r\nBcc: all@example.cn"),
            ("name", "吴\u2028芳"),
        ],
    )
    def test_line_breaks_are_refused_at_their_field(self, post, lab, zhou, field, value):
        answer = post(at(lab), **WU | {field: value})

        assert answer.status_code == 422
        assert "不能含有换行或控制字符。" in errors(answer)[field]
        assert db.session.scalar(select(User.id).filter_by(email="wu@example.cn")) is None

    def test_somebody_of_another_organisation_is_refused_in_words(self, post, lab, zhou):
        other = make_user(make_organisation(), Role.MEMBER, password=PASSWORD)

        answer = post(at(lab), name="某人", email=other.email, roles="finance")

        assert answer.status_code == 409
        assert "已被其他单位的账号使用" in answer.text

    def test_somebody_who_left_elsewhere_joins_with_their_password(self, post, client, lab, zhou):
        free = make_user(password=PASSWORD, name="秦岚")

        answer = post(at(lab), name="秦岚", email=free.email, roles="finance")

        assert led_to(answer) == (303, at(lab))
        assert "用原来的密码登录" in client.get(at(lab)).text

    def test_again_gives_a_new_link(self, client, post, lab, zhou):
        post(at(lab), **WU)
        wu = queries.user_by_login("wu@example.cn")
        before = wu.invitation_digest
        assert "重新邀请" in client.get(at(lab, wu)).text

        answer = post(at(lab, wu, "/invitation"), once="2")

        assert answer.status_code == 201
        assert "/invitation?invitation=" in answer.text
        db.session.refresh(wu)
        assert wu.invitation_digest != before

    def test_again_is_refused_for_who_came(self, post, lab, zhou, he):
        answer = post(at(lab, he, "/invitation"), once="3")

        assert answer.status_code == 409
        assert "不需要再邀请" in answer.text


class TestPerson:
    def test_roles_are_changed(self, client, post, lab, zhou, he):
        answer = post(at(lab, he, "/roles"), roles=["checker", "operator"], version="1")

        assert led_to(answer) == (303, at(lab, he))
        assert set(queries.get_member(lab.id, he.id).roles) == {Role.CHECKER, Role.OPERATOR}
        assert "角色已更改" in client.get(at(lab, he)).text

    def test_no_role_at_all_is_no_change(self, post, lab, zhou, he):
        answer = post(at(lab, he, "/roles"), version="1")

        assert errors(answer) == {"roles": "请至少选择一个角色。"}

    def test_what_another_changed_meanwhile_is_said(self, post, lab, zhou, he):
        post(at(lab, he, "/roles"), roles="checker", version="1")

        answer = post(at(lab, he, "/roles"), roles="finance", version="1")

        assert answer.status_code == 409
        assert "请刷新后再试" in answer.text
        assert queries.get_member(lab.id, he.id).roles == (Role.CHECKER,)

    def test_the_last_manager_reads_why_not(self, post, lab, zhou):
        answer = post(at(lab, zhou, "/roles"), roles="tester", version="1")

        assert answer.status_code == 409
        assert "这是最后一位管理员" in answer.text
        assert queries.get_member(lab.id, zhou.id).roles == (Role.MANAGER,)

    def test_is_shut_out_and_let_in_again(self, client, post, lab, zhou, he):
        out = post(at(lab, he, "/disable"))
        assert led_to(out) == (303, at(lab, he))
        assert "恢复账号" in client.get(at(lab, he)).text
        assert not queries.get_member(lab.id, he.id).is_active

        back = post(at(lab, he, "/enable"))

        assert led_to(back) == (303, at(lab, he))
        assert queries.get_member(lab.id, he.id).is_active

    def test_who_works_for_others_too_is_not_shut_out(self, client, post, lab, zhou, he):
        other = make_organisation()
        db.session.add(Membership(user_id=he.id, organisation_id=other.id, role=Role.MEMBER))

        answer = post(at(lab, he, "/disable"))

        assert answer.status_code == 409
        assert "还属于其他单位" in answer.text
        assert "确认停用" not in answer.text

    def test_nobody_shuts_themselves_out(self, post, lab, zhou):
        answer = post(at(lab, zhou, "/disable"))

        assert answer.status_code == 409
        assert "不能停用自己的账号" in answer.text

    def test_is_removed_and_found_no_more(self, client, post, lab, zhou, he):
        answer = post(at(lab, he, "/remove"))

        assert led_to(answer) == (303, at(lab))
        assert client.get(at(lab, he)).status_code == 404

    def test_moves_to_another_organisation_of_the_manager(self, client, post, lab, zhou, he):
        school = make_organisation(kind=OrganisationKind.RESEARCH, uscc=make_uscc())
        db.session.add(Membership(user_id=zhou.id, organisation_id=school.id, role=Role.MANAGER))
        assert "转到其他单位" in client.get(at(lab, he)).text

        refused = post(at(lab, he, "/move"), organisation_id=str(school.id), version="1")
        moved = post(
            at(lab, he, "/move"), organisation_id=str(school.id), roles="member", version="1"
        )

        assert errors(refused) == {"roles": "请至少选择一个角色。"}
        assert led_to(moved) == (303, at(school, he))
        assert client.get(at(lab, he)).status_code == 404

    def test_moving_is_not_offered_to_who_manages_one(self, client, lab, zhou, he):
        assert "转到其他单位" not in client.get(at(lab, he)).text


class TestLeaving:
    def test_a_member_leaves_from_the_own_account(self, client, post, lab, he):
        sign_in(client, he)

        answer = post(f"/account/organisations/{lab.id}/leave")

        assert led_to(answer) == (303, "/account")
        page = client.get("/account").text
        assert "您已离开该单位。" in page
        assert "您目前不属于任何单位" in page

    def test_the_last_manager_reads_why_not(self, client, post, lab, zhou):
        post(f"/account/organisations/{lab.id}/leave")

        assert "这是最后一位管理员" in client.get("/account").text
        assert queries.get_member(lab.id, zhou.id).roles == (Role.MANAGER,)

    def test_somebody_elses_organisation_is_not_found(self, post, lab, zhou):
        other = make_organisation()

        assert post(f"/account/organisations/{other.id}/leave").status_code == 404
