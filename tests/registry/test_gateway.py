"""Tables as files: encodings, broken files, clean cells, nothing a spreadsheet would run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.kernel.errors import UnreadableFile
from booking.registry.gateway import cleaned, guarded, open_table, unguarded, write_table

TEXT = "ID,Name\nA-1,电子万能试验机\n\nA-2,拉伸试验机\n"


@pytest.fixture
def table(tmp_path):
    def write(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_table_is_read_in_any_usual_encoding(table, encoding):
    found = open_table(table(TEXT.encode(encoding)))

    assert list(found.header) == ["ID", "Name"]
    assert [(row.number, row.cells[1]) for row in found.rows()] == [
        (2, "电子万能试验机"),
        (4, "拉伸试验机"),
    ]
    assert found.count == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_in_the_first_line(table, delimiter):
    found = open_table(table(TEXT.replace(",", delimiter).encode()))

    assert list(found.header) == ["ID", "Name"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "空的", id="empty"),
        pytest.param(b"\xef\xbb\xbf\n", "空的", id="only-a-mark"),
        pytest.param(bytes(range(256)), "编码", id="binary"),
        pytest.param(b"ID,Name\n1,\xff\xff\xff\n", "编码", id="no-encoding"),
        pytest.param(b"ID,Name\n1," + b"x" * (2 << 20), "CSV", id="a-huge-cell"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(table, content, reason):
    with pytest.raises(UnreadableFile, match=reason):
        open_table(table(content))


def test_a_folder_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(UnreadableFile, match="文件夹"):
        open_table(tmp_path)
    with pytest.raises(UnreadableFile, match=r"没有找到文件.*nowhere\.csv"):
        open_table(tmp_path / "nowhere.csv")


def test_a_file_one_may_not_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "secret.csv"
    path.write_text(TEXT)

    def refuse(*_args, **_options):  # root may read everything
        raise PermissionError

    monkeypatch.setattr(type(path), "open", refuse)

    with pytest.raises(UnreadableFile, match="权限"):
        open_table(path)


@pytest.mark.parametrize(
    ("cell", "clean", "had_controls"),
    [
        ("  试验机 ", "试验机", False),
        ("一行\n两行", "一行 两行", True),
        ("a\x82\x83b", "a b", True),
        ("全角　空格", "全角　空格", False),
        ("e\u0301", "é", False),
        ("'=1+1", "=1+1", False),
    ],
)
def test_a_cell_is_one_clean_line(cell, clean, had_controls):
    assert cleaned(cell) == (clean, had_controls)


@given(st.text(max_size=20))
def test_guarding_a_cell_can_be_taken_back(cell):
    assert unguarded(guarded(cell)) == cell


@given(st.text(max_size=20))
def test_a_guarded_cell_is_run_by_no_spreadsheet(cell):
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_table_is_written_for_excel():
    file = io.StringIO()

    count = write_table(file, ["编号", "名称"], [["1", "=cmd|' /C calc'!A0"], ["2", "甲,乙"]])

    text = file.getvalue()
    assert (count, text[0]) == (2, "\ufeff")
    assert list(csv.reader(io.StringIO(text[1:]))) == [
        ["编号", "名称"],
        ["1", "'=cmd|' /C calc'!A0"],
        ["2", "甲,乙"],
    ]
