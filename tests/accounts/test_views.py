"""The account pages: what people read, what is kept, where they are led."""

import re
from datetime import timedelta

import pytest
from flask import g
from flask_babel import force_locale
from sqlalchemy import select

from booking.accounts import service
from booking.accounts.models import ApiToken, LoginSession, Organisation, User
from booking.accounts.rules import PURPOSE_NOTICE, OrganisationKind, Role
from booking.kernel.db import db
from booking.notices.gateway import compose
from booking.notices.models import Notice
from booking.notices.rules import Kind, Side
from tests.accounts.world import code_of
from tests.factories import make_organisation, make_user, sign_in
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PASSWORD = "Lathe-7-quiet"
SIGN_UP = {
    "kind": "enterprise",
    "uscc": "91350100M000100Y43",
    "name": "长沙精工机械有限公司",
    "region_code": "430104",
    "industry_code": "34",
    "size_class": "small",
    "manager_name": "李明",
    "email": "li@example.cn",
    "password": PASSWORD,
    "purpose_notice_accepted": PURPOSE_NOTICE,
}


@pytest.fixture
def token(client):
    """The token of the visit, as every form carries it."""
    return re.search(r'name="form_token"\s+value="(\w+)"', client.get("/log-in").text)[1]


@pytest.fixture
def post(client, token):
    """A function that posts a form of this visit."""

    def send(address, **fields):
        return client.post(address, data={"form_token": token, **fields})

    return send


@pytest.fixture
def li(session):
    """A firm's manager with a password."""
    firm = make_organisation(name="长沙精工机械有限公司")
    return make_user(firm, Role.MANAGER, email="li@example.cn", password=PASSWORD)


def led_to(answer):
    return answer.status_code, answer.headers.get("Location")


def errors(answer):
    """The sentences of the summary, by the field they link to."""
    return dict(re.findall(r'href="#f-(\w+)">([^<]+)</a>', answer.text))


def is_over(session):
    db.session.refresh(session)
    return session.ended_at is not None


class TestLogIn:
    def test_leads_to_the_account_and_keeps_the_session(self, client, post, li):
        answer = post("/log-in", login="li@example.cn", password=PASSWORD)

        assert led_to(answer) == (303, "/dashboard")
        assert "li@example.cn" in client.get("/account").text

    def test_leads_to_where_the_person_was_heading(self, post, li):
        answer = post("/log-in", login="li@example.cn", password=PASSWORD, next="/?q=a")

        assert led_to(answer) == (303, "/?q=a")

    @pytest.mark.parametrize(
        "elsewhere",
        ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", "/\n/x"],
    )
    def test_never_leads_to_another_site(self, post, li, elsewhere):
        answer = post("/log-in", login="li@example.cn", password=PASSWORD, next=elsewhere)

        assert led_to(answer) == (303, "/dashboard")

    @pytest.mark.parametrize("login", ["li@example.cn", "nobody@example.cn"])
    def test_says_the_same_for_a_wrong_name_and_a_wrong_password(self, post, li, login):
        answer = post("/log-in", login=login, password="wrong-password")

        assert answer.status_code == 422
        assert "账号或密码不正确。" in answer.text
        assert f'value="{login}"' in answer.text
        assert "wrong-password" not in answer.text

    def test_names_what_was_left_empty(self, post):
        answer = post("/log-in")

        assert errors(answer) == {"login": "请填写邮箱或手机号。", "password": "请填写密码。"}
        assert re.search(r"<title>\s*错误：登录", answer.text)

    def test_names_how_long_to_wait_after_many_tries(self, post, li):
        for _ in range(6):
            answer = post("/log-in", login="li@example.cn", password="wrong-password")

        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "60"
        assert "请在 1 分钟后再试。" in answer.text

    def test_without_the_token_nothing_happens_and_nothing_is_lost(self, client, token, li):
        answer = client.post("/log-in", data={"login": "li@example.cn", "password": PASSWORD})

        assert answer.status_code == 403
        assert "请再提交一次" in answer.text
        assert 'value="li@example.cn"' in answer.text
        assert db.session.scalar(select(LoginSession.id)) is None

    def test_says_so_if_the_browser_keeps_no_cookies(self, client, li):
        answer = client.post("/log-in", data={"login": "li@example.cn", "password": PASSWORD})

        assert answer.status_code == 403
        assert "浏览器没有保存本站的 Cookie" in answer.text

    def test_who_is_signed_in_goes_on(self, client, li):
        sign_in(client, li)

        assert led_to(client.get("/log-in?next=/account/tokens")) == (303, "/account/tokens")

    def test_shows_no_demo_log_ins_outside_the_demo(self, client):
        assert "演示账号" not in client.get("/log-in").text


