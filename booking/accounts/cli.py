"""Commands for accounts: administrators, tokens, shutting somebody out."""

import json
import secrets
import sys

import click
from flask.cli import with_appcontext

from booking.accounts import queries, service
from booking.accounts.models import User
from booking.accounts.rules import DEFAULT_TOKEN_DAYS, LONGEST_TOKEN_DAYS, Scope
from booking.accounts.service import NewPerson
from booking.kernel.commands import refusals
from booking.kernel.db import transaction
from booking.kernel.names import login_name
from booking.kernel.schema import rfc3339


@click.group("accounts")
def cli() -> None:
    """Commands for accounts."""


@cli.group("admin")
def admin() -> None:
    """平台管理员。"""


@admin.command("create")
@click.argument("email")
@click.option("--name", default="平台管理员", show_default=True, help="姓名。")
@click.option("--password-stdin", is_flag=True, help="从标准输入读取密码（一行）。")
@click.option("--generate", is_flag=True, help="生成密码，并打印一次。")
@with_appcontext
def create_admin(email: str, name: str, password_stdin: bool, generate: bool) -> None:
    """新建平台管理员；账号已存在时只加上管理员角色，密码不变。"""
    if password_stdin and generate:
        raise click.UsageError("--password-stdin 和 --generate 只能选一个。")
    known = queries.user_by_login(login_name(email)) is not None
    password = None if known else _password(password_stdin, generate)
    with refusals(), transaction():
        user = service.make_admin(NewPerson(name=name, email=email, password=password))
    click.echo(f"{user.email} 现在是平台管理员。", err=True)
    if generate and password:
        click.echo(password)


def _password(from_stdin: bool, generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(15)
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("密码（至少 10 位）", hide_input=True, confirmation_prompt="再输一次"))


@cli.group("token")
def token() -> None:
    """API 令牌。"""


@token.command("create")
@click.option("--user", "login", required=True, metavar="EMAIL", help="令牌属于谁：邮箱或手机号。")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="允许的范围，可多次给出；不给出则全部（仍以其角色为限）。",
)
@click.option(
    "--expires",
    "days",
    default=DEFAULT_TOKEN_DAYS,
    show_default=True,
    type=click.IntRange(1, LONGEST_TOKEN_DAYS),
    metavar="DAYS",
    help="有效天数。",
)
@click.option("--name", default="booking token create", show_default=True, help="便于辨认的名称。")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出。")
@with_appcontext
def create_token(login: str, scopes: tuple[str, ...], days: int, name: str, as_json: bool) -> None:
    """签发令牌，只打印这一次；标准输出上只有令牌本身。"""
    wanted = [Scope(scope) for scope in scopes] or list(Scope)
    with refusals(), transaction():
        user = _active_user(login)
        made, secret = service.issue_token(user.id, scopes=wanted, days=days, name=name, by=None)
    if not as_json:
        click.echo(secret)
        return
    expires_at = rfc3339(made.expires_at)
    answer = {"token": secret, "id": made.id, "scopes": made.scopes, "expires_at": expires_at}
    click.echo(json.dumps(answer, ensure_ascii=False))


@cli.group("user")
def user() -> None:
    """账号。"""


@user.command("disable")
@click.argument("login", metavar="EMAIL")
@with_appcontext
def disable_user(login: str) -> None:
    """立即停用账号：会话结束，令牌吊销。"""
    with refusals(), transaction():
        service.disable_user(login, by=None)
    click.echo(f"{login} 已停用，其会话已结束，令牌已吊销。", err=True)


@user.command("invite")
@click.argument("login", metavar="EMAIL")
@with_appcontext
def invite_user(login: str) -> None:
    """为忘记密码的人生成邀请，只打印这一次；对方用它设置新密码。"""
    with refusals(), transaction():
        secret = service.invite(_active_user(login), by=None)
    click.echo(secret)


@user.command("reset-second-factor")
@click.argument("login", metavar="EMAIL")
@click.option("--reason", required=True, help="原因，记入日志，例如怎样核实了本人身份。")
@with_appcontext
def reset_second_factor(login: str, reason: str) -> None:
    """重置两步验证，并退出其所有设备；供唯一的平台管理员丢失手机时使用。"""
    with refusals(), transaction():
        service.reset_factor_of(login, reason)
    click.echo(f"{login} 的两步验证已重置，下次登录时重新设置。", err=True)


def _active_user(login: str) -> User:
    found = queries.user_by_login(login_name(login))
    if found is None or not found.is_active:
        raise click.ClickException(f"没有账号使用“{login}”，或该账号已停用。")
    return found
