"""Commands for people's own data."""

import json
import sys
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from booking.kernel.commands import refusals
from booking.kernel.db import transaction
from booking.kernel.schema import rfc3339
from booking.subjects import service

# What stays, and on what ground; the account behind it has a pseudonym from then on.
KEPT: dict[str, str] = {
    "authorisations": "上机授权说明谁操作过仪器，随用机记录保存",
    "waiting_list": "候补记录说明时段按什么先后给了谁",
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
        data = service.collect(login)
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
        erased = service.forget(login, reason)
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