class TestGuardedPages:
    @pytest.mark.parametrize("address", ["/account", "/account/tokens", "/account/password"])
    def test_ask_on_the_spot_and_lead_back(self, client, address):
        answer = client.get(address)

        assert answer.status_code == 401
        assert "请先登录，之后自动回到您要看的页面。" in answer.text
        assert re.search(rf'name="next"\s+value="{address}"', answer.text)

    @pytest.mark.parametrize(
        ("came_from", "leads_to"),
        [
            ("http://localhost/account/tokens?a=b", "/account/tokens?a=b"),
            ("https://evil.example/x", "/account"),
            ("", "/account"),
        ],
    )
    def test_a_form_after_the_session_ended_leads_back_to_its_page(
        self, client, came_from, leads_to
    ):
        answer = client.post("/account/tokens", headers={"Referer": came_from})

        assert answer.status_code == 401
        assert re.search(rf'name="next"\s+value="{re.escape(leads_to)}"', answer.text)

    def test_are_not_kept_by_anybody_between(self, client, li):
        sign_in(client, li)
        answer = client.get("/account")

        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert {"Cookie", "Accept-Language"} <= set(answer.vary)


class TestLogOut:
    def test_ends_the_session(self, client, post, li):
        session = sign_in(client, li)
        answer = post("/log-out")

        assert led_to(answer) == (303, "/log-in")
        assert session.ended_at is not None
        assert "您已退出登录。" in client.get("/log-in").text

    def test_needs_the_token(self, client, token, li):
        session = sign_in(client, li)
        answer = client.post("/log-out")

        assert answer.status_code == 403
        assert session.ended_at is None


