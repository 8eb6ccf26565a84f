"""Reading and writing tables as files: CSV from Excel and elsewhere, whatever its encoding."""

import codecs
import csv
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from booking.kernel.errors import UnreadableFile
from booking.kernel.text import N_

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

    def rows(self) -> Iterator[Row]:
        """Yield the records below the header, leaving out those without any content."""
        with _opened(self.path, self.encoding) as file:
            records = csv.reader(file, delimiter=self.delimiter)
            next(records, None)
            for number, cells in enumerate(records, start=2):
                if any(cell.strip() for cell in cells):
                    yield Row(number, cells)


def open_table(path: Path) -> Table:
    """Return the file as a table, read once to its end; raises UnreadableFile with the reason."""
    try:
        encoding = _encoding(path)
        with _opened(path, encoding) as file:
            first = file.readline()
        delimiter = max(",;\t", key=first.count)
        with _opened(path, encoding) as file:
            records = csv.reader(file, delimiter=delimiter)
            header = [" ".join(title.split()) for title in next(records, [])]
            count = sum(any(cell.strip() for cell in cells) for cells in records)
    except IsADirectoryError:
        raise UnreadableFile(N_("“%(path)s”是文件夹，请指定其中的 CSV 文件。", path=path)) from None
    except FileNotFoundError:
        raise UnreadableFile(N_("没有找到文件“%(path)s”。", path=path)) from None
    except PermissionError:
        raise UnreadableFile(N_("没有读取“%(path)s”的权限。", path=path)) from None
    except csv.Error as exc:
        raise UnreadableFile(N_("这不是有效的 CSV 文件：%(reason)s。", reason=exc)) from exc
    if not any(header):
        raise UnreadableFile(N_("文件是空的，第一行应为列名。"))
    return Table(path, encoding, delimiter, header, count)


def _opened(path: Path, encoding: str) -> IO[str]:
    csv.field_size_limit(_LONGEST_CELL)
    return path.open(encoding=encoding, newline="")


def _encoding(path: Path) -> str:
    """Return UTF-8, UTF-16 or GB 18030, whichever the whole file is."""
    with path.open("rb") as file:
        start = file.read(_CHUNK)
    if start.startswith(b"PK\x03\x04") or start.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile(N_("这是 Excel 文件，请在 Excel 中另存为“CSV UTF-8”后再导入。"))
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
