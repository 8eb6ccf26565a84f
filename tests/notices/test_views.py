"""The bell, the inbox, the settings, the dead letters and the demo's mail folder as pages."""

import re
from datetime import timedelta

import pytest

from booking.accounts.models import User
from booking.accounts.rules import Role
from booking.app import create_app
from booking.kernel import clock
from booking.kernel.db import db, transaction
from booking.notices import jobs, queries
from booking.notices.models import Notice
from booking.notices.rules import Kind, MailState, State
from tests.factories import bearer, make_admin, make_organisation, make_user, sign_in
from tests.notices.world import message_to, messages, somebody
from tests.queries_counted import counted


@pytest.fixture
def li(session):
    return somebody(make_organisation(), Role.MEMBER, "li", "李明")


@pytest.fixture
def post(client):
    """A function that posts a form of a page, with its token."""

    def send(path, **fields):
        page = client.get("/inbox").text
        token = re.search(r'name="form_token" value="([^"]+)"', page).group(1)
        return client.post(path, data=fields | {"form_token": token})

    return send


@pytest.fixture
def admin(session, client):
    """An administrator who is signed in."""
    caller = make_admin()
    sign_in(client, db.session.get_one(User, caller.user_id))
    return caller


class TestBell:
    def test_counts_what_is_unread_on_every_page(self, client, li):
        sign_in(client, li)
        assert "条未读" not in client.get("/account").text
        for _ in range(3):
            message_to(li)

        for page in ("/", "/account", "/reservations"):
            assert "通知，3 条未读" in client.get(page).text

    def test_says_99_plus_for_more(self, client, li):
        sign_in(client, li)
        for _ in range(100):
            message_to(li)

        assert "99+" in client.get("/account").text

    def test_is_not_there_for_strangers_and_tokens(self, client, li):
        assert 'href="/inbox"' not in client.get("/").text
        assert 'href="/inbox"' not in client.get("/", headers=bearer(li)).text

    def test_takes_one_statement(self, client, li):
        sign_in(client, li)
        client.get("/account")
        with counted() as statements:
            client.get("/account")

        assert len([each for each in statements if "messages" in each]) == 1


class TestInbox:
    def test_lists_latest_first_in_the_readers_language(self, client, li):
        sign_in(client, li)
        message_to(li)
        facts = {"organisation": "湖南省检测院", "verified": False, "reason": "名称不符"}
        message_to(li, facts=facts)

        chinese = client.get("/inbox").text
        assert chinese.index("未通过核验") < chinese.index("已通过核验")
        assert "Not verified" in client.get("/inbox?lang=en").text

    def test_an_empty_one_says_what_will_come(self, client, li):
        sign_in(client, li)

        assert "这里还没有通知" in client.get("/inbox").text
        assert "没有未读的通知" in client.get("/inbox?view=unread").text

    def test_goes_on_with_the_older_ones(self, client, li):
        sign_in(client, li)
        for _ in range(31):
            message_to(li)

        more = re.search(r'href="(/inbox\?[^"]*cursor=[^"]+)"', client.get("/inbox").text).group(1)
        page = client.get(more.replace("&amp;", "&")).text
        assert page.count("已通过核验") == 1

    def test_a_nonsense_cursor_shows_the_first_page(self, client, li):
        sign_in(client, li)
        message_to(li)

        assert "已通过核验" in client.get("/inbox?cursor=x").text

    def test_opening_one_marks_it_read(self, client, li):
        sign_in(client, li)
        message = message_to(li)

        page = client.get(f"/inbox/{message.id}").text

        assert "<h1>已通过核验：湖南省检测院</h1>" in page
        assert "我的仪器" in page
        assert "条未读" not in page
        assert messages()[0].read_at == clock.now()

    def test_somebody_elses_is_not_found(self, client, li):
        sign_in(client, li)
        message = message_to(make_user())

        assert client.get(f"/inbox/{message.id}").status_code == 404
        assert messages()[0].read_at is None

    def test_all_are_marked_read_at_once(self, client, li, post):
        sign_in(client, li)
        for _ in range(2):
            message_to(li)

        answer = post("/inbox/read")

        assert (answer.status_code, answer.headers["Location"]) == (303, "/inbox")
        assert queries.unread(li.id) == 0
        assert "通知已全部标为已读。" in client.get("/inbox").text

    def test_needs_the_token_of_the_form(self, client, li):
        sign_in(client, li)
        message_to(li)

        assert client.post("/inbox/read").status_code == 403
        assert queries.unread(li.id) == 1

    @pytest.mark.parametrize("path", ["/inbox", "/account/notices"])
    def test_is_for_browsers_only(self, client, li, path):
        assert client.get(path, headers=bearer(li)).status_code == 403

    def test_takes_the_same_number_of_statements_however_long(self, client, li):
        sign_in(client, li)
        message_to(li)
        client.get("/inbox")
        with counted() as few:
            client.get("/inbox")
        for _ in range(10):
            message_to(li)
        with counted() as many:
            client.get("/inbox")

        assert len(few) == len(many)


