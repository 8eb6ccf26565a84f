"""Wiring of the accounts API: addresses, answers, cookies, secrets shown once."""

from hashlib import sha256

import pytest
from sqlalchemy import select

from booking.accounts.models import LoginSession, Membership, User
from booking.accounts.rules import PURPOSE_NOTICE, Role
from booking.kernel.idempotency import StoredAnswer
from tests.factories import (
    bearer,
    make_institution,
    make_organisation,
    make_uscc,
    make_user,
    sign_in,
)
from tests.queries_counted import counted

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PASSWORD = "Lathe-7-quiet"
SIGN_UP = {
    "kind": "enterprise",
    "uscc": "91350100M000100Y43",
    "name": "长沙精工机械有限公司",
    "region_code": "430104",
    "industry_code": "34",
    "size_class": "sole_trader",
    "manager_name": "李明",
    "email": "li@example.cn",
    "password": PASSWORD,
    "purpose_notice_accepted": PURPOSE_NOTICE,
}
LOG_IN = {"login": "li@example.cn", "password": PASSWORD}


def another(client):
    """A second browser."""
    return type(client)(client.application, client.response_wrapper, use_cookies=True)


def test_the_purpose_notice_is_public_in_both_languages(client):
    notice = client.get("/api/v1/purpose-notice").json

    assert notice["version"] == PURPOSE_NOTICE
    assert all(f" {PURPOSE_NOTICE}" in notice[language] for language in ("zh", "en"))
    assert "不收集身份证号码" in notice["zh"]
    assert "No identity card numbers" in notice["en"]


def test_the_text_of_a_notice_never_changes_under_its_version(client):
    notice = client.get("/api/v1/purpose-notice").json

    texts = sha256((notice["zh"] + notice["en"]).encode()).hexdigest()
    assert (notice["version"], texts) == (
        "2026-11",
        "1ad3a85f4427a751acee5cdf5a47c60915b53638f965aed7741d29330a91ac4f",
    )


def test_sign_up_log_in_and_look_around(client):
    done = client.post("/api/v1/sign-ups", json=SIGN_UP)
    entered = client.post("/api/v1/sessions", json=LOG_IN)
    me = client.get("/api/v1/me")

    assert (done.status_code, entered.status_code, me.status_code) == (201, 201, 200)
    assert done.json["organisation"]["declarations"] == [
        {"industry_code": "34", "size_class": "sole_trader", "declared_on": "2026-11-23"}
    ]
    assert entered.json["user"] == me.json
    [firm] = me.json["organisations"]
    assert (firm["roles"], me.json["signed_in_by"]) == (["manager"], "session")
    assert "reserve" in firm["permissions"]
    assert "manage_instruments" not in firm["permissions"]
    assert PASSWORD not in done.text + entered.text


def test_a_private_person_is_told_in_words(client):
    answer = client.post("/api/v1/sign-ups", json=SIGN_UP | {"kind": "person"})

    assert (answer.status_code, answer.json["code"]) == (422, "persons_not_served")
    assert "暂不面向个人" in answer.json["detail"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"uscc": "91350100M000100Y44"}, 422, "validation_failed"),
        ({"email": "b@example.cn"}, 409, "organisation_exists"),
        ({"uscc": "914300000000000210"}, 409, "login_taken"),
        ({"surprise": 1}, 422, "validation_failed"),
        ({"name": "长沙\x00"}, 422, "validation_failed"),
        ({"name": "长" * 201}, 422, "validation_failed"),
        ({"password": 1234567890}, 422, "validation_failed"),
        ({"size_class": ["small"]}, 422, "validation_failed"),
    ],
)
def test_a_sign_up_that_cannot_be_is_refused_clearly(client, change, status, code):
    client.post("/api/v1/sign-ups", json=SIGN_UP)

    answer = client.post("/api/v1/sign-ups", json=SIGN_UP | change)

    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_sign_up_names_all_unusable_fields_at_once(client):
    wrong = {"uscc": "91350100M000100Y44", "email": "li@", "mobile": "12345", "password": "short"}

    answer = client.post("/api/v1/sign-ups", json=SIGN_UP | wrong | {"industry_code": "X"})

    assert set(answer.json["errors"]) == {*wrong, "industry_code"}
    assert answer.json["errors"]["uscc"] == [
        "统一社会信用代码第 18 位校验不符，请对照营业执照核对。"
    ]


def test_a_repeated_sign_up_with_its_key_gets_the_stored_answer(client, session):
    key = {"Idempotency-Key": "sign-up-1"}
    first = client.post("/api/v1/sign-ups", json=SIGN_UP, headers=key)
    again = client.post("/api/v1/sign-ups", json=SIGN_UP, headers=key)

    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(session.scalars(select(User)).all()) == 1


def test_failed_log_ins_are_counted_although_they_are_refused(client, now):
    make_user(email="li@example.cn", password=PASSWORD)
    wrong = LOG_IN | {"password": "Lathe-7-loud"}

    answers = [client.post("/api/v1/sessions", json=wrong) for _ in range(6)]
    right = client.post("/api/v1/sessions", json=LOG_IN)
    now.advance(minutes=1)
    later = client.post("/api/v1/sessions", json=LOG_IN)

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert {answer.json["code"] for answer in answers[:5]} == {"wrong_login"}
    assert (right.status_code, right.headers["Retry-After"]) == (429, "60")
    assert later.status_code == 201


