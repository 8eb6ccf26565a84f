"""Log-in, sessions, passwords and tokens on a real database."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from booking.accounts import queries, rules, service
from booking.accounts.errors import ScopeMissing, SignInNeeded, WrongPassword
from booking.accounts.models import ApiToken, LoginSession, User
from booking.accounts.rules import Role, Scope
from booking.journal.models import JournalEntry
from booking.kernel import passwords
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotFound
from booking.kernel.passwords import digest, verify_password
from booking.notices.models import Notice
from booking.notices.rules import Kind
from tests.factories import caller_of, make_organisation, make_user

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

PASSWORD = "Lathe-7-quiet"
HERE = "192.0.2.7"


def log_in(login: str, password: str = PASSWORD, client: str = "Firefox"):
    return service.log_in(login, password, address=HERE, client=client, lasts=timedelta(hours=12))


def signed_in(user: User):
    """The caller of the user's new session."""
    return queries.caller_by_session(digest(log_in(user.email or user.mobile)[1]))


@pytest.mark.parametrize("login", ["Li@Example.cn ", "138 1234 5678", "+8613812345678"])
def test_log_in_takes_either_name_however_it_is_typed(login, session):
    user = make_user(email="li@example.cn", mobile="13812345678", password=PASSWORD)

    made, secret = log_in(login)

    assert queries.caller_by_session(digest(secret)).user_id == user.id
    assert secret not in (made.digest, *session.scalars(select(LoginSession.client)))
    assert session.scalars(select(JournalEntry.action)).all() == ["session.started"]


@pytest.mark.parametrize(
    ("given", "login", "password"),
    [
        pytest.param({}, "nobody@example.cn", PASSWORD, id="unknown-name"),
        pytest.param({}, "li@example.cn", "Lathe-7-loud", id="wrong-password"),
        pytest.param({"is_active": False}, "li@example.cn", PASSWORD, id="disabled"),
        pytest.param({"password": None}, "li@example.cn", PASSWORD, id="invited-only"),
    ],
)
def test_every_failed_log_in_gets_the_same_answer_for_the_same_work(
    given, login, password, monkeypatch
):
    make_user(**{"email": "li@example.cn", "password": PASSWORD} | given)
    verified = []
    real = passwords.verify_password
    monkeypatch.setattr(
        passwords, "verify_password", lambda *args: verified.append(1) or real(*args)
    )

    with pytest.raises(WrongPassword) as refused:
        log_in(login, password)

    assert (str(refused.value), len(verified)) == ("账号或密码不正确。", 1)


def test_a_hash_of_older_parameters_is_renewed_at_log_in():
    user = make_user(email="li@example.cn")
    user.password_hash = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)

    log_in("li@example.cn")

    assert not passwords.needs_rehash(user.password_hash)
    assert verify_password(user.password_hash, PASSWORD)


def test_guesses_at_one_name_are_slowed_down_and_success_forgives(now):
    make_user(email="li@example.cn", password=PASSWORD)
    waits = [service.admit_sign_in("li@example.cn", f"192.0.2.{n}") for n in range(6)]
    now.advance(minutes=1)
    again = service.admit_sign_in("LI@example.cn", HERE)
    log_in("li@example.cn")

    assert waits == [0] * 5 + [60]
    assert [again, *(service.admit_sign_in("li@example.cn", HERE) for _ in range(5))] == [0] * 6


@pytest.mark.parametrize(
    ("first", "second"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8::1", "2001:db8::ffff"), ("unix:", "unix:")],
)
def test_guesses_from_one_address_are_slowed_down_across_names(first, second):
    for number in range(rules.FREE_FAILURES_PER_ADDRESS):
        service.admit_sign_in(f"user{number}@example.cn", first)

    assert service.admit_sign_in("another@example.cn", second) == 60
    assert service.admit_sign_in("another@example.cn", "192.0.2.8") == 0
    assert service.admit_sign_in("another@example.cn", None) == 0


def test_a_session_ends_by_time(now):
    user = make_user(email="li@example.cn", password=PASSWORD)
    _, secret = log_in(user.email)
    now.advance(hours=12)

    assert queries.caller_by_session(digest(secret)) is None


def test_ending_a_session_ends_that_one_only():
    user = make_user(email="li@example.cn", password=PASSWORD)
    caller = signed_in(user)
    other, secret = log_in(user.email)

    service.end_session(other.id, caller=caller)

    assert queries.caller_by_session(digest(secret)) is None
    assert [s.id for s in queries.list_sessions(caller=caller, limit=9, cursor=None).items] == [
        caller.session_id
    ]
    with pytest.raises(NotFound):
        service.end_session(other.id, caller=caller)


def test_changing_the_password_ends_all_other_sessions_and_keeps_tokens():
    user = make_user(email="li@example.cn", password=PASSWORD)
    caller = signed_in(user)
    _, other = log_in(user.email)
    _, token = service.create_token(scopes=[Scope.READ], days=1, name="erp", caller=caller)

    service.change_password(PASSWORD, "Mill-8-noisy", caller=caller, address=HERE)

    assert queries.caller_by_session(digest(other)) is None
    assert queries.caller_by_token(digest(token)) is not None
    assert queries.list_sessions(caller=caller, limit=9, cursor=None).items
    with pytest.raises(WrongPassword):
        log_in(user.email)
    log_in(user.email, "Mill-8-noisy")
    warned = db.session.scalars(select(Notice).filter_by(kind=Kind.SECURITY)).one()
    assert (warned.subject_id, warned.facts["what"]) == (user.id, "password_changed")


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("Lathe-7-loud", "Mill-8-noisy", "current_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, "li@example.cn", "new_password"),
    ],
)
def test_changing_the_password_names_the_field_that_cannot_be_used(current, new, field):
    caller = signed_in(make_user(email="li@example.cn", password=PASSWORD))

    with pytest.raises(InvalidField) as refused:
        service.change_password(current, new, caller=caller, address=HERE)

    assert list(refused.value.details["errors"]) == [field]


