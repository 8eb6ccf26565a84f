"""A form whose session had ended: kept through the log-in, sent only when confirmed."""

import html
import json
import re

import pytest
from sqlalchemy import select

from booking.accounts.models import ApiToken
from booking.accounts.rules import Role
from booking.kernel import config, unsent
from booking.kernel.db import db
from tests.factories import make_organisation, make_user, sign_in

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PASSWORD = "Lathe-7-quiet"
NEW_TOKEN = {"name": "产线A“1”", "days": "90", "scopes": ["read", "reservations"]}


@pytest.fixture
def li(session):
    """A firm's manager with a password."""
    firm = make_organisation()
    return make_user(firm, Role.MANAGER, email="li@example.cn", password=PASSWORD)


def hidden(answer):
    """The hidden fields of the first form on the page, as a browser would send them."""
    form = re.search(r'<main.*?<form method="post".*?</form>', answer.text, re.DOTALL)[0]
    found = {}
    for field in re.findall(r'<input type="hidden"[^>]*>', form):
        name, value = re.search(r'name="([^"]+)"\s+value="([^"]*)"', field).groups()
        found.setdefault(name, []).append(html.unescape(value))
    return found


def log_in(client, asked, **changes):
    """Send the log-in form that was shown, and follow it like a browser."""
    fields = {**hidden(asked), "login": "li@example.cn", "password": PASSWORD, **changes}
    answer = client.post("/log-in", data=fields)
    if answer.status_code == 307:
        answer = client.post(answer.headers["Location"], data=fields)
    return answer


def test_is_said_at_the_log_in_kept_and_sent_when_confirmed(client, li):
    asked = client.post("/account/tokens", data=NEW_TOKEN)
    assert asked.status_code == 401
    assert "登录已失效，刚才的操作还没有提交。" in asked.text

    kept = log_in(client, asked)
    assert "您已登录，刚才的操作还没有提交" in kept.text
    assert re.search(r'<form method="post"\s+action="/account/tokens"', kept.text)
    assert db.session.scalars(select(ApiToken)).all() == []

    answer = client.post("/account/tokens", data=hidden(kept))
    assert answer.status_code == 201
    [made] = db.session.scalars(select(ApiToken)).all()
    assert (made.name, made.scopes) == ("产线A“1”", ["read", "reservations"])


def test_a_wrong_password_loses_nothing(client, li):
    asked = client.post("/account/tokens", data=NEW_TOKEN)

    again = log_in(client, asked, password="wrong-wrong-1")

    assert again.status_code == 422
    assert "您已登录，刚才的操作还没有提交" in log_in(client, again).text


def test_passwords_are_never_kept(client, li):
    given = {"current_password": PASSWORD, "new_password": "Other-8-word"}
    asked = client.post("/account/password", data=given)

    assert "unsent_fields" not in asked.text
    assert "Other-8-word" not in asked.text


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("https://evil.example/account/tokens", "[]"),
        ("//evil.example", "[]"),
        ("/account", "[]"),  # no form is sent there
        ("/log-in", "[]"),
        ("/instruments/1/reserve", "[]"),  # asks for no log-in
        ("", "[]"),
        ("/account/tokens", ""),
        ("/account/tokens", "{"),
        ("/account/tokens", "1"),
        ("/account/tokens", "[1]"),
        ("/account/tokens", '[["name", 1]]'),
        ("/account/tokens", '[["name"]]'),
        ("/account/tokens", "[" * 5000),
        ("/account/tokens", json.dumps([["name", "x" * unsent.LONGEST]])),
        ("/account/tokens", '[["new_password", "x"]]'),
    ],
)
def test_what_is_no_form_of_ours_is_let_go(client, li, action, fields):
    asked = client.post("/account/tokens", data=NEW_TOKEN)

    answer = log_in(client, asked, unsent_action=action, unsent_fields=fields)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")


def test_needs_the_token(client, li):
    sign_in(client, li)
    answer = client.post("/log-in/unsent", data={"unsent_action": "/account/tokens"})

    assert answer.status_code == 403


def test_signed_in_with_nothing_kept_one_goes_on(client, li):
    shown = client.get("/log-in")
    token = hidden(shown)["form_token"]
    sign_in(client, li)

    answer = client.post("/log-in/unsent", data={"form_token": token, "next": "/account/tokens"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/tokens")


def test_every_form_that_can_be_kept_is_called_by_its_name(app):
    guarded = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "POST" in rule.methods
        and not rule.rule.startswith("/api/")
        and getattr(app.view_functions[rule.endpoint], "needs_login", False)
    }
    page = (config.root("templates") / "accounts" / "unsent.html").read_text(encoding="utf-8")

    named = set(re.findall(r'^  "([\w.]+)": ', page, re.MULTILINE))
    # A password is typed again; and this page itself.
    assert named == guarded - {"accounts_pages.change_password", "accounts_pages.go_on"}
