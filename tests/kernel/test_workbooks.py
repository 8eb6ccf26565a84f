"""Workbooks: what people type comes back as text; what was built to do harm is refused quickly."""

import contextlib
import time
import tracemalloc
from datetime import date, datetime
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from booking.kernel import workbooks
from booking.kernel.errors import UnreadableFile
from booking.kernel.workbooks import open_workbook, write_workbook

NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
FIRST = "xl/worksheets/sheet1.xml"


def saved(folder, *rows, name="表.xlsx"):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / name)
    return folder / name


def changed(folder, part, content, *, name="changed.xlsx"):
    """A good workbook with one part put in place of another; content may be an iterator."""
    good = saved(folder, ["编号"], ["A1"])
    with ZipFile(good) as old, ZipFile(folder / name, "w", ZIP_DEFLATED) as new:
        for each in old.namelist():
            if each != part:
                new.writestr(each, old.read(each))
        with new.open(part, "w", force_zip64=True) as file:
            for piece in [content] if isinstance(content, str) else content:
                file.write(piece.encode())
    return folder / name


def rows_of(path):
    return [cells for _, cells in open_workbook(path)[0].rows()]


def test_cells_come_as_what_they_show(tmp_path):
    path = saved(
        tmp_path,
        ["编号", "原值", "启用日期", "时间", "电话", "否"],
        [
            "X-1",
            50.1,
            date(2024, 3, 1),
            datetime.fromisoformat("2024-03-01T09:30"),
            13900001111,
            False,
        ],
        ["X-2", 0.1 + 0.2, None, None, None, None],
    )

    assert rows_of(path)[1:] == [
        ["X-1", "50.1", "2024-03-01", "2024-03-01 09:30", "13900001111", "FALSE"],
        ["X-2", "0.3"],
    ]


def test_codes_shown_with_zeros_keep_them(tmp_path):
    book = Workbook()
    book.active.append([10203])
    book.active["A1"].number_format = "000000"
    book.save(tmp_path / "a.xlsx")

    assert rows_of(tmp_path / "a.xlsx") == [["010203"]]


def test_rows_are_numbered_as_the_spreadsheet_does(tmp_path):
    path = saved(tmp_path, ["编号"], [None], ["  "], ["A"])

    assert list(open_workbook(path)[0].rows()) == [(1, ["编号"]), (4, ["A"])]


def test_a_file_is_judged_by_its_content_not_by_its_name(tmp_path):
    assert rows_of(saved(tmp_path, ["编号"]).rename(tmp_path / "3f9c0a")) == [["编号"]]


def test_hidden_sheets_are_left_out(tmp_path):
    book = Workbook()
    book.active.title, book.active.sheet_state = "代码", "hidden"
    book.create_sheet("仪器").append(["编号"])
    book.save(tmp_path / "a.xlsx")

    assert [sheet.name for sheet in open_workbook(tmp_path / "a.xlsx")] == ["仪器"]


def test_nothing_written_is_a_formula(tmp_path):
    path = tmp_path / "out.xlsx"
    texts = ['=HYPERLINK("http://x")', "+1", "-1", "@x", "换\r\n行", "a\x0bb", ""]
    with path.open("wb") as file:
        count = write_workbook(file, "仪器", ["一"] * len(texts), [texts])

    read = load_workbook(path)["仪器"]
    assert count == 1
    assert {cell.data_type for cell in read[2]} <= {"s", "inlineStr", "n"}
    assert [cell.value for cell in read[2]][:4] == texts[:4]
    assert rows_of(path)[1][4:] == ["换\r\n行", "a b"] or rows_of(path)[1][4:] == ["换\n行", "a b"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "0 字节", id="zero-byte"),
        pytest.param(b"\xd0\xcf\x11\xe0" + bytes(600), "旧版", id="old-excel"),
        pytest.param(b"\x7fELF" + bytes(600), "不是 Excel", id="executable"),
        pytest.param("编号,名称\n".encode(), "不是 Excel", id="text"),
        pytest.param(b"PK\x03\x04" + bytes(600), "已损坏", id="broken-archive"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path, content, reason):
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)

    with pytest.raises(UnreadableFile, match=reason):
        open_workbook(path)


def test_another_archive_is_refused(tmp_path):
    with ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("word/document.xml", "<a/>")

    with pytest.raises(UnreadableFile, match="不是 Excel"):
        open_workbook(tmp_path / "a.xlsx")


