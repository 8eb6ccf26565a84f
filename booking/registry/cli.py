"""Commands for the registry: tables of instruments in and out."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from flask.cli import with_appcontext

from booking.accounts import queries as accounts
from booking.accounts.models import Organisation
from booking.accounts.rules import OrganisationKind
from booking.kernel.commands import refusals
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.names import clean_uscc
from booking.kernel.workbooks import write_workbook
from booking.registry import service
from booking.registry.gateway import table_at, write_table
from booking.registry.service.formats import FORMATS, LABELS
from booking.registry.service.rows import Finding

SHOWN = 20
_FILE = click.Path(path_type=Path)
_INSTITUTION = click.option(
    "--institution", "uscc", required=True, metavar="USCC", help="机构的统一社会信用代码。"
)


@click.group("registry")
def cli() -> None:
    """Commands for registry."""


@cli.group("import")
def import_group() -> None:
    """导入数据。"""


@import_group.command("instruments")
@click.argument("file", type=_FILE)
@_INSTITUTION
@click.option(
    "--format",
    "key",
    type=click.Choice(["auto", *FORMATS]),
    default="auto",
    show_default=True,
    help="表格格式：按列名自动识别，或指定。",
)
@click.option("--dry-run", is_flag=True, help="只检查并报告，不写入。")
@click.option("--report", "report_file", type=_FILE, help="把全部问题写入这个 CSV 文件。")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出结果。")
@with_appcontext
def import_instruments(
    file: Path, uscc: str, key: str, report_file: Path | None, *, dry_run: bool, as_json: bool
) -> None:
    """从 CSV 或 XLSX 导入仪器：全部写入，或者一行都不写入。

    以机构内部编号识别同一台仪器，重复导入同一文件不会产生变化。
    """
    with refusals(), transaction(), table_at(file) as table:
        institution = _institution(uscc)
        with click.progressbar(
            length=table.count,
            label="读取",
            file=sys.stderr,
            hidden=not _is_watched(as_json=as_json),
        ) as bar:
            report = service.import_instruments(
                institution,
                table,
                format_=FORMATS.get(key),
                dry_run=dry_run,
                progress=bar.update,
            )
        name = institution.name
    if report_file is not None:
        _write_findings(report_file, report.findings)
    if as_json:
        click.echo(json.dumps(_as_json(report, dry_run=dry_run), ensure_ascii=False))
    else:
        click.echo(f"{file.name} → {name}（{table.kind}，{report.format.title}）")
        for line in _told(report, dry_run=dry_run):
            click.echo(line)
    if report.errors:
        raise SystemExit(1)


@cli.group("export")
def export_group() -> None:
    """导出数据。"""


@export_group.command("instruments")
@_INSTITUTION
@click.option(
    "--format", "key", type=click.Choice(list(FORMATS)), default="nrii", show_default=True
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default="-",
    help="写入文件；名称以 .xlsx 结尾的写成 Excel 工作簿，其余为 CSV。",
)
@with_appcontext
def export_instruments(uscc: str, key: str, output: Path) -> None:
    """把机构的全部仪器导出为 CSV 或 XLSX，可原样再导入。"""
    format_ = FORMATS[key]
    with refusals(), transaction():
        institution = _institution(uscc)
        rows = service.export_instruments(institution.id, format_)
        count = _write(output, [column.heading for column in format_.columns], rows)
    click.echo(f"已导出 {count} 台仪器。", err=True)


def _write(output: Path, header: list[str], rows: Iterator[list[str]]) -> int:
    try:
        if output.suffix.lower() == ".xlsx":
            with output.open("wb") as workbook:
                return write_workbook(workbook, "仪器", header, rows)
        with click.open_file(str(output), "w", encoding="utf-8") as file:
            return write_table(file, header, rows)
    except OSError as exc:
        raise click.ClickException(f"无法写入“{output}”：{exc.strerror}。") from exc


def _is_watched(*, as_json: bool) -> bool:
    return not as_json and sys.stderr.isatty()


def _institution(uscc: str) -> Organisation:
    try:
        found = accounts.organisation_by_uscc(clean_uscc(uscc))
    except NotFound:
        raise click.ClickException(f"没有统一社会信用代码为 {uscc} 的单位，请先注册。") from None
    if found.kind is not OrganisationKind.INSTITUTION:
        raise click.ClickException(f"{found.name} 不是检验检测机构，不能登记仪器。")
    return found


def _told(report: service.Report, *, dry_run: bool) -> Iterator[str]:
    """Yield the report for people: columns, figures, what is wrong where, what was done."""
    used = [f"{heading} → {LABELS[name]}" for heading, name in report.mapping if name]
    unused = [heading for heading, name in report.mapping if not name and heading]
    yield "列的对应：" + "，".join(used)
    if unused:
        yield "未用的列（随原始行保留）：" + "，".join(unused)
    for is_error, title in ((True, "错误"), (False, "提示")):
        found = [each for each in report.findings if each.is_error is is_error]
        if not found:
            continue
        yield f"{title} {report.errors if is_error else report.warnings} 处："
        yield from (f"  第 {f.row} 行 {f.column or '（行）'}：{f.reason}" for f in found[:SHOWN])
        if len(found) > SHOWN:
            yield "  …… 其余用 --report 文件名.csv 查看"
    yield _outcome(report, dry_run=dry_run)


def _outcome(report: service.Report, *, dry_run: bool) -> str:
    if report.errors:
        return f"共 {report.rows} 行，没有写入任何一行。请改正上面的错误后重新导入。"
    figures = f"新增 {report.created}，更改 {report.changed}，未变 {report.unchanged}"
    if dry_run:
        return f"共 {report.rows} 行：将{figures}。这是检查，没有写入。"
    shown = "，新增的已公开" if report.publishes else "，机构尚未核验，新增的为草稿"
    return f"共 {report.rows} 行：{figures}{shown if report.created else ''}。"


def _as_json(report: service.Report, *, dry_run: bool) -> dict[str, object]:
    return {
        "format": report.format.key,
        "dry_run": dry_run,
        "written": not (dry_run or report.errors),
        "columns": dict(report.mapping),
        **{
            name: getattr(report, name)
            for name in ("rows", "created", "changed", "unchanged", "errors", "warnings")
        },
        "findings": [
            {
                "row": each.row,
                "column": each.column,
                "reason": str(each.reason),
                "kind": "error" if each.is_error else "warning",
            }
            for each in report.findings
        ],
    }


def _write_findings(path: Path, findings: list[Finding]) -> None:
    rows = (
        (str(each.row), each.column, "错误" if each.is_error else "提示", str(each.reason))
        for each in findings
    )
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            write_table(file, ["行", "列", "类别", "原因"], rows)
    except OSError as exc:
        raise click.ClickException(f"无法写入“{path}”：{exc.strerror}。") from exc