class TestSettings:
    def ticked(self, page):
        boxes = re.findall(r'<input class="form-check-input"[^>]*>', page)
        return {re.search(r'value="([^"]+)"', box).group(1) for box in boxes if "checked" in box}

    def test_everything_is_ticked_at_first(self, client, li):
        sign_in(client, li)
        page = client.get("/account/notices").text

        assert self.ticked(page) == {
            "confirmation", "request", "approved", "declined", "expired", "change", "cancellation",
            "reminder", "no_show", "usage",
            "objection", "settled", "fee", "fault", "waiting", "verification", "expiry",
            "authorisation",
        }  # fmt: skip

    def test_a_choice_is_kept(self, client, li, post):
        sign_in(client, li)
        answer = post("/account/notices", by_mail=["change", "cancellation"])

        assert (answer.status_code, answer.headers["Location"]) == (303, "/account/notices")
        page = client.get("/account/notices").text
        assert self.ticked(page) == {"change", "cancellation"}
        assert "已保存。" in page

    def test_none_is_a_choice(self, client, li, post):
        sign_in(client, li)
        post("/account/notices")

        assert self.ticked(client.get("/account/notices").text) == set()

    def test_what_is_no_kind_is_refused(self, client, li, post):
        sign_in(client, li)

        assert post("/account/notices", by_mail=["nonsense"]).status_code == 422
        assert queries.muted([li.id]) == {}

    def test_is_found_from_the_account(self, client, li):
        sign_in(client, li)

        assert 'href="/account/notices"' in client.get("/account").text


class TestDeadLetters:
    def test_are_listed_with_the_reason_and_nothing_of_what_they_say(self, client, admin, li):
        message_to(li, mail=MailState.DEAD, attempts=3, error="550 5.1.1 no such user")
        message_to(li, attempts=1, error="450 greylisted", due_at=clock.now() + timedelta(hours=1))

        page = client.get("/admin/mail").text

        for words in ("li@example.cn", "550 5.1.1 no such user", "投递失败", "450 greylisted"):
            assert words in page
        assert page.count("重新投递给") == 1
        assert "湖南省检测院" not in page

    def test_none_is_said(self, client, admin):
        assert "没有投递失败的邮件" in client.get("/admin/mail").text

    def test_go_on_over_pages(self, client, admin, li):
        for number in range(51):
            message_to(li, mail=MailState.DEAD, error=f"550 no {number}")

        page = client.get("/admin/mail").text
        more = re.search(r'href="(/admin/mail\?cursor=[^"]+)"', page).group(1)
        assert "550 no 0<" in client.get(more).text
        assert "550 no 50<" in client.get("/admin/mail?cursor=nonsense").text

    def test_are_sent_again(self, client, admin, post, li):
        dead = message_to(li, mail=MailState.DEAD, attempts=9, error="550 no")

        answer = post(f"/admin/mail/{dead.id}/retry")

        assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/mail")
        assert [(m.mail, m.attempts) for m in messages()] == [(MailState.WAITING, 0)]

    def test_that_are_none_are_not(self, client, admin, post, li):
        sent = message_to(li, mail=MailState.SENT, sent_at=clock.now())

        assert post(f"/admin/mail/{sent.id}/retry").status_code == 409

    def test_notices_that_could_not_be_worded_are_tried_again(self, client, admin, post, li):
        notice = message_to(li).notice_id
        broken = db.session.get_one(Notice, notice)
        broken.state, broken.error = State.DEAD, "KeyError: 'x'"
        assert "没有生成的通知" in client.get("/admin/mail").text

        assert post(f"/admin/mail/notices/{notice}/retry").status_code == 303
        assert broken.state is State.WAITING

    @pytest.mark.parametrize("path", ["/admin/mail/1/retry", "/admin/mail/notices/1/retry"])
    def test_are_no_business_of_others(self, client, li, post, path):
        sign_in(client, li)

        assert client.get("/admin/mail").status_code == 403
        assert post(path).status_code == 403
        assert "邮件投递" not in client.get("/account").text

    def test_are_found_from_the_menu(self, client, admin):
        assert 'href="/admin/mail"' in client.get("/admin").text


