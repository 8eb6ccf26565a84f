"""Tables in and out as an operator types them."""

import csv
import json

import pytest
from click.testing import CliRunner, Result
from flask.cli import ScriptInfo
from sqlalchemy import func, select

from booking.registry.cli import cli
from booking.registry.models import Instrument
from tests.factories import make_institution, make_organisation

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]


@pytest.fixture
def booking(app):
    def run(*words: object) -> Result:
        first, *rest = map(str, words)
        command = cli.commands[first]
        return CliRunner().invoke(command, rest, obj=ScriptInfo(create_app=lambda: app))

    return run


@pytest.fixture
def institution():
    return make_institution(name="湖南省计量检测研究院")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(f"ID,Name,Photo\nA-1,电子天平,a.jpg\nA-2,{'试' * 120},\n")
    return path


def counted(session):
    return session.scalar(select(func.count()).select_from(Instrument))


def test_import_shows_the_columns_and_what_was_done(booking, session, institution, table):
    done = booking("import", "instruments", table, "--institution", institution.uscc)

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "table.csv → 湖南省计量检测研究院（utf-8，UNIQUIP）",
        "列的对应：ID → 所属单位仪器编号，Name → 仪器设备名称",
        "未用的列（随原始行保留）：Photo",
        "提示 1 处：",
        "  第 3 行 Name：共 120 字，超过 100 字，已截短显示，原文保留。",
        "共 2 行：新增 2，更改 0，未变 0，新增的已公开。",
    ]
    assert counted(session) == 2


def test_a_dry_run_says_so_and_writes_nothing(booking, session, institution, table):
    done = booking("import", "instruments", table, "--institution", institution.uscc, "--dry-run")

    assert done.exit_code == 0
    assert done.stdout.endswith("共 2 行：将新增 2，更改 0，未变 0。这是检查，没有写入。\n")
    assert counted(session) == 0


def test_errors_are_named_and_end_with_1(booking, session, institution, table, tmp_path):
    table.write_text("ID,Name\nA-1,天平\nA-1,\n")
    report = tmp_path / "report.csv"

    done = booking(
        "import", "instruments", table, "--institution", institution.uscc, "--report", report
    )

    assert done.exit_code == 1
    assert "  第 3 行 Name：请填写此项。" in done.stdout
    assert "没有写入任何一行" in done.stdout
    assert counted(session) == 0
    with report.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["行", "列", "类别", "原因"],
            ["3", "Name", "错误", "请填写此项。"],
            ["3", "ID", "错误", "编号与第 2 行重复。"],
        ]


def test_only_the_first_findings_are_shown(booking, institution, table):
    table.write_text("ID,Name\n" + "".join(f"A-{n},\n" for n in range(50)))

    done = booking("import", "instruments", table, "--institution", institution.uscc)

    assert "错误 50 处：" in done.stdout
    assert done.stdout.count("请填写此项。") == 20
    assert "--report" in done.stdout


def test_a_machine_can_read_the_answer(booking, institution, table):
    done = booking("import", "instruments", table, "--institution", institution.uscc, "--json")

    answer = json.loads(done.stdout)
    assert (answer["written"], answer["created"], answer["warnings"]) == (True, 2, 1)
    assert answer["columns"] == {"ID": "inner_id", "Name": "name", "Photo": None}
    assert [finding["kind"] for finding in answer["findings"]] == ["warning"]


@pytest.mark.parametrize(
    ("uscc", "reason"),
    [
        ("91350100M000100Y43", "没有统一社会信用代码为 91350100M000100Y43 的单位"),
        ("123", "应为 18 位"),
    ],
)
def test_an_unknown_institution_is_refused(booking, table, uscc, reason):
    done = booking("import", "instruments", table, "--institution", uscc)

    assert done.exit_code == 1
    assert reason in done.output


def test_an_enterprise_has_no_instruments(booking, table):
    firm = make_organisation(name="长沙精工机械有限公司")

    done = booking("import", "instruments", table, "--institution", firm.uscc)

    assert done.exit_code == 1
    assert "长沙精工机械有限公司 不是检验检测机构" in done.output


def test_a_file_that_is_not_there_is_named(booking, institution, tmp_path):
    done = booking("import", "instruments", tmp_path / "no.csv", "--institution", institution.uscc)

    assert done.exit_code == 1
    assert "没有找到文件" in done.output


def test_export_writes_what_import_takes(booking, institution, table, tmp_path):
    booking("import", "instruments", table, "--institution", institution.uscc)
    out = tmp_path / "out.csv"

    done = booking("export", "instruments", "--institution", institution.uscc, "-o", out)

    assert (done.exit_code, done.stderr) == (0, "已导出 2 台仪器。\n")
    again = booking("import", "instruments", out, "--institution", institution.uscc)
    assert "新增 0，更改 0，未变 2" in again.stdout


def test_export_goes_to_standard_output_without_a_file(booking, institution, table):
    booking("import", "instruments", table, "--institution", institution.uscc)

    done = booking(
        "export", "instruments", "--institution", institution.uscc, "--format", "uniquip"
    )

    assert done.stdout.splitlines()[1].startswith(",A-1,电子天平,")
