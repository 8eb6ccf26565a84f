"""Commands as an operator types them."""

import json

import pytest
from click.testing import CliRunner, Result
from flask.cli import ScriptInfo
from sqlalchemy import select

from booking.accounts import queries
from booking.accounts.cli import cli
from booking.accounts.models import Membership, User
from booking.accounts.queries import caller_by_token
from booking.accounts.rules import Role, Scope
from booking.kernel.passwords import digest, verify_password
from tests.accounts.world import set_up
from tests.factories import make_user

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def booking(app):
    def run(*words: str, **given) -> Result:
        command = cli.commands[words[0]]
        return CliRunner().invoke(
            command, words[1:], obj=ScriptInfo(create_app=lambda: app), **given
        )

    return run


def test_admin_create_generates_a_password_and_prints_it_alone(booking, session):
    done = booking("admin", "create", "Admin@example.cn", "--generate")

    user = session.scalars(select(User)).one()
    assert done.exit_code == 0
    assert verify_password(user.password_hash, done.stdout.strip())
    assert session.scalars(select(Membership.role)).all() == [Role.ADMIN]


@pytest.mark.parametrize(
    ("options", "typed"),
    [(["--password-stdin"], "Lathe-7-quiet\n"), ([], "Lathe-7-quiet\nLathe-7-quiet\n")],
)
def test_admin_create_takes_the_password_from_input_and_does_not_show_it(
    booking, session, options, typed
):
    done = booking("admin", "create", "admin@example.cn", *options, input=typed)

    assert done.exit_code == 0
    assert verify_password(session.scalars(select(User)).one().password_hash, "Lathe-7-quiet")
    assert "Lathe" not in done.output


def test_admin_create_makes_an_admin_of_somebody_known_and_keeps_the_password(booking, session):
    user = make_user(email="li@example.cn", password="Lathe-7-quiet")

    done = booking("admin", "create", "LI@example.cn")

    assert done.exit_code == 0
    assert verify_password(user.password_hash, "Lathe-7-quiet")
    assert session.scalars(select(Membership.user_id)).all() == [user.id]


@pytest.mark.parametrize(
    ("words", "typed", "code", "said"),
    [
        (["admin", "create", "nonsense", "--generate"], "", 1, "邮箱地址不正确"),
        (["admin", "create", "a@b.cn", "--password-stdin"], "short\n", 1, "密码至少 10 位"),
        (["admin", "create", "a@b.cn", "--generate", "--password-stdin"], "", 2, "只能选一个"),
        (["token", "create", "--user", "nobody@example.cn"], "", 1, "没有账号使用"),
        (["token", "create", "--user", "a@b.cn", "--scope", "everything"], "", 2, "everything"),
        (["token", "create", "--user", "a@b.cn", "--expires", "367"], "", 2, "367"),
        (["user", "disable", "nobody@example.cn"], "", 1, "没有账号使用"),
        (["user", "invite", "nobody@example.cn"], "", 1, "没有账号使用"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_an_exit_code(booking, words, typed, code, said):
    done = booking(*words, input=typed)

    assert (done.exit_code, said in done.stderr, done.stdout) == (code, True, "")


def test_token_create_prints_the_token_alone(booking):
    user = make_user(email="li@example.cn")

    done = booking("token", "create", "--user", "li@example.cn")

    holder = caller_by_token(digest(done.stdout.strip()))
    assert (holder.user_id, holder.scopes) == (user.id, frozenset(Scope))


def test_token_create_limits_scopes_and_time_and_answers_machines(booking):
    make_user(email="li@example.cn")

    done = booking(
        "token", "create", "--user", "li@example.cn", "--scope", "read", "--scope",
        "reservations", "--expires", "7", "--name", "ERP", "--json",
    )  # fmt: skip

    answer = json.loads(done.stdout)
    assert (answer["scopes"], answer["expires_at"]) == (
        ["read", "reservations"],
        "2026-11-30T01:00:00Z",
    )
    assert caller_by_token(digest(answer["token"])).scopes == {Scope.READ, Scope.RESERVATIONS}


def test_user_disable_shuts_out_and_gives_no_more_tokens(booking):
    user = make_user(email="li@example.cn", password="Lathe-7-quiet")

    done = booking("user", "disable", "li@example.cn")

    assert (done.exit_code, user.is_active) == (0, False)
    assert booking("token", "create", "--user", "li@example.cn").exit_code == 1
    assert booking("admin", "create", "li@example.cn").exit_code == 1


def test_user_invite_lets_somebody_set_a_forgotten_password(booking):
    user = make_user(email="li@example.cn", password="Lathe-7-quiet")

    done = booking("user", "invite", "li@example.cn")

    assert user.invitation_digest == digest(done.stdout.strip())


def test_user_reset_second_factor_needs_a_reason_and_says_what_it_did(booking, session):
    user = make_user(email="li@example.cn")
    set_up(user.id)

    without = booking("user", "reset-second-factor", "li@example.cn")
    done = booking(
        "user", "reset-second-factor", "li@example.cn", "--reason", "手机丢失，已当面核实"
    )

    assert without.exit_code == 2
    assert (done.exit_code, "已重置" in done.stderr) == (0, True)
    assert not queries.has_factor(user.id)