def test_unknown_and_known_names_get_the_same_answers(client):
    make_user(email="li@example.cn", password=PASSWORD)

    def answers(login):
        wrong = {"login": login, "password": "Lathe-7-loud"}
        found = [client.post("/api/v1/sessions", json=wrong) for _ in range(6)]
        return [(each.status_code, each.json["detail"]) for each in found]

    assert answers("li@example.cn") == answers("nobody@example.cn")


def test_guesses_at_the_own_password_are_slowed_down_too(client):
    sign_in(client, make_user(email="li@example.cn", password=PASSWORD))
    guess = {"current_password": "Lathe-7-loud", "new_password": "Mill-8-noisy"}

    answers = [client.post("/api/v1/me/password", json=guess) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]


def test_the_password_is_changed_and_other_browsers_are_signed_out(client):
    user = make_user(email="li@example.cn", password=PASSWORD)
    elsewhere = another(client)
    sign_in(elsewhere, user)
    sign_in(client, user)

    changed = client.post(
        "/api/v1/me/password",
        json={"current_password": PASSWORD, "new_password": "Mill-8-noisy"},
    )

    assert changed.status_code == 204
    assert client.get("/api/v1/me").status_code == 200
    assert elsewhere.get("/api/v1/me").status_code == 401


def test_logging_out_ends_the_session_on_the_server(client, session):
    held = sign_in(client, make_user())

    gone = client.delete("/api/v1/sessions/current")

    assert gone.status_code == 204
    assert gone.headers["Set-Cookie"].startswith("booking_session=;")
    assert session.get(LoginSession, held.id).ended_at is not None
    assert client.get("/api/v1/me").status_code == 401


def test_sessions_are_listed_and_ended_one_by_one_or_all(client):
    user = make_user()
    other = sign_in(another(client), user)
    mine = sign_in(client, user)

    listed = client.get("/api/v1/sessions").json["items"]
    one = client.delete(f"/api/v1/sessions/{other.id}")
    left = client.get("/api/v1/sessions").json["items"]
    everything = client.delete("/api/v1/sessions")

    assert [(each["id"], each["is_current"]) for each in listed] == [
        (mine.id, True),
        (other.id, False),
    ]
    assert (one.status_code, [each["id"] for each in left]) == (204, [mine.id])
    assert everything.status_code == 204
    assert client.get("/api/v1/me").status_code == 401


def test_a_tokens_secret_is_shown_once_and_never_stored_in_clear(client, session):
    sign_in(client, make_user())
    body = {"name": "ERP", "scopes": ["read"], "days": 30}
    key = {"Idempotency-Key": "token-1"}

    made = client.post("/api/v1/tokens", json=body, headers=key)
    again = client.post("/api/v1/tokens", json=body, headers=key)
    listed = client.get("/api/v1/tokens")

    secret = made.json["token"]
    assert (made.status_code, again.status_code) == (201, 201)
    assert again.json == made.json | {"token": None}
    assert secret not in listed.text
    assert secret not in session.scalars(select(StoredAnswer.body)).one()
    used = client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert (used.json["signed_in_by"], used.json["scopes"]) == ("token", ["read"])


def test_a_revoked_token_is_refused_at_once(client):
    sign_in(client, make_user())
    made = client.post("/api/v1/tokens", json={"name": "ERP", "scopes": ["read"]}).json
    headers = {"Authorization": f"Bearer {made['token']}"}

    before = client.get("/api/v1/me", headers=headers).status_code
    revoked = client.delete(f"/api/v1/tokens/{made['id']}").status_code

    assert (before, revoked) == (200, 204)
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_an_invited_member_sets_a_password_and_signs_in(client, session):
    firm = make_organisation()
    manager = bearer(make_user(firm, Role.MANAGER))
    body = {"name": "王芳", "mobile": "+8613912345678", "roles": ["member"]}
    address = f"/api/v1/organisations/{firm.id}/members"
    key = {"Idempotency-Key": "member-1"}

    added = client.post(address, json=body, headers=manager | key)
    again = client.post(address, json=body, headers=manager | key)
    accepted = client.post(
        "/api/v1/invitations",
        json={
            "invitation": added.json["invitation"],
            "password": PASSWORD,
            "purpose_notice_accepted": PURPOSE_NOTICE,
        },
    )
    entered = client.post("/api/v1/sessions", json={"login": "13912345678", "password": PASSWORD})

    assert (added.status_code, again.json["invitation"]) == (201, None)
    assert added.json["member"]["mobile"] == "139****5678"
    assert (accepted.status_code, entered.status_code) == (200, 201)
    assert added.json["invitation"] not in str(session.scalars(select(StoredAnswer.body)).all())


