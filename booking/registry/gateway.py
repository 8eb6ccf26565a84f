"""Reading and writing tables as files: CSV in whatever encoding, and workbooks."""

import codecs
import csv
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from booking.kernel.errors import UnreadableFile
from booking.kernel.text import N_
from booking.kernel.workbooks import OLD_EXCEL_MARK, ZIP_MARK, Sheet, open_workbook
from booking.registry import rules

_TITLES = 5  # so far down a header is looked for
_CHUNK = 1 << 20
_LONGEST_CELL = 1 << 20
# What a spreadsheet would run as a formula when it opens the file.
_ACTIVE = ("=", "+", "-", "@", "\t", "\r")
_GUARD = "'"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@cache
def aliases() -> Mapping[str, Sequence[str]]:
    """Return what instruments are called in the workshop, by squashed pieces of their names."""
    text = (Path(__file__).parent / "aliases.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {rules.squash(row["piece"]): tuple(row["aliases"].split()) for row in rows}


@dataclass(frozen=True)
class Row:
    """A record; numbered as a spreadsheet shows it, the header being 1."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A file that was found readable; each look at its rows reads it again."""

    path: Path
    encoding: str
    delimiter: str
    header: Sequence[str]
    count: int
    above: int = 0  # records above the header: a title
    is_workbook: bool = False

    @property
    def kind(self) -> str:
        """Return what the file was, for people: its encoding, or that it was a workbook."""
        return "XLSX" if self.is_workbook else self.encoding

    def rows(self) -> Iterator[Row]:
        """Yield the records below the header, leaving out those without any content."""
        first = self.above + 1
        with _opened(self.path, self.encoding) as file:
            records = csv.reader(file, delimiter=self.delimiter)
            for number, cells in enumerate(islice(records, first, None), start=first + 1):
                if any(cell.strip() for cell in cells):
                    yield Row(number, cells)


@contextmanager
def table_at(path: Path) -> Iterator[Table]:
    """Yield the file as a table, whether CSV or a workbook; raises UnreadableFile.

    Of a workbook it is the first sheet that looks like a table.
    """
    if not _is_workbook(path):
        yield open_table(path)
        return
    with NamedTemporaryFile("w", suffix=".csv", newline="", encoding="utf-8") as plain:
        _write_plain(plain, _sheet_of(path))
        plain.flush()
        yield replace(open_table(Path(plain.name)), is_workbook=True)


def open_table(path: Path) -> Table:
    """Return the CSV file as a table, read once to its end; raises UnreadableFile."""
    with _refusals(path):
        encoding = _encoding(path)
        with _opened(path, encoding) as file:
            delimiter = _delimiter(file)
        with _opened(path, encoding) as file:
            records = csv.reader(file, delimiter=delimiter)
            above, cells = _header(records)
            header = [" ".join(title.split()) for title in cells]
        with _opened(path, encoding) as file:
            records = csv.reader(file, delimiter=delimiter)
            below = islice(records, above + 1, None)
            count = sum(any(cell.strip() for cell in cells) for cells in below)
    if not any(header):
        raise UnreadableFile(N_("文件是空的，第一行应为列名。"))
    return Table(path, encoding, delimiter, header, count, above)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except IsADirectoryError:
        raise UnreadableFile(
            N_("“%(path)s”是文件夹，请指定其中的 CSV 或 XLSX 文件。", path=path)
        ) from None
    except FileNotFoundError:
        raise UnreadableFile(N_("没有找到文件“%(path)s”。", path=path)) from None
    except PermissionError:
        raise UnreadableFile(N_("没有读取“%(path)s”的权限。", path=path)) from None
    except csv.Error as exc:
        raise UnreadableFile(N_("这不是有效的 CSV 文件：%(reason)s。", reason=exc)) from exc


def _is_workbook(path: Path) -> bool:
    with _refusals(path), path.open("rb") as file:
        return file.read(4) in {ZIP_MARK, OLD_EXCEL_MARK}


def _sheet_of(path: Path) -> Sheet:
    sheets = open_workbook(path)
    return next((sheet for sheet in sheets if _looks_like_a_table(sheet)), sheets[0])


def _looks_like_a_table(sheet: Sheet) -> bool:
    first = (cells for _, cells in islice(sheet.rows(), _TITLES))
    return any(_is_header(cells) for cells in first)


def _write_plain(file: IO[str], sheet: Sheet) -> None:
    """Write the sheet as CSV with every row in its place, so that rows keep their numbers."""
    writer = csv.writer(file)
    last = 0
    for number, cells in sheet.rows():
        writer.writerows([] for _ in range(number - last - 1))
        writer.writerow(cells)
        last = number


def _delimiter(file: IO[str]) -> str:
    first = [file.readline(_LONGEST_CELL) for _ in range(_TITLES)]
    return max(",;\t", key=lambda each: max(line.count(each) for line in first))


def _header(records: Iterator[Sequence[str]]) -> tuple[int, Sequence[str]]:
    """Return the header and how many records stand above it: at most a title and blank lines."""
    first = list(islice(records, _TITLES))
    found = next((n for n, cells in enumerate(first) if _is_header(cells)), 0)
    return found, first[found] if first else []


def _is_header(cells: Sequence[str]) -> bool:
    return sum(bool(cell.strip()) for cell in cells) > 1


def _opened(path: Path, encoding: str) -> IO[str]:
    csv.field_size_limit(_LONGEST_CELL)
    return path.open(encoding=encoding, newline="")


def _encoding(path: Path) -> str:
    """Return UTF-8, UTF-16 or GB 18030, whichever the whole file is."""
    with path.open("rb") as file:
        start = file.read(_CHUNK)
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            if _decodes(path, encoding):
                return encoding
            break
    if b"\x00" not in start:
        for encoding in ("utf-8", "gb18030"):
            if _decodes(path, encoding):
                return encoding
    raise UnreadableFile(N_("无法识别文件的编码，请另存为 UTF-8 编码的 CSV 后再导入。"))


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def cleaned(cell: str) -> tuple[str, bool]:
    """Return the cell as one clean line, and whether breaks or control characters were in it."""
    if cell.isprintable():
        return unguarded(unicodedata.normalize("NFC", cell).strip()), False
    spaced = "".join(" " if unicodedata.category(char) in _CONTROL else char for char in cell)
    clean = unicodedata.normalize("NFC", spaced).strip()
    had_any = spaced.strip() != cell.strip()
    return unguarded(" ".join(clean.split()) if had_any else clean), had_any


_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})


def guarded(cell: str) -> str:
    """Return the cell so that no spreadsheet runs it; `unguarded` takes it back."""
    return _GUARD + cell if cell.startswith((*_ACTIVE, _GUARD)) else cell


def unguarded(cell: str) -> str:
    """Return what stood in the cell before `guarded`."""
    if cell.startswith(_GUARD) and cell[1:].startswith((*_ACTIVE, _GUARD)):
        return cell[1:]
    return cell


def write_table(file: IO[str], header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write a CSV that Excel reads (hence the BOM) and runs nothing of; return how many rows."""
    file.write("\ufeff")
    writer = csv.writer(file)
    writer.writerow(header)
    count = 0
    for row in rows:
        writer.writerow([guarded(cell) for cell in row])
        count += 1
    return count
