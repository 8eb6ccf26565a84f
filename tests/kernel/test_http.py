"""Problem details, headers, request ids, and what becomes of errors nobody expected."""

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from booking.app import create_app
from booking.kernel import http
from booking.kernel.errors import Conflict, DomainError, NotAllowed, NotFound, RuleViolation
from booking.kernel.http import TooManyRequests
from booking.kernel.text import N_


class Odd(DomainError):
    """Of none of the four kinds."""


RAISED = {
    "not-found": NotFound(),
    "not-allowed": NotAllowed(),
    "conflict": Conflict(N_("还有 %(count)s 个。", count=2), left=[{"reason": N_("内容无效。")}]),
    "rule": RuleViolation(),
    "odd": Odd(),
    "often": TooManyRequests(retry_after=30),
    "bug": ZeroDivisionError("secret detail"),
    "pool": PoolTimeout("no connection"),
    "locked": OperationalError("SELECT 1", {}, Exception("lock")),
}


@pytest.fixture(scope="module")
def raising() -> Flask:
    """An application whose views raise what their address says."""
    app = create_app("testing", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")

    def view(kind: str) -> None:
        raise RAISED[kind]

    app.add_url_rule("/api/raise/<kind>", "raise_api", view)
    app.add_url_rule("/raise/<kind>", "raise_page", view)
    return app


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("not-found", 404, "not_found"),
        ("not-allowed", 403, "not_allowed"),
        ("conflict", 409, "conflict"),
        ("rule", 422, "rule_violation"),
        ("odd", 422, "refused"),
        ("often", 429, "too_many_requests"),
        ("bug", 500, "internal_error"),
        ("pool", 503, "unavailable"),
        ("locked", 503, "unavailable"),
    ],
)
def test_each_error_has_its_status_and_problem_details(raising, kind, status, code):
    answer = raising.test_client().get(f"/api/raise/{kind}")

    body = answer.get_json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert answer.content_type == "application/problem+json"
    assert body["type"] == f"http://127.0.0.1:8000/api/docs#error-{code}"
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert body["title"]
    assert body["detail"]


def test_details_are_rendered_in_the_callers_language(raising):
    body = raising.test_client().get("/api/raise/conflict").get_json()

    assert body["detail"] == "还有 2 个。"
    assert body["left"] == [{"reason": "内容无效。"}]


@pytest.mark.parametrize(("kind", "seconds"), [("often", "30"), ("pool", "1")])
def test_who_should_come_again_is_told_when(raising, kind, seconds):
    for place in ("/api/raise", "/raise"):
        assert raising.test_client().get(f"{place}/{kind}").headers["Retry-After"] == seconds


def test_a_bug_says_nothing_about_itself_but_is_logged(raising, capsys):
    answer = raising.test_client().get("/api/raise/bug")

    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    logged = capsys.readouterr().err
    assert "secret detail" in logged
    assert answer.headers["X-Request-Id"] in logged


def test_people_get_a_page(raising):
    answer = raising.test_client().get("/raise/not-found", headers={"Accept": "text/html"})

    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "没有找到，或您无权查看。" in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


def test_a_program_outside_the_api_gets_problem_details(raising):
    answer = raising.test_client().get("/raise/bug", headers={"Accept": "application/json"})

    assert answer.content_type == "application/problem+json"


def test_an_unauthorised_caller_is_told_how(raising):
    answer = raising.test_client().get("/api/v1/reservations")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer.get_json()["code"] == "not_signed_in"


def test_a_sound_request_id_is_kept(raising):
    headers = {"X-Request-Id": "trace-0123456789"}

    answer = raising.test_client().get("/healthz", headers=headers)

    assert answer.headers["X-Request-Id"] == "trace-0123456789"


@pytest.mark.parametrize("given", ["short", "x" * 65, "a b c d e f", "<script>12345"])
def test_another_request_id_is_replaced(raising, given):
    answer = raising.test_client().get("/healthz", headers={"X-Request-Id": given})

    assert answer.headers["X-Request-Id"] not in {"", given}


@pytest.mark.parametrize("address", ["/healthz", "/api/docs", "/api/v1/nowhere", "/nowhere"])
def test_every_answer_carries_the_security_headers(raising, address):
    headers = raising.test_client().get(address).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


def test_answers_of_the_api_are_not_kept_by_anyone(raising):
    answer = raising.test_client().get("/api/v1/reservations")

    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"Origin": "http://localhost"}, False),
        ({"Origin": "http://127.0.0.1:8000"}, False),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer x"}, False),
    ],
)
def test_another_sites_page_cannot_send_for_a_signed_in_browser(raising, headers, refused):
    answer = raising.test_client().post("/api/v1/reservations", json={}, headers=headers)

    assert (answer.get_json()["code"] == "cross_site") is refused


def test_every_status_has_its_sentence_and_code():
    assert set(http.SENTENCES) == set(http.CODES)


def test_the_secret_of_a_feed_is_not_logged(raising, capsys):
    raising.config["ACCESS_LOG"] = True
    try:
        raising.test_client().get("/calendars/feeds/very-secret.ics")
    finally:
        raising.config["ACCESS_LOG"] = False

    logged = capsys.readouterr().err
    assert "/calendars/feeds/" in logged
    assert "very-secret" not in logged