class TestSignUp:
    def test_registers_signs_in_and_says_so(self, client, post):
        answer = post("/sign-up", **SIGN_UP)
        page = client.get("/account").text

        assert led_to(answer) == (303, "/account")
        assert "注册成功，您已登录。" in page
        assert "长沙精工机械有限公司" in page

    def test_names_everything_that_is_missing_at_once(self, post):
        answer = post("/sign-up", kind="enterprise")

        assert answer.status_code == 422
        assert list(errors(answer)) == [
            "uscc", "name", "industry_code", "size_class",
            "manager_name", "email", "password", "purpose_notice_accepted",
        ]  # fmt: skip

    def test_keeps_what_was_typed_but_never_the_password(self, post):
        answer = post("/sign-up", **SIGN_UP | {"uscc": "91350100M000100Y44"})

        assert "第 18 位校验不符" in errors(answer)["uscc"]
        assert 'value="91350100M000100Y44"' in answer.text
        assert re.search(r'<option value="34"\s+selected', answer.text)
        assert re.search(r'<option value="430104"\s+selected', answer.text)
        assert PASSWORD not in answer.text

    def test_pressed_twice_is_once(self, client, post):
        post("/sign-up", **SIGN_UP)
        client.delete_cookie("booking_session")
        answer = post("/sign-up", **SIGN_UP)

        assert led_to(answer) == (303, "/account")
        assert len(db.session.scalars(select(Organisation)).all()) == 1

    def test_says_at_the_field_what_is_taken(self, post, li):
        answer = post("/sign-up", **SIGN_UP)

        assert answer.status_code == 409
        assert errors(answer) == {"email": "该邮箱或手机号已注册，请直接登录。"}

    def test_names_the_code_if_the_organisation_is_known(self, post):
        make_organisation(uscc=SIGN_UP["uscc"])
        answer = post("/sign-up", **SIGN_UP)

        assert "请联系本单位管理员邀请您加入" in errors(answer)["uscc"]

    def test_an_institution_reads_that_it_is_to_be_verified(self, client, post):
        firm_only = {"industry_code": "", "size_class": ""}
        answer = post("/sign-up", **SIGN_UP | firm_only | {"kind": "institution"})
        assert led_to(answer) == (303, "/log-in/code?next=/account")
        user = db.session.scalars(select(User).filter_by(email=SIGN_UP["email"])).one()
        assert "设置两步验证" in client.get("/log-in/code?next=/account").text

        codes = post("/log-in/code", code=code_of(user.id), next="/account")

        assert "请保存恢复码" in codes.text
        assert "待平台核验" in client.get("/account").text

    def test_a_private_person_reads_why_not(self, client):
        answer = client.get("/sign-up?kind=person")

        assert "暂不面向个人" in answer.text

    @pytest.mark.parametrize("kind", ["authority", "platform", "nonsense", ""])
    def test_no_other_kind_signs_up(self, post, kind):
        answer = post("/sign-up", **SIGN_UP | {"kind": kind})

        assert led_to(answer) == (303, "/sign-up")
        assert db.session.scalar(select(Organisation.id)) is None

    def test_writes_to_people_in_the_language_they_signed_up_in(self, client, post):
        client.set_cookie("booking_language", "en")
        post("/sign-up", **SIGN_UP)

        assert db.session.scalar(select(User.locale)) == "en"

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("uscc", "91350100M000100Y44", "第 18 位校验不符"),
            ("uscc", "91350100M000100Y43", "格式正确"),
            ("email", "li@", "邮箱地址不正确"),
            ("mobile", "12345", "手机号不正确"),
        ],
    )
    def test_a_field_is_checked_as_soon_as_it_is_left(self, client, field, value, said):
        assert said in client.get(f"/sign-up/checks/{field}", query_string={field: value}).text

    @pytest.mark.parametrize("query", [{"uscc": ""}, {}, {"other": "x"}])
    def test_an_empty_field_is_not_judged(self, client, query):
        page = client.get("/sign-up/checks/uscc", query_string=query).text

        assert "<span>" not in page

    def test_a_field_with_markup_stays_text(self, client):
        answer = client.get("/sign-up/checks/<b>x", query_string={"<b>x": "<script>"})

        assert "<script>" not in answer.text
        assert "<b>x" not in answer.text


