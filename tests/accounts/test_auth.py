"""The session cookie, and requests that another site's page makes a browser send."""

import pytest
from sqlalchemy import select

from booking.accounts.models import LoginSession
from booking.accounts.rules import Role, Scope
from tests.factories import bearer, make_organisation, make_user, sign_in

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PASSWORD = "Lathe-7-quiet"
LOG_IN = {"login": "li@example.cn", "password": PASSWORD}


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(client, session, app):
    make_user(email="li@example.cn", password=PASSWORD)

    plain = client.post("/api/v1/sessions", json=LOG_IN).headers["Set-Cookie"]
    app.config["BASE_URL"], before = "https://lab.example.cn", app.config["BASE_URL"]
    secure = client.post("/api/v1/sessions", json=LOG_IN).headers["Set-Cookie"]
    app.config["BASE_URL"] = before

    assert plain.startswith("booking_session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(plain.split("; "))
    assert ("Secure" in plain, "Secure" in secure) == (False, True)
    secret = plain.split(";")[0].partition("=")[2]
    assert secret not in session.scalars(select(LoginSession.digest)).all()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "http://localhost"}, 201),
        ({"Origin": "http://127.0.0.1:8000"}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({}, 201),
    ],
)
def test_another_sites_page_cannot_use_a_signed_in_browser(client, headers, status):
    sign_in(client, make_user())

    answer = client.post(
        "/api/v1/tokens", json={"name": "ERP", "scopes": ["read"]}, headers=headers
    )

    assert answer.status_code == status
    assert status == 201 or answer.json["code"] == "cross_site"


def test_a_bearer_request_is_never_sent_by_another_sites_page(client):
    firm = make_organisation()
    headers = bearer(make_user(firm, Role.MANAGER), Scope.READ, Scope.ORGANISATION)

    answer = client.patch(
        f"/api/v1/organisations/{firm.id}",
        json={"address": "麓谷"},
        headers=headers | {"Sec-Fetch-Site": "cross-site", "Origin": "https://erp.example"},
    )

    assert answer.status_code == 200


def test_reading_from_another_site_is_not_refused(client):
    sign_in(client, make_user())

    assert client.get("/api/v1/me", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