def test_a_cut_off_workbook_is_refused(tmp_path):
    path = saved(tmp_path, *[["编号", n] for n in range(2_000)])
    path.write_bytes(path.read_bytes()[:-300])

    with pytest.raises(UnreadableFile, match="已损坏"):
        open_workbook(path)


def test_more_than_20_megabytes_are_refused(tmp_path):
    path = saved(tmp_path, ["编号"])
    with path.open("r+b") as file:
        file.truncate(workbooks.MOST_BYTES + 1)

    with pytest.raises(UnreadableFile, match="20 MB"):
        open_workbook(path)


def sheet_of(*inner):
    yield f"<worksheet {NAMESPACE}><sheetData>"
    yield from inner
    yield "</sheetData></worksheet>"


def bombs():
    yield pytest.param([" " * (1 << 20)] * 300, id="300 MB of nothing")
    yield pytest.param(sheet_of(*[" " * (1 << 20)] * 40), id="40 MB at 1000 to 1")
    many = "<c/>" * 10_000
    yield pytest.param(sheet_of("<row>", *[many] * 30, "</row>"), id="300,000 cells in a row")
    yield pytest.param(sheet_of(*["<a>"] * 200, *["</a>"] * 200), id="200 deep")
    yield pytest.param(sheet_of(*["<mergeCell/>" * 10_000] * 21), id="210,000 of another thing")
    entities = f'<!DOCTYPE worksheet [<!ENTITY a "{"a" * 1000}">]>'
    yield pytest.param([entities, *sheet_of("&a;")], id="entities")
    external = '<!DOCTYPE worksheet [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    yield pytest.param([external, *sheet_of("&a;")], id="external entity")


@pytest.mark.parametrize("content", list(bombs()))
def test_bombs_are_refused_before_they_unfold(tmp_path, content):
    path = changed(tmp_path, FIRST, content)
    started = time.process_time()

    with pytest.raises(UnreadableFile, match="不合规范或过于庞大"):
        open_workbook(path)

    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "row",
    [
        pytest.param('<row r="1048576"><c r="A1048576"><v>1</v></c></row>', id="last row"),
        pytest.param('<row r="999999999"><c r="A999999999"><v>1</v></c></row>', id="beyond"),
        pytest.param('<row r="2"><c r="XFD2"><v>1</v></c></row>', id="last column"),
        pytest.param(
            "".join(f'<row r="{n}"><c r="XFD{n}"/></row>' for n in range(2, 1_000)),
            id="far and empty, often",
        ),
    ],
)
def test_far_corners_are_refused_in_seconds(tmp_path, row):
    path = changed(tmp_path, FIRST, sheet_of(row))
    started = time.process_time()

    with pytest.raises(UnreadableFile, match="多余的"):
        rows_of(path)

    assert time.process_time() - started < 10


def test_a_far_corner_without_content_does_no_harm(tmp_path):
    text = '<row r="1"><c r="A1" t="str"><v>编号</v></c><c r="XFD1"/></row><row r="1048576"/>'
    path = changed(tmp_path, FIRST, sheet_of(text))

    assert rows_of(path) == [["编号"]]


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/styles.xml", FIRST])
@pytest.mark.parametrize(
    "content",
    ["", "<a", "<a/>", '<worksheet><sheetData><row r="x"/></sheetData></worksheet>'],
)
def test_broken_parts_give_a_refusal_or_nothing(tmp_path, part, content):
    path = changed(tmp_path, part, content)

    try:
        rows_of(path)
    except UnreadableFile as exc:
        said = str(exc)
    else:
        said = "Excel"
    assert "Excel" in said or "工作" in said


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 6_000), with_=st.binary(min_size=1, max_size=40))
def test_any_damage_is_a_refusal_or_a_table(tmp_path_factory, at, with_):
    folder = tmp_path_factory.mktemp("damage")
    path = saved(folder, ["编号", "名称"], ["A1", "光谱仪"])
    content = bytearray(path.read_bytes())
    at %= len(content)
    content[at : at + len(with_)] = with_
    path.write_bytes(content)

    with contextlib.suppress(UnreadableFile):
        assert isinstance(rows_of(path), list)


def test_ten_thousand_rows_keep_the_memory_flat(tmp_path):
    path = tmp_path / "big.xlsx"
    with path.open("wb") as file:
        write_workbook(
            file, "仪器", ["列"] * 10, ([f"{n}-{c}" for c in range(10)] for n in range(10_000))
        )
    sheet = open_workbook(path)[0]
    tracemalloc.start()
    peaks = []
    for number, _ in sheet.rows():
        if number in (1_000, 10_000):
            peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()

    assert peaks[1] < peaks[0] + (4 << 20)
