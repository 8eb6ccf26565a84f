"""Instruments in and out in the browser: upload, columns, rehearsal, all rows or none, export."""

import csv
import io
import re

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from booking.accounts.rules import Role
from booking.console import jobs, service
from booking.console.models import ImportState, InstrumentImport
from booking.registry.models import Instrument, Publication
from tests.factories import make_institution, make_instrument, make_user, sign_in

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("session")]

ADDRESS = "/institution/imports"
HEADER = ["所属单位仪器编号", "仪器设备名称", "规格型号", "原值(万元)", "海关监管"]


@pytest.fixture
def institution():
    return make_institution()


@pytest.fixture
def manager(client, institution):
    user = make_user(institution, Role.MANAGER)
    sign_in(client, user)
    return user


def workbook(*rows, title=None):
    book = Workbook()
    if title:
        book.active.append([title])
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def token_of(page):
    return re.search(r'name="form_token"\s+value="([^"]+)"', page.text)[1]


def upload(client, content, name="仪器.xlsx"):
    data = {"form_token": token_of(client.get(ADDRESS)), "file": (io.BytesIO(content), name)}
    answer = client.post(ADDRESS, data=data)
    answer.request.environ["wsgi.input"].close()  # the client keeps large bodies in a file
    return answer


def press(client, page, action, **given):
    data = {"form_token": token_of(client.get(page))} | given
    return client.post(f"{page}/{action}", data=data)


def count(session):
    return session.scalar(select(func.count()).select_from(Instrument))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(workbook(HEADER, ["A1", "光谱仪", "X", 52.8, "是"]), id="xlsx"),
        pytest.param(
            workbook(HEADER, ["A1", "光谱仪", "X", 52.8, "是"], title="单台套仪器"), id="titled"
        ),
        pytest.param(("﻿" + ",".join(HEADER) + "\nA1,光谱仪,X,52.80,是\n").encode(), id="bom"),
        pytest.param((",".join(HEADER) + "\nA1,光谱仪,X,52.80,是\n").encode("gbk"), id="gbk"),
    ],
)
def test_a_table_is_rehearsed_and_then_imported(client, session, manager, content):
    answer = upload(client, content)
    page = client.get(answer.headers["Location"])

    assert answer.status_code == 303
    assert "检查通过，还没有写入" in page.text
    assert count(session) == 0
    done = press(client, answer.headers["Location"], "run")
    assert done.status_code == 303
    assert "已导入：新增 1 台，更改 0 台，未变 0 台。" in client.get(done.headers["Location"]).text
    instrument = session.scalars(select(Instrument)).one()
    assert (instrument.name, str(instrument.worth_wan)) == ("光谱仪", "52.80")
    assert instrument.customs_supervised
    assert instrument.publication is Publication.PUBLISHED
    assert session.scalars(select(InstrumentImport)).one().state is ImportState.DONE


def test_with_one_bad_row_none_is_imported_and_each_is_named(client, session, manager):
    rows = [
        ["A1", "光谱仪", "", 1, "否"],
        ["A1", "又一台", "", 1, "否"],
        ["A3", "", "", "贵", "也许"],
        ["=1+1", "换\r\n行", "", 1, "否"],
    ]
    answer = upload(client, workbook(HEADER, *rows))
    place = answer.headers["Location"]
    page = client.get(place).text

    assert "处错误，一行都没有写入" in page
    for reason in ("编号与第 2 行重复。", "请填写此项。", "应为数字", "“也许”不在可选范围内"):
        assert reason in page
    assert "全部导入" not in page
    assert press(client, place, "run").status_code == 409
    assert count(session) == 0


def test_the_report_is_a_table_that_runs_nothing(client, manager):
    answer = upload(client, workbook([*HEADER, '=cmd|" /C calc"!A0'], ["A1", "", "", "", "", "x"]))
    report = client.get(f"{answer.headers['Location']}/findings.csv")

    rows = list(csv.reader(io.StringIO(report.text.removeprefix("﻿"))))
    assert report.headers["Content-Disposition"].startswith("attachment")
    assert rows[0] == ["行", "列", "类别", "原因"]
    assert ["2", "仪器设备名称", "错误", "请填写此项。"] in rows
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]