@pytest.fixture
def demo(app, tmp_path):
    """The program as a demo, on this worker's database."""
    made = create_app(
        "testing",
        DATABASE_URL=app.config["SQLALCHEMY_DATABASE_URI"],
        DEMO=True,
        DATA_DIR=tmp_path,
    )
    made.extensions["booking_demo"] = {}
    return made


class TestDemo:
    @pytest.fixture
    def kept(self, app, li, use_mail):
        message_to(
            li,
            kind=Kind.RESET,
            facts={"nonce": "n", "until": (clock.now() + timedelta(days=1)).isoformat()},
        )
        with transaction():
            jobs.send()

    def test_lists_and_opens_what_lies_in_the_folder(self, demo, kept, session):
        client = demo.test_client()
        page = client.get("/demo/mail").text
        address = re.search(r'href="(/demo/mail/[0-9a-f-]+)"', page).group(1)

        mail = client.get(address).text
        assert "重设您的密码" in page
        assert "/invitation?invitation=" in mail
        assert client.get(f"{address}.eml").mimetype == "message/rfc822"
        assert client.get(f"{address}.ics").status_code == 404

    def test_shows_the_html_where_it_can_do_nothing(self, demo, kept, session):
        client = demo.test_client()
        address = re.search(r'href="(/demo/mail/[0-9a-f-]+)"', client.get("/demo/mail").text)
        answer = client.get(f"{address.group(1)}/html")

        policy = answer.headers["Content-Security-Policy"]
        assert "sandbox" in policy
        assert "default-src 'none'" in policy
        assert "设置新密码" in answer.text

    def test_an_empty_folder_says_what_to_do(self, demo, session):
        assert "还没有邮件" in demo.test_client().get("/demo/mail").text

    @pytest.mark.parametrize("name", ["x", "..%2fsecret_key", "0000000001-0123456789abcdef"])
    def test_nothing_else_can_be_read(self, demo, session, name):
        assert demo.test_client().get(f"/demo/mail/{name}.eml").status_code == 404

    def test_is_linked_from_every_page(self, demo, session):
        assert 'href="/demo/mail"' in demo.test_client().get("/").text

    @pytest.mark.parametrize("change", [{"DEMO": False}, {"SMTP_URL": "smtp://127.0.0.1"}])
    def test_is_not_there_without_the_demo_or_with_a_server(self, app, tmp_path, change):
        given = {"DEMO": True, "DATA_DIR": tmp_path} | change
        made = create_app("testing", DATABASE_URL=app.config["SQLALCHEMY_DATABASE_URI"], **given)

        assert made.test_client().get("/demo/mail").status_code == 404
        assert 'href="/demo/mail"' not in made.test_client().get("/log-in").text
