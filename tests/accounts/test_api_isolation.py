"""For every address of accounts: without log-in, as a stranger, without the scope, shut out."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from booking.accounts.models import ApiToken, Membership
from booking.accounts.rules import Role, Scope
from booking.kernel import clock
from tests.factories import bearer, make_institution, make_organisation, make_user, sign_in

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

DECLARE = {"industry_code": "34", "size_class": "small"}
PERSON = {"name": "王芳", "email": "wang@example.cn", "roles": ["member"]}
PASSWORDS = {"current_password": "Lathe-7-quiet", "new_password": "Mill-8-noisy"}

# Method, rule, body, the scope it needs (None: any token), and the status for somebody of
# another firm. 403 stands where there is nothing of others, but a token may not do it.
ENDPOINTS: list[tuple[str, str, Any, Scope | None, int]] = [
    ("GET", "/me", None, None, 200),
    ("POST", "/me/password", PASSWORDS, None, 403),
    ("GET", "/sessions", None, Scope.READ, 200),
    ("DELETE", "/sessions", None, None, 403),
    ("DELETE", "/sessions/current", None, None, 404),
    ("DELETE", "/sessions/<id:session_id>", None, None, 403),
    ("GET", "/tokens", None, Scope.READ, 200),
    ("POST", "/tokens", {"name": "x", "scopes": ["read"]}, None, 403),
    ("DELETE", "/tokens/<id:token_id>", None, None, 403),
    ("GET", "/organisations", None, Scope.READ, 200),
    ("GET", "/organisations/<id:organisation_id>", None, Scope.READ, 404),
    ("PATCH", "/organisations/<id:organisation_id>", {"name": "他人"}, Scope.ORGANISATION, 404),
    ("POST", "/organisations/<id:organisation_id>/verify", {}, Scope.ADMIN, 404),
    (
        "POST",
        "/organisations/<id:organisation_id>/declarations",
        DECLARE,
        Scope.ORGANISATION,
        404,
    ),
    ("GET", "/organisations/<id:organisation_id>/members", None, Scope.ORGANISATION, 404),
    ("POST", "/organisations/<id:organisation_id>/members", PERSON, Scope.ORGANISATION, 404),
    (
        "PATCH",
        "/organisations/<id:organisation_id>/members/<id:user_id>",
        {"roles": ["member"]},
        Scope.ORGANISATION,
        404,
    ),
    (
        "DELETE",
        "/organisations/<id:organisation_id>/members/<id:user_id>",
        None,
        Scope.ORGANISATION,
        404,
    ),
    (
        "POST",
        "/organisations/<id:organisation_id>/members/<id:user_id>/invitation",
        None,
        Scope.ORGANISATION,
        404,
    ),
    (
        "POST",
        "/organisations/<id:organisation_id>/members/<id:user_id>/disable",
        None,
        Scope.ORGANISATION,
        404,
    ),
    (
        "POST",
        "/organisations/<id:organisation_id>/members/<id:user_id>/enable",
        None,
        Scope.ORGANISATION,
        404,
    ),
    (
        "POST",
        "/organisations/<id:organisation_id>/members/<id:user_id>/move",
        {"organisation_id": 1, "roles": ["member"]},
        Scope.ORGANISATION,
        404,
    ),
]
PUBLIC = {
    ("GET", "/purpose-notice"),
    ("POST", "/sign-ups"),
    ("POST", "/invitations"),
    ("POST", "/sessions"),
}
BY_NAME = [pytest.param(*each, id=f"{each[0]} {each[1]}") for each in ENDPOINTS]
every_endpoint = pytest.mark.parametrize(("method", "rule", "body", "scope", "stranger"), BY_NAME)


class Firm:
    """A firm with a manager who has a session and a token."""

    def __init__(self, client: Any) -> None:
        self.organisation = make_organisation()
        self.manager = make_user(self.organisation, Role.MANAGER, password="Lathe-7-quiet")
        self.browser = type(client)(client.application, client.response_wrapper, use_cookies=True)
        self.session = sign_in(self.browser, self.manager)
        self.headers = bearer(self.manager)

    def address(self, session: Any, rule: str) -> str:
        token = session.scalars(select(ApiToken).filter_by(user_id=self.manager.id)).first()
        ids = {
            "organisation_id": self.organisation.id,
            "user_id": self.manager.id,
            "session_id": self.session.id,
            "token_id": token.id,
        }
        for name, value in ids.items():
            rule = rule.replace(f"<id:{name}>", str(value))
        return f"/api/v1{rule}"


def call(client: Any, method: str, address: str, body: Any, headers: Any = None) -> int:
    return client.open(address, method=method, json=body, headers=headers).status_code


def test_the_table_names_every_address_of_accounts(app):
    rules = {
        (method, rule.rule.removeprefix("/api/v1"))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("accounts.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }

    assert rules - PUBLIC == {each[:2] for each in ENDPOINTS}


@every_endpoint
def test_nobody_gets_in_without_signing_in(method, rule, body, scope, stranger, client, session):
    address = Firm(client).address(session, rule)

    assert call(client, method, address, body) == 401
    assert call(client, method, address, body, {"Authorization": "Bearer nonsense"}) == 401
    assert call(client, method, address, body, {"Authorization": "Basic bGk6bGk="}) == 401


@every_endpoint
def test_a_stranger_with_all_scopes_finds_nothing_of_others(
    method, rule, body, scope, stranger, client, session
):
    address, other = Firm(client).address(session, rule), Firm(client)

    assert call(client, method, address, body, other.headers) == stranger


@pytest.mark.parametrize(
    ("method", "rule", "body"),
    [each[:3] for each in ENDPOINTS if "<" in each[1]],
)
def test_a_stranger_who_is_signed_in_finds_nothing_of_others(method, rule, body, client, session):
    address, other = Firm(client).address(session, rule), Firm(client)

    assert call(other.browser, method, address, body) == 404


@pytest.mark.parametrize(
    ("method", "rule", "body", "scope"), [each[:4] for each in ENDPOINTS if each[3]]
)
def test_a_token_without_the_scope_is_refused_to_the_owner_too(
    method, rule, body, scope, client, session
):
    firm = Firm(client)
    headers = bearer(firm.manager, *(set(Scope) - {scope}))

    answer = client.open(firm.address(session, rule), method=method, json=body, headers=headers)

    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")


@pytest.mark.parametrize(
    ("method", "rule", "body"),
    [each[:3] for each in ENDPOINTS if each[3] in {Scope.ORGANISATION, Scope.ADMIN}],
)
def test_a_member_who_does_not_manage_is_not_allowed(method, rule, body, client, session):
    firm = Firm(client)
    headers = bearer(make_user(firm.organisation, Role.MEMBER))

    assert call(client, method, firm.address(session, rule), body, headers) == 403


def test_strangers_see_only_institutions_that_publish(client):
    mine, other = make_organisation(), make_organisation()
    lab, hidden = make_institution(), make_institution(verified_at=None)
    closed = make_institution(is_active=False)
    headers = bearer(make_user(mine, Role.MEMBER))

    seen = {
        each["id"] for each in client.get("/api/v1/organisations", headers=headers).json["items"]
    }

    assert {mine.id, lab.id} <= seen
    assert not {other.id, hidden.id, closed.id} & seen


def test_a_published_institutions_people_are_not_shown_to_outsiders(client):
    lab = make_institution()
    headers = bearer(make_user(make_organisation(), Role.MANAGER))

    assert call(client, "GET", f"/api/v1/organisations/{lab.id}/members", None, headers) == 404
    change = {"name": "他人"}
    assert call(client, "PATCH", f"/api/v1/organisations/{lab.id}", change, headers) == 404


def _end_membership(user, session):
    session.scalars(select(Membership).filter_by(user_id=user.id)).one().ended_at = clock.now()


def _disable(user, session):
    user.is_active = False


def _revoke(user, session):
    session.scalars(select(ApiToken).filter_by(user_id=user.id)).one().revoked_at = clock.now()


def _expire(user, session):
    token = session.scalars(select(ApiToken).filter_by(user_id=user.id)).one()
    token.expires_at = clock.now() - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param(_end_membership, 404, id="membership-ended"),
        pytest.param(_disable, 401, id="user-disabled"),
        pytest.param(_revoke, 401, id="token-revoked"),
        pytest.param(_expire, 401, id="token-expired"),
    ],
)
def test_who_is_shut_out_is_refused_at_the_next_request(change, status, client, session):
    firm = make_organisation()
    user = make_user(firm, Role.MANAGER)
    headers, address = bearer(user), f"/api/v1/organisations/{firm.id}"
    before = call(client, "GET", address, None, headers)

    change(user, session)
    session.flush()

    assert (before, call(client, "GET", address, None, headers)) == (200, status)


def test_a_closed_organisation_gives_its_people_nothing(client, session):
    firm = make_organisation()
    headers = bearer(make_user(firm, Role.MANAGER))

    firm.is_active = False
    session.flush()

    assert client.get("/api/v1/me", headers=headers).json["organisations"] == []
    assert call(client, "GET", f"/api/v1/organisations/{firm.id}", None, headers) == 404