class TestForgotten:
    def ask(self, post, email):
        return post("/password/forgotten", email=email)

    def test_says_the_same_whether_there_is_an_account_or_not(self, post, li):
        known = self.ask(post, "LI@example.cn ")
        unknown = self.ask(post, "nobody@example.cn")

        assert known.status_code == unknown.status_code == 200
        assert "如果 li@example.cn 有账号" in known.text
        assert "如果 nobody@example.cn 有账号" in unknown.text

    def test_only_the_account_there_is_gets_a_mail(self, post, li):
        self.ask(post, "li@example.cn")
        self.ask(post, "nobody@example.cn")

        (notice,) = db.session.scalars(select(Notice))
        assert (notice.kind, notice.subject_id) == (Kind.RESET, li.id)

    def test_what_is_no_address_is_said_beside_the_field(self, post):
        answer = self.ask(post, "li")

        assert answer.status_code == 422
        assert "邮箱地址不正确" in errors(answer)["email"]

    def test_needs_the_token(self, client, token, li):
        answer = client.post("/password/forgotten", data={"email": "li@example.cn"})

        assert answer.status_code == 403
        assert db.session.scalars(select(Notice)).all() == []

    def test_asked_too_often_it_names_the_wait(self, post, li):
        answers = [self.ask(post, "li@example.cn") for _ in range(5)]

        assert answers[0].status_code == 200
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert len(db.session.scalars(select(Notice)).all()) == 3

    def test_the_link_of_the_mail_leads_to_a_new_password(self, client, post, li):
        self.ask(post, "li@example.cn")
        with force_locale("zh_Hans_CN"):
            (notice,) = db.session.scalars(select(Notice))
            letter = compose(notice.kind, Side.SELF, notice.facts, subject_id=li.id)
        path = letter.button[1].removeprefix("http://127.0.0.1:8000")
        secret = re.search(r'name="invitation"\s+value="([^"]+)"', client.get(path).text)[1]

        answer = post(
            "/invitation",
            invitation=secret,
            password="New-Lathe-8",
            purpose_notice_accepted=PURPOSE_NOTICE,
        )
        assert led_to(answer) == (303, "/account")


class TestInvitation:
    def test_sets_the_password_and_signs_in(self, client, post, li):
        secret = service.invite(li, by=None)
        assert f'value="{secret}"' in client.get(f"/invitation?invitation={secret}").text

        answer = post(
            "/invitation",
            invitation=secret,
            password="New-Lathe-8",
            purpose_notice_accepted=PURPOSE_NOTICE,
        )

        assert led_to(answer) == (303, "/account")
        assert "密码已设置，您已登录。" in client.get("/account").text

    def test_says_that_a_code_does_not_work(self, post):
        answer = post(
            "/invitation",
            invitation="x",
            password="New-Lathe-8",
            purpose_notice_accepted=PURPOSE_NOTICE,
        )

        assert answer.status_code == 422
        assert "邀请已失效" in answer.text


class TestAccount:
    def test_names_the_person_the_organisation_and_the_role(self, client, li):
        sign_in(client, li)
        page = client.get("/account").text

        for words in ("李明", "li@example.cn", "长沙精工机械有限公司", "管理员", "本设备"):
            assert words in page

    def test_somebody_without_a_seat_reads_what_to_do(self, client):
        sign_in(client, make_user())

        assert "请本单位管理员把您加入" in client.get("/account").text

    def test_takes_the_same_number_of_queries_for_many_sessions(self, client, li):
        sign_in(client, li)
        client.get("/account")
        with counted() as few:
            client.get("/account")
        for _ in range(5):
            sign_in(client, li)
        with counted() as many:
            client.get("/account")

        assert len(few) == len(many)

    def test_signs_one_other_browser_out(self, client, post, li):
        other = sign_in(client, li)
        own = sign_in(client, li)
        post(f"/account/sessions/{other.id}/end")

        assert other.ended_at is not None
        assert own.ended_at is None

    def test_somebody_elses_session_is_not_found(self, client, post, li):
        other = sign_in(client, make_user())
        sign_in(client, li)
        answer = post(f"/account/sessions/{other.id}/end")

        assert answer.status_code == 404
        assert other.ended_at is None

    def test_signs_out_everywhere(self, client, post, li):
        first, second = sign_in(client, li), sign_in(client, li)
        answer = post("/account/sessions/end")

        assert led_to(answer) == (303, "/log-in")
        assert is_over(first)
        assert is_over(second)

    def test_keeps_the_language_chosen(self, client, post, li):
        sign_in(client, li)
        post("/account/language", language="en")

        assert li.locale == "en"
        assert "Account and security" in client.get("/account").text

    def test_no_other_language_is_taken(self, client, post, li):
        sign_in(client, li)

        assert post("/account/language", language="fr").status_code == 404


