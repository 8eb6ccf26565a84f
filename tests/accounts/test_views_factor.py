"""The pages of the second factor: asked at log-in, set up, given up; nothing typed is lost."""

import json
import re

import pytest
from sqlalchemy import select

from booking.accounts import queries, service
from booking.accounts.models import LoginSession
from booking.accounts.rules import RECOVERY_CODES, Role
from booking.kernel.db import db
from tests.accounts.world import code_of, set_up
from tests.factories import make_institution, make_organisation, make_user, sign_in

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PASSWORD = "Lathe-7-quiet"


@pytest.fixture
def token(client):
    return re.search(r'name="form_token"\s+value="(\w+)"', client.get("/log-in").text)[1]


@pytest.fixture
def post(client, token):
    def send(address, **fields):
        return client.post(address, data={"form_token": token, **fields})

    return send


@pytest.fixture
def zhou(session):
    """An institution's manager."""
    lab = make_institution()
    return make_user(lab, Role.MANAGER, email="zhou@example.cn", password=PASSWORD)


@pytest.fixture
def li(session):
    """A firm's manager with a second factor of their own wish."""
    return make_user(make_organisation(), Role.MANAGER, email="li@example.cn", password=PASSWORD)


def led_to(answer):
    return answer.status_code, answer.headers.get("Location")


def shown_codes(answer):
    return re.findall(r"<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>", answer.text)


class TestLogIn:
    def test_a_manager_without_one_sets_it_up_first(self, client, post, zhou):
        answer = post("/log-in", login=zhou.email, password=PASSWORD, next="/reservations")
        assert led_to(answer) == (303, "/log-in/code?next=/reservations")
        assert client.get("/account").status_code == 401

        page = client.get("/log-in/code?next=/reservations")
        assert page.headers["Cache-Control"] == "no-store"
        assert re.search(r"<code>([A-Z2-7]{4} ){7}[A-Z2-7]{4}</code>", page.text)
        assert 'aria-label="两步验证的二维码' in page.text

        done = post("/log-in/code", code=code_of(zhou.id), next="/reservations")

        assert len(set(shown_codes(done))) == RECOVERY_CODES
        assert done.headers["Cache-Control"] == "no-store"
        assert 'href="/reservations"' in done.text
        assert client.get("/account").status_code == 200

    def test_with_one_it_asks_for_the_code(self, client, post, zhou, now):
        set_up(zhou.id)
        now.advance(seconds=60)
        post("/log-in", login=zhou.email, password=PASSWORD, next="/reservations")
        page = client.get("/log-in/code?next=/reservations").text
        assert 'autocomplete="one-time-code"' in page
        assert "二维码" not in page

        answer = post("/log-in/code", code=code_of(zhou.id), next="/reservations")

        assert led_to(answer) == (303, "/reservations")
        assert client.get("/account").status_code == 200

    def test_a_wrong_code_is_said_and_nobody_is_in(self, client, post, zhou, now):
        set_up(zhou.id)
        post("/log-in", login=zhou.email, password=PASSWORD)

        answer = post("/log-in/code", code=code_of(zhou.id))  # of the set-up: used

        assert answer.status_code == 422
        assert "验证码不正确，或已经用过" in answer.text
        assert client.get("/account").status_code == 401

    def test_nothing_typed_is_named(self, post, zhou):
        set_up(zhou.id)
        post("/log-in", login=zhou.email, password=PASSWORD)

        assert "请填写验证码。" in post("/log-in/code").text

    def test_many_guesses_have_to_wait(self, post, zhou):
        set_up(zhou.id)
        post("/log-in", login=zhou.email, password=PASSWORD)

        for _ in range(6):
            answer = post("/log-in/code", code="000000")

        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "60"
        assert "请在 1 分钟后再试。" in answer.text

    def test_a_recovery_code_does_too(self, client, post, zhou):
        code, *_ = set_up(zhou.id)
        post("/log-in", login=zhou.email, password=PASSWORD)
        page = client.get("/log-in/code?way=recovery").text
        assert 'inputmode="numeric"' not in page

        assert led_to(post("/log-in/code", code=code, way="recovery")) == (303, "/account")

    def test_without_a_password_before_it_begins_anew(self, client, post):
        assert led_to(client.get("/log-in/code?next=/x")) == (303, "/log-in?next=/x")
        assert led_to(post("/log-in/code", code="123456", next="/x")) == (303, "/log-in?next=/x")

    def test_a_form_that_came_before_the_log_in_goes_along(self, client, post, zhou, now):
        set_up(zhou.id)
        now.advance(seconds=60)
        kept = {
            "unsent_action": "/account/language",
            "unsent_fields": json.dumps([["language", "en"]]),
        }
        page = post("/log-in", login=zhou.email, password=PASSWORD, next="/account", **kept)
        assert page.status_code == 200
        assert 'name="unsent_action" value="/account/language"' in re.sub(r"\s+", " ", page.text)

        answer = post("/log-in/code", code=code_of(zhou.id), next="/account", **kept)

        assert led_to(answer) == (307, "/log-in/unsent")
        assert "刚才的操作还没有提交" in post("/log-in/unsent", next="/account", **kept).text

    def test_never_leads_to_another_site(self, post, zhou, now):
        set_up(zhou.id)
        now.advance(seconds=60)
        post("/log-in", login=zhou.email, password=PASSWORD)

        answer = post("/log-in/code", code=code_of(zhou.id), next="//evil.example")

        assert led_to(answer) == (303, "/account")

    def test_a_new_password_by_mail_is_no_way_around(self, client, post, zhou):
        set_up(zhou.id)
        secret = service.invite(zhou, by=None)
        answer = post(
            "/invitation",
            invitation=secret,
            password="Mill-8-noisy",
            purpose_notice_accepted="2026-11",
        )

        assert led_to(answer) == (303, "/log-in/code?next=/account")
        assert client.get("/account").status_code == 401


