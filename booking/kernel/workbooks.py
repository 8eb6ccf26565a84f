"""Workbooks (XLSX): read with guards, written without formulas. The only importer of openpyxl."""

import re
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from booking.kernel.errors import UnreadableFile
from booking.kernel.markup import MarkupRefused, survey
from booking.kernel.text import N_

MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP_MARK, OLD_EXCEL_MARK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"

# What this program's own tables need many times over, and what one worker can bear.
MOST_BYTES = 20 << 20
MOST_UNPACKED = 256 << 20
MOST_PARTS = 2_000
MOST_ROWS = 100_000
MOST_COLUMNS = 256
_HIGHEST_RATIO, _SMALL_PART = 200, 1 << 20
_SHEET_END = 1_048_576  # the last row a spreadsheet has
_MOST_CELLS = 8_000_000  # looked at, counting the gaps before a far one
_ZEROS = re.compile(r"0{2,}")
_WIDEST, _NARROWEST = 50, 8

# What the library raises at something that is no workbook, or a broken one.
_BROKEN = (
    *(InvalidFileException, BadZipFile, LargeZipFile, zlib.error, ParseError),
    *(LookupError, ValueError, TypeError, AttributeError, ArithmeticError),
    *(EOFError, OSError, NotImplementedError, RuntimeError),
)

# It warns of what it leaves out (drop-down lists, pictures), which nobody asked for.
warnings.filterwarnings("ignore", module="openpyxl")


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook that was found harmless; each look at its rows reads it again."""

    path: Path
    name: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of each row with content, the first being 1, and its cells as text.

        Ends of rows without content are cut off. Raises UnreadableFile when it comes to something
        that is broken, or beyond the rows and columns a table may have.
        """
        seen = 0
        with _opened(self.path) as book:
            for number, row in enumerate(_each(book[self.name].iter_rows()), start=1):
                seen += len(row)
                _refuse_sprawl(number, seen)
                cells = _trimmed([_text(cell) for cell in row])
                if cells:
                    _refuse_beyond(number, cells)
                    yield number, cells


def open_workbook(path: Path) -> list[Sheet]:
    """Return the workbook's visible sheets; raises UnreadableFile with the reason.

    Size, contents and every part's markup are looked at before the library sees the file.
    """
    _check_container(path)
    with _opened(path) as book:
        shown = [each.title for each in book.worksheets if each.sheet_state == "visible"]
    if not shown:
        raise UnreadableFile(N_("工作簿里没有可见的工作表。"))
    return [Sheet(path, name) for name in shown]


def write_workbook(
    file: IO[bytes], title: str, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> int:
    """Write one sheet of text, row by row, of which nothing is a formula; return how many rows."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for index, heading in enumerate(header, start=1):
        width = min(_WIDEST, max(_NARROWEST, 2 * len(heading) + 2))
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet.append([_cell(sheet, heading, is_heading=True) for heading in header])
    count = 0
    for row in rows:
        sheet.append([_cell(sheet, value) if value else None for value in row])
        count += 1
    book.save(file)
    return count


def _check_container(path: Path) -> None:
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFile(N_("文件是空的（0 字节）。"))
    if size > MOST_BYTES:
        raise UnreadableFile(N_("文件超过 %(limit)s MB，请分成几个文件。", limit=MOST_BYTES >> 20))
    with path.open("rb") as file:
        start = file.read(4)
    if start == OLD_EXCEL_MARK:
        raise UnreadableFile(
            N_("这是旧版（.xls）或加密的 Excel 文件，请不设密码，另存为“Excel 工作簿（.xlsx）”。")
        )
    if start != ZIP_MARK:
        raise UnreadableFile(N_("这不是 Excel 工作簿（.xlsx）。"))
    try:
        with ZipFile(path) as archive:
            _check_parts(archive)
    except MarkupRefused:
        raise UnreadableFile(N_("工作簿的内部结构不合规范或过于庞大，无法读取。")) from None
    except _BROKEN as exc:
        raise UnreadableFile(N_("工作簿已损坏，请用 Excel 打开并另存后再试。")) from exc


def _check_parts(archive: ZipFile) -> None:
    """Judge by the directory first; unpacking stops at the sizes it states."""
    parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(each.file_size for each in parts) > MOST_UNPACKED:
        raise MarkupRefused
    if any(_is_bomb(each) for each in parts):
        raise MarkupRefused
    if "[Content_Types].xml" not in archive.namelist():
        raise UnreadableFile(N_("这是压缩文件，但不是 Excel 工作簿（.xlsx）。"))
    for each in parts:
        if each.filename.endswith((".xml", ".rels")):
            with archive.open(each) as part:
                survey(part)


def _is_bomb(part: ZipInfo) -> bool:
    packed = max(part.compress_size, 1)
    return part.file_size > _SMALL_PART and part.file_size > _HIGHEST_RATIO * packed


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    # Given open: by a path the library would judge the file's name.
    with path.open("rb") as file:
        try:
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except _BROKEN as exc:
            raise UnreadableFile(N_("工作簿已损坏，请用 Excel 打开并另存后再试。")) from exc
        with closing(book):
            yield book


def _each(rows: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Yield the rows; what breaks inside the library is the file's fault."""
    while True:
        try:
            row = next(rows, None)
        except _BROKEN as exc:
            raise UnreadableFile(N_("工作簿已损坏，请用 Excel 打开并另存后再试。")) from exc
        if row is None:
            return
        yield row


def _refuse_sprawl(number: int, seen: int) -> None:
    """Refuse what would be walked through for minutes without meeting any content."""
    if number > _SHEET_END or seen > _MOST_CELLS:
        raise UnreadableFile(N_("表格的行列过于分散，请删除表格右方和下方多余的行列，另存后再试。"))


def _refuse_beyond(number: int, cells: Sequence[str]) -> None:
    """Refuse content where no table of ours has any; it is never silently cut off."""
    if number > MOST_ROWS:
        raise UnreadableFile(
            N_(
                "表格最多 %(limit)s 行，第 %(at)s 行仍有内容。请分成几个文件，或删除多余的行。",
                limit=MOST_ROWS,
                at=number,
            )
        )
    if len(cells) > MOST_COLUMNS:
        raise UnreadableFile(
            N_(
                "表格最多 %(limit)s 列，第 %(at)s 列仍有内容。请删除多余的列。",
                limit=MOST_COLUMNS,
                at=get_column_letter(len(cells)),
            )
        )


def _trimmed(cells: list[str]) -> list[str]:
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _text(cell: Any) -> str:
    """Return what the cell shows, without the rounding for show."""
    value = cell.value
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, cell.number_format)
    if isinstance(value, datetime) and value.time() != time():
        return value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()[: len("2026-01-01")]
    return value.isoformat("minutes") if isinstance(value, time) else str(value)


def _number(value: float, shown_as: str) -> str:
    # A spreadsheet keeps 15 digits; what follows is noise of binary fractions.
    digits = format(Decimal(format(value, ".15g")), "f")
    # A number made of zeros for show is a code, which has lost its leading ones inside.
    return digits.zfill(len(shown_as)) if _ZEROS.fullmatch(shown_as or "") else digits


def _cell(sheet: Any, value: str, *, is_heading: bool = False) -> Any:
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub(" ", value))
    cell.data_type = "s"  # else a text beginning with = would be run
    if is_heading:
        cell.font = Font(bold=True)
        cell.alignment = Alignment(vertical="top", wrap_text=True)
    return cell