def test_columns_of_other_names_are_chosen_by_hand(client, session, manager):
    answer = upload(client, workbook(["资产号", "品名称", "备注"], ["A1", "光谱仪", "新购"]))
    place = answer.headers["Location"]

    page = client.get(place).text
    again = press(
        client, place, "columns", **{"format": "nrii", "column-0": "inner_id", "column-1": "name"}
    )
    twice = press(
        client, place, "columns", **{"format": "nrii", "column-0": "name", "column-1": "name"}
    )

    assert "还没有指定这些项对应哪一列：所属单位仪器编号、仪器设备名称。" in page
    assert again.status_code == twice.status_code == 303
    assert "还没有指定这些项" in client.get(place).text
    press(
        client, place, "columns", **{"format": "nrii", "column-0": "inner_id", "column-1": "name"}
    )
    press(client, place, "run")
    instrument = session.scalars(select(Instrument)).one()
    assert (instrument.inner_id, instrument.name) == ("A1", "光谱仪")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "0 字节", id="zero-byte"),
        pytest.param(b"\xd0\xcf\x11\xe0" + bytes(100), "旧版", id="xls"),
        pytest.param(b"PK\x03\x04" + bytes(100), "已损坏", id="broken"),
        pytest.param(bytes(range(256)), "编码", id="binary"),
        pytest.param(b"ID,Name\n", "没有内容", id="headings alone"),
        pytest.param(b"a" * (20 * 2**20 + 1), "20 MB", id="too large"),
    ],
)
def test_what_is_no_table_is_refused_beside_the_field(client, session, manager, content, reason):
    answer = upload(client, content)

    assert answer.status_code == 422
    assert reason in answer.text
    assert 'href="#f-file"' in answer.text
    assert session.scalar(select(func.count()).select_from(InstrumentImport)) == 0


def test_without_a_file_it_asks_for_one(client, manager):
    answer = client.post(ADDRESS, data={"form_token": token_of(client.get(ADDRESS))})

    assert answer.status_code == 422
    assert "请选择要导入的文件。" in answer.text


def test_large_tables_are_left_to_the_worker(client, session, manager, monkeypatch):
    monkeypatch.setattr(service, "AT_ONCE", 1)
    answer = upload(client, workbook(HEADER, ["A1", "光谱仪"], ["A2", "质谱仪"]))
    place = answer.headers["Location"]

    assert "正在检查" in client.get(place).text
    assert jobs.run_imports() == "导入 1 份"
    assert "检查通过" in client.get(place).text
    press(client, place, "run")
    assert "正在导入" in client.get(place).text
    assert count(session) == 0
    jobs.run_imports()
    assert count(session) == 2
    assert jobs.run_imports() == "导入 0 份"


def test_a_claim_that_was_lost_is_taken_again(client, session, manager, now, monkeypatch):
    monkeypatch.setattr(service, "AT_ONCE", 0)
    upload(client, workbook(HEADER, ["A1", "光谱仪"]))

    first = service.claim()
    assert service.claim() is None
    now.advance(minutes=3)
    assert service.claim() == first


def test_files_nobody_finished_are_let_go_after_a_week(client, session, manager, now):
    answer = upload(client, workbook(HEADER, ["A1", "光谱仪"]))
    now.advance(days=8)

    assert jobs.forget_imports() == "清理导入文件 1 份"
    sign_in(client, manager)
    session.expire_all()
    assert "已过期清理" in client.get(answer.headers["Location"]).text


def test_others_neither_see_nor_run_it(client, institution, manager):
    place = upload(client, workbook(HEADER, ["A1", "光谱仪"])).headers["Location"]
    for stranger in (
        make_user(make_institution(), Role.MANAGER),
        make_user(institution, Role.OPERATOR),
    ):
        sign_in(client, stranger)
        assert client.get(place).status_code == 404
        assert client.get(f"{place}/findings.csv").status_code == 404


@pytest.mark.parametrize("key", ["nrii", "uniquip"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_is_exported_can_be_imported_unchanged(
    client, session, institution, manager, key, kind
):
    make_instrument(institution=institution, name="=光谱仪", inner_id="A-1", model="+X")

    file = client.get(f"/institution/instruments.{kind}?format={key}")
    place = upload(client, file.data, f"a.{kind}").headers["Location"]
    press(client, place, "run")

    assert file.headers["Content-Disposition"].startswith("attachment")
    instrument = session.scalars(select(Instrument)).one()
    session.refresh(instrument)
    assert instrument.name == "=光谱仪"
    assert "已导入" in client.get(place).text


def test_an_exported_workbook_holds_no_formula(client, institution, manager):
    make_instrument(institution=institution, name="=1+1")

    file = client.get("/institution/instruments.xlsx")

    sheet = load_workbook(io.BytesIO(file.data)).active
    assert {cell.data_type for row in sheet for cell in row} <= {"s", "n", "inlineStr"}


def test_an_empty_table_has_the_headings_alone(client, institution, manager):
    make_instrument(institution=institution)

    file = client.get("/institution/instruments.csv?format=nrii&blank=1")

    [headings] = csv.reader(io.StringIO(file.data.decode("utf-8-sig")))
    assert headings[:2] == ["所属单位仪器编号", "仪器设备名称"]


def test_unknown_kinds_of_tables_are_not_found(client, manager):
    assert client.get("/institution/instruments.pdf").status_code == 404
    assert client.get("/institution/instruments.csv?format=x").status_code == 404