class TestOverTheApi:
    def enter(self, client, user, **more):
        body = {"login": user.email, "password": PASSWORD} | more
        return client.post("/api/v1/sessions", json=body)

    def test_asks_for_a_code_and_takes_it(self, client, zhou, now):
        set_up(zhou.id)
        now.advance(seconds=60)

        without = self.enter(client, zhou)
        wrong = self.enter(client, zhou, code="000000")
        right = self.enter(client, zhou, code=code_of(zhou.id))

        assert (without.status_code, without.json["code"]) == (422, "second_factor_needed")
        assert (wrong.status_code, wrong.json["code"]) == (422, "wrong_code")
        assert (right.status_code, right.json["user"]["second_factor"]) == (201, True)

    def test_leads_to_the_pages_where_one_must_be_set_up(self, client, zhou):
        answer = self.enter(client, zhou)

        assert (answer.status_code, answer.json["code"]) == (422, "second_factor_setup_needed")
        assert "booking_session" not in answer.headers.get("Set-Cookie", "")
        assert db.session.scalar(select(LoginSession.id)) is None

    def test_codes_are_guessed_slowly(self, client, zhou, now):
        set_up(zhou.id)

        answers = [self.enter(client, zhou, code="000000").status_code for _ in range(6)]

        assert answers == [422] * 5 + [429]


class TestOwnAccount:
    def test_offers_it_and_sets_it_up(self, client, post, li):
        sign_in(client, li)
        assert "密码泄露也不怕" in client.get("/account").text
        assert led_to(post("/account/second-factor/begin")) == (
            303,
            "/account/second-factor/set-up",
        )
        assert "二维码" in client.get("/account/second-factor/set-up").text

        done = post("/account/second-factor/set-up", code=code_of(li.id))

        assert len(shown_codes(done)) == RECOVERY_CODES
        page = client.get("/account/second-factor").text
        assert "已启用" in page
        assert not set(shown_codes(done)) & set(shown_codes(client.get("/account/second-factor")))

    def test_a_wrong_first_code_sets_nothing_up(self, client, post, li):
        sign_in(client, li)
        post("/account/second-factor/begin")

        answer = post("/account/second-factor/set-up", code="000000")

        assert answer.status_code == 422
        assert "二维码" in answer.text
        assert not queries.has_factor(li.id)

    def test_gives_new_recovery_codes_for_a_code(self, client, post, li, now):
        old = set_up(li.id)
        sign_in(client, li)
        now.advance(seconds=60)

        answer = post("/account/second-factor/codes", code=code_of(li.id))

        assert len(shown_codes(answer)) == RECOVERY_CODES
        assert not set(shown_codes(answer)) & set(old)

    def test_is_switched_off_by_who_needs_none(self, client, post, li, now):
        set_up(li.id)
        sign_in(client, li)
        now.advance(seconds=60)

        assert post("/account/second-factor/drop", code="000000").status_code == 422
        answer = post("/account/second-factor/drop", code=code_of(li.id))

        assert led_to(answer) == (303, "/account/second-factor")
        assert not queries.has_factor(li.id)

    def test_who_needs_one_is_not_offered_to_switch_it_off(self, client, post, zhou, now):
        set_up(zhou.id)
        sign_in(client, zhou)
        now.advance(seconds=60)
        assert "关闭两步验证</button>" not in client.get("/account/second-factor").text

        answer = post("/account/second-factor/drop", code=code_of(zhou.id))

        assert answer.status_code == 409
        assert queries.has_factor(zhou.id)

    def test_warns_when_recovery_codes_run_short(self, client, post, li):
        codes = set_up(li.id)
        for code in codes[:8]:
            post("/log-in", login=li.email, password=PASSWORD)
            post("/log-in/code", code=code)

        assert "恢复码快用完了" in client.get("/account/second-factor").text

    def test_a_page_that_shows_nothing_to_set_up_is_not_found(self, client, li):
        sign_in(client, li)

        assert client.get("/account/second-factor/set-up").status_code == 404
