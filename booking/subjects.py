"""A person's own data: handed out whole, or forgotten as far as the law lets go (domain §8)."""

import json
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from booking.accounts import queries as accounts
from booking.accounts import service as accounts_service
from booking.accounts.models import User
from booking.calendars import queries as calendars
from booking.calendars import service as calendars_service
from booking.journal import queries as journal
from booking.kernel import clock, idempotency
from booking.kernel.commands import refusals
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.names import login_name
from booking.kernel.schema import rfc3339
from booking.kernel.text import N_
from booking.notices import queries as notices
from booking.notices import service as notices_service
from booking.reservations import queries as reservations

FORMAT = "booking-subject-1"
# What stays, and on what ground; the account behind it has a pseudonym from then on.
KEPT: dict[str, str] = {
    "reservations": "结算和用机记录属于单位，按会计档案和检测记录的年限保存",
    "memberships": "谁在何时代表单位，属于单位的记录",
    "declarations": "企业规模声明是适用价格的依据",
    "journal_entries": "操作日志只记编号，按网络安全法至少保存六个月，不可更改",
}
READ_ME = """\
这是仪器共享平台保存的、与您有关的全部数据。每个文件一类，内容为 JSON（UTF-8），时间为 UTC。
journal.json 是您办理过的事项；notices.json 是发给您的通知。
口令、令牌和验证码只以摘要保存，不在其中。

These are all data the instrument sharing platform keeps about you, one kind in each file, as
JSON (UTF-8) with times in UTC. Passwords, tokens and codes are kept as digests only and left out.
"""


@dataclass(frozen=True)
class Erased:
    """What went, and what is kept under the pseudonym."""

    pseudonym: str
    gone: dict[str, int]
    kept: dict[str, int]


def collect(login: str) -> dict[str, Any]:
    """Return everything that is kept of the person, by kind; raises NotFound. Journalled."""
    user = _known(login)
    data = accounts.personal_data(user) | {
        "calendar_feeds": calendars.personal_data(user.id),
        "notices": notices.personal_data(user.id),
        "reservations": reservations.personal_data(user.id),
        "journal": journal.by_person(user.id),
    }
    accounts_service.record_export(user)
    return {"format": FORMAT, "exported_at": clock.now(), **data}


def forget(login: str, reason: str) -> Erased:
    """Forget the person as far as the law lets go; raises NotFound, AlreadyErased, LastManager."""
    user = _known(login)
    name = user.name
    kept = {
        "reservations": reservations.count_of(user.id),
        "memberships": accounts.count_memberships(user.id),
        "declarations": accounts.count_declarations(user.id),
        "journal_entries": journal.count_by(user.id),
    }
    gone = accounts_service.erase_person(user)
    gone |= calendars_service.forget_person(user.id, reservations.ids_of(user.id))
    invited = journal.subjects_of(user.id, "user.invited")
    gone |= notices_service.forget_person(
        user.id, name, user.name, reservations=reservations.ids_of(user.id), invited=invited
    )
    gone["stored_answers"] = idempotency.forget_answers_of(str(user.id))
    accounts_service.record_erasure(user, reason, kept=kept, gone=gone)
    return Erased(user.name, gone, kept)


def _known(login: str) -> User:
    user = accounts.user_by_login(login_name(login))
    if user is None:
        raise NotFound(N_("没有账号使用“%(login)s”。", login=login))
    return user


@click.group("subjects")
def cli() -> None:
    """Commands for people's own data."""


@cli.group("subject")
def subject() -> None:
    """个人信息：按本人申请导出或删除（个人信息保护法）。"""


@subject.command("export")
@click.argument("login", metavar="EMAIL")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="写入文件；以 .zip 结尾则每类数据一个文件，否则为一个 JSON。不给出则写到标准输出。",
)
@with_appcontext
def export(login: str, output: Path | None) -> None:
    """导出本人的全部数据；口令、令牌只有摘要，不在其中。"""
    with refusals(), transaction():
        data = collect(login)
    if output is None:
        click.echo(_written(data))
    elif output.suffix.lower() == ".zip":
        _zip(data, output)
    else:
        _private(output, lambda path: path.write_text(_written(data) + "\n", encoding="utf-8"))
    if output is not None:
        click.echo(f"已导出到 {output}，请安全地交给本人。", err=True)


@subject.command("erase")
@click.argument("login", metavar="EMAIL")
@click.option("--reason", default="本人申请", show_default=True, help="依据，记入日志。")
@click.option("--yes", is_flag=True, help="不再询问。")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出。")
@with_appcontext
def erase(login: str, reason: str, yes: bool, as_json: bool) -> None:
    """删除个人信息；依法须留的记录改用化名，并说明理由。不能撤销。"""
    if not yes and sys.stdin.isatty():
        click.confirm(f"将永久删除 {login} 的个人信息，不能撤销。继续吗？", abort=True)
    with refusals(), transaction():
        erased = forget(login, reason)
    if as_json:
        reasons = {kind: {"count": n, "reason": KEPT[kind]} for kind, n in erased.kept.items()}
        answer = {"pseudonym": erased.pseudonym, "gone": erased.gone, "kept": reasons}
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(f"已删除，今后显示为“{erased.pseudonym}”。")
    for kind, count in erased.kept.items():
        if count:
            click.echo(f"保留 {kind} {count} 条（化名）：{KEPT[kind]}。")
    click.echo("此前的备份仍含原数据，按备份的保存期限清除。")


def _zip(data: dict[str, Any], output: Path) -> None:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("README.txt", READ_ME)
            for kind, found in data.items():
                if kind not in {"format", "exported_at"}:
                    archive.writestr(f"{kind}.json", _written(found) + "\n")

    _private(output, write)


def _private(output: Path, write: Callable[[Path], object]) -> None:
    """Make the file readable by its owner alone before anything stands in it."""
    try:
        output.touch(mode=0o600)
        output.chmod(0o600)
        write(output)
    except OSError as error:
        raise click.ClickException(f"{output} 无法写入：{error.strerror}。") from error


def _written(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no plain form")