def test_roles_are_changed_and_a_membership_ended(client):
    lab = make_institution()
    manager = bearer(make_user(lab, Role.MANAGER))
    tester = make_user(lab, Role.TESTER)
    address = f"/api/v1/organisations/{lab.id}/members/{tester.id}"

    changed = client.patch(address, json={"roles": ["checker"], "version": 1}, headers=manager)
    stale = client.patch(address, json={"roles": ["tester"], "version": 1}, headers=manager)
    ended = client.delete(address, headers=manager)

    assert (changed.status_code, changed.json["roles"]) == (200, ["checker"])
    assert (stale.status_code, stale.json["code"]) == (409, "stale")
    assert ended.status_code == 204
    assert client.delete(address, headers=manager).status_code == 404


def test_an_admin_verifies_an_institution_which_others_then_see(client):
    lab = make_institution(verified_at=None)
    admin = bearer(make_user(make_organisation(kind="platform", uscc=None), Role.ADMIN))
    firm = bearer(make_user(make_organisation(), Role.MEMBER))
    address = f"/api/v1/organisations/{lab.id}"

    hidden = client.get(address, headers=firm)
    waiting = client.get("/api/v1/organisations?verified=false", headers=admin)
    verified = client.post(f"{address}/verify", json={"version": 1}, headers=admin)
    public = client.get(address, headers=firm)

    assert hidden.status_code == 404
    assert lab.id in [each["id"] for each in waiting.json["items"]]
    assert (verified.status_code, verified.json["version"]) == (200, 2)
    assert set(public.json) == {
        "id", "name", "uscc", "kind", "region_code", "address", "verified_at",
    }  # fmt: skip


def test_an_organisation_is_changed_and_declares_anew(client):
    firm = make_organisation()
    manager = bearer(make_user(firm, Role.MANAGER))
    address = f"/api/v1/organisations/{firm.id}"

    changed = client.patch(
        address, json={"address": "麓谷大道 1 号", "version": 1}, headers=manager
    )
    declared = client.post(
        f"{address}/declarations",
        json={"industry_code": "3489", "size_class": "large", "version": 2},
        headers=manager,
    )
    stale = client.patch(address, json={"name": "晚了", "version": 1}, headers=manager)
    nothing = client.patch(address, json={"version": 3}, headers=manager)

    assert nothing.status_code == 422
    assert (changed.json["address"], changed.json["version"]) == ("麓谷大道 1 号", 2)
    assert [each["size_class"] for each in declared.json["declarations"]] == ["small", "large"]
    assert (stale.status_code, stale.json["code"]) == (409, "stale")


def test_lists_are_paged_and_take_a_constant_number_of_queries(client):
    firm = make_organisation()
    manager = make_user(firm, Role.MANAGER)
    headers = bearer(manager)
    for _ in range(5):
        make_user(firm, Role.MEMBER)
        make_institution()
        bearer(manager)

    for address in (
        "/api/v1/organisations",
        f"/api/v1/organisations/{firm.id}/members",
        "/api/v1/tokens",
    ):
        one, few = _queries(client, f"{address}?limit=1", headers)
        many, all_at_once = _queries(client, f"{address}?limit=200", headers)
        assert one == many == 2, address  # the caller, the page
        assert _walk(client, address, headers) == [each["id"] for each in all_at_once["items"]]
        assert few["next_cursor"]
    spoiled = client.get("/api/v1/tokens?cursor=x", headers=headers)
    assert spoiled.json["code"] == "validation_failed"


def _queries(client, address, headers):
    with counted() as statements:
        answer = client.get(address, headers=headers)
    return len(statements), answer.json


def _walk(client, address, headers):
    found, cursor = [], ""
    while cursor is not None:
        page = client.get(f"{address}?limit=2{cursor}", headers=headers).json
        found += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    return found


def test_factory_codes_pass_our_own_check(client):
    body = SIGN_UP | {"uscc": make_uscc()}

    assert client.post("/api/v1/sign-ups", json=body).status_code == 201


def test_a_member_is_invited_again_moved_shut_out_and_let_in(client, session):
    lab, school = make_institution(), make_organisation(kind="research")
    user = make_user(lab, Role.MANAGER, password=PASSWORD)
    session.add(Membership(user_id=user.id, organisation_id=school.id, role=Role.MANAGER))
    manager = bearer(user)
    address = f"/api/v1/organisations/{lab.id}/members"
    wang = {"name": "王芳", "email": "wang@example.cn", "roles": ["tester"]}
    added = client.post(address, json=wang, headers=manager).json
    own = f"{address}/{added['member']['id']}"

    again = client.post(f"{own}/invitation", headers=manager)
    out = client.post(f"{own}/disable", headers=manager)
    back = client.post(f"{own}/enable", headers=manager)
    target = {"organisation_id": school.id, "roles": ["member"], "version": 1}
    moved = client.post(f"{own}/move", json=target, headers=manager)

    assert again.status_code == 201
    assert again.json["invitation"] != added["invitation"]
    assert (out.status_code, out.json["is_active"]) == (200, False)
    assert (back.status_code, back.json["is_active"]) == (200, True)
    assert (moved.status_code, moved.json["roles"]) == (200, ["member"])
    assert client.post(f"{own}/disable", headers=manager).status_code == 404