def test_a_token_works_within_its_scopes_until_it_expires(now):
    firm = make_organisation()
    user = make_user(firm, Role.MANAGER, email="li@example.cn", password=PASSWORD)
    made, secret = service.create_token(
        scopes=[Scope.READ, Scope.RESERVATIONS], days=90, name="ERP", caller=signed_in(user)
    )

    holder = queries.caller_by_token(digest(secret))
    now.advance(days=90)

    assert holder.scopes == {Scope.READ, Scope.RESERVATIONS}
    assert holder.may(rules.Permission.RESERVE, firm.id)
    assert not holder.may(rules.Permission.MANAGE_ORGANISATION, firm.id)
    assert holder.token_id == made.id
    assert queries.caller_by_token(digest(secret)) is None


@pytest.mark.parametrize("days", [0, 367])
def test_a_token_lives_at_most_a_year(days):
    caller = signed_in(make_user(email="li@example.cn", password=PASSWORD))

    with pytest.raises(InvalidField):
        service.create_token(scopes=[Scope.READ], days=days, name="ERP", caller=caller)


def test_a_token_cannot_make_tokens_or_end_sessions_or_change_the_password():
    user = make_user(email="li@example.cn", password=PASSWORD)
    browser = signed_in(user)
    _, secret = service.create_token(scopes=list(Scope), days=1, name="ERP", caller=browser)
    other, _ = service.create_token(scopes=list(Scope), days=1, name="other", caller=browser)
    token = queries.caller_by_token(digest(secret))

    for attempt in (
        lambda: service.create_token(scopes=[Scope.READ], days=9, name="x", caller=token),
        lambda: service.revoke_token(other.id, caller=token),
        lambda: service.end_session(browser.session_id, caller=token),
        lambda: service.end_all_sessions(caller=token),
        lambda: service.change_password(PASSWORD, "Mill-8-noisy", caller=token, address=HERE),
    ):
        with pytest.raises(SignInNeeded):
            attempt()


def test_a_token_may_revoke_itself(session):
    user = make_user(email="li@example.cn", password=PASSWORD)
    made, secret = service.create_token(
        scopes=[Scope.READ], days=1, name="ERP", caller=signed_in(user)
    )

    service.revoke_token(made.id, caller=queries.caller_by_token(digest(secret)))
    service.revoke_token(made.id, caller=signed_in(user))  # again: nothing left to do

    assert queries.caller_by_token(digest(secret)) is None
    revoked = select(JournalEntry).where(JournalEntry.action == "token.revoked")
    assert len(session.scalars(revoked).all()) == 1


def test_a_session_of_fewer_scopes_makes_no_token_of_more():
    caller = caller_of(make_user(), scopes=frozenset({Scope.READ}), session_id=1)

    with pytest.raises(ScopeMissing):
        service.create_token(scopes=[Scope.ADMIN], days=1, name="ERP", caller=caller)


def test_disabling_somebody_shuts_every_door_at_once(session):
    user = make_user(email="li@example.cn", password=PASSWORD)
    browser, (_, cookie) = signed_in(user), log_in("li@example.cn")
    _, secret = service.create_token(scopes=[Scope.READ], days=1, name="ERP", caller=browser)

    service.disable_user("LI@example.cn", by=None)

    assert queries.caller_by_session(digest(cookie)) is None
    assert queries.caller_by_token(digest(secret)) is None
    assert all(session.scalars(select(ApiToken.revoked_at)))
    with pytest.raises(WrongPassword):
        log_in("li@example.cn")
    with pytest.raises(NotFound):
        service.disable_user("nobody@example.cn", by=None)


def test_sessions_that_ended_a_month_ago_are_forgotten(now, session):
    make_user(email="li@example.cn", password=PASSWORD)
    log_in("li@example.cn")
    now.advance(days=31)
    kept, _ = log_in("li@example.cn")

    assert service.forget_ended() == 1
    assert session.scalars(select(LoginSession.id)).all() == [kept.id]