class TestPassword:
    def test_is_changed_and_other_browsers_are_signed_out(self, client, post, li):
        other, own = sign_in(client, li), sign_in(client, li)
        answer = post("/account/password", current_password=PASSWORD, new_password="New-Lathe-8")

        assert led_to(answer) == (303, "/account")
        assert is_over(other)
        assert not is_over(own)

    def test_a_wrong_one_is_named_at_its_field(self, client, post, li):
        sign_in(client, li)
        answer = post("/account/password", current_password="wrong", new_password="New-Lathe-8")

        assert errors(answer) == {"current_password": "当前密码不正确。"}

    def test_a_weak_one_is_named_at_its_field(self, client, post, li):
        sign_in(client, li)
        answer = post("/account/password", current_password=PASSWORD, new_password="short")

        assert errors(answer) == {"new_password": "密码至少 10 位。"}


class TestTokens:
    def test_the_secret_is_shown_once_and_kept_nowhere(self, client, post, li):
        sign_in(client, li)
        made = post("/account/tokens", name="产线A", scopes=["read"], days="30", once="a")
        secret = re.search(r"<code>([\w-]{43})</code>", made.text)[1]

        assert made.status_code == 201
        assert made.headers["Cache-Control"] == "no-store"
        assert secret not in client.get("/account/tokens").text
        g.pop("_login_user", None)
        client.delete_cookie("booking_session")
        bearer = {"Authorization": f"Bearer {secret}"}
        assert client.get("/api/v1/me", headers=bearer).status_code == 200

    def test_a_reload_makes_no_second_one(self, client, post, li):
        sign_in(client, li)
        for _ in range(2):
            answer = post("/account/tokens", name="产线A", scopes=["read"], days="30", once="a")

        assert led_to(answer) == (303, "/account/tokens")
        assert len(db.session.scalars(select(ApiToken)).all()) == 1

    def test_names_what_is_missing(self, client, post, li):
        sign_in(client, li)
        answer = post("/account/tokens", days="30")

        assert errors(answer) == {
            "name": "请填写名称，便于日后辨认。",
            "scopes": "请至少选择一个范围。",
        }

    @pytest.mark.parametrize("days", ["0", "367", "x", "30.5"])
    def test_refuses_other_lengths(self, client, post, li, days):
        sign_in(client, li)
        answer = post("/account/tokens", name="产线A", scopes=["read"], days=days)

        assert set(errors(answer)) == {"days"}

    def test_offers_no_scope_that_opens_nothing(self, client, li):
        sign_in(client, li)
        page = client.get("/account/tokens").text

        assert 'value="organisation"' in page
        assert 'value="admin"' not in page
        assert 'value="instruments"' not in page

    def test_is_revoked(self, client, post, li):
        sign_in(client, li)
        post("/account/tokens", name="产线A", scopes=["read"], days="30")
        made = db.session.scalar(select(ApiToken))
        answer = post(f"/account/tokens/{made.id}/revoke")

        assert led_to(answer) == (303, "/account/tokens")
        assert made.revoked_at is not None
        assert "产线A" not in client.get("/account/tokens").text

    def test_one_that_ran_out_is_not_listed(self, client, post, li, now):
        sign_in(client, li)
        post("/account/tokens", name="产线A", scopes=["read"], days="30")
        now.at += timedelta(days=31)
        sign_in(client, li)

        assert "产线A" not in client.get("/account/tokens").text


class TestHead:
    def test_names_organisation_and_person(self, client, li):
        sign_in(client, li)

        assert "长沙精工机械有限公司 · 李明" in client.get("/").text

    def test_offers_log_in_and_sign_up_to_everybody_else(self, client):
        page = client.get("/").text

        assert 'href="/log-in"' in page
        assert 'href="/sign-up"' in page

    def test_the_price_window_says_its_own_kind(self, client):
        window = make_organisation(kind=OrganisationKind.WINDOW, size_class=None)
        sign_in(client, make_user(window, Role.CLERK))

        assert "服务窗口" in client.get("/account").text
