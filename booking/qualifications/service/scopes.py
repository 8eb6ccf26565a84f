"""The lines of a certificate's scope: one by one, or all of them from a workbook."""

from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select

from booking.accounts.rules import Caller
from booking.kernel import workbooks
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, UnreadableFile
from booking.kernel.text import N_
from booking.qualifications import rules
from booking.qualifications.errors import UnusableScope
from booking.qualifications.models import ScopeLine
from booking.qualifications.rules import Line
from booking.qualifications.service.common import managed_certificate, note

HEAD_ROWS = 10  # within which a scope table's head stands


def add_line(certificate_id: int, line: Line, *, caller: Caller) -> ScopeLine:
    """Add a line to a certificate's scope; raises NotFound, NotAllowed or InvalidField."""
    certificate = managed_certificate(certificate_id, caller)
    if wrong := line.wrong_column():
        reasons = {
            "standard": N_("请填写标准（方法）编号。"),
            "parameter": N_("请填写产品或参数。"),
        }
        raise InvalidField(wrong, reasons.get(wrong, N_("内容过长。")))
    of_it = ScopeLine.certificate_id == certificate_id
    count, last = db.session.execute(
        select(func.count(), func.max(ScopeLine.place)).where(of_it)
    ).one()
    if count >= rules.MOST_LINES:
        raise InvalidField("standard", N_("一张证书最多 %(most)s 行。", most=rules.MOST_LINES))
    made = ScopeLine(certificate_id=certificate_id, place=(last or 0) + 1, **_columns(line))
    db.session.add(made)
    db.session.flush()
    note("certificate.line_added", certificate, caller, line_id=made.id, new=_columns(line))
    return made


def remove_line(certificate_id: int, line_id: int, *, caller: Caller) -> None:
    """Take a line out of a certificate's scope; one that is gone already is no fault."""
    certificate = managed_certificate(certificate_id, caller)
    gone = db.session.scalars(
        delete(ScopeLine)
        .where(ScopeLine.id == line_id, ScopeLine.certificate_id == certificate_id)
        .returning(ScopeLine)
    ).one_or_none()
    if gone is not None:
        line = Line(gone.product, gone.parameter, gone.standard, gone.limits)
        note("certificate.line_removed", certificate, caller, line_id=line_id, old=_columns(line))


def import_scope(certificate_id: int, table: Path, *, caller: Caller) -> int:
    """Put a workbook's lines in the place of a certificate's scope; returns how many.

    All rows or none. Raises NotFound, NotAllowed, UnreadableFile, or UnusableScope with the rows.
    """
    certificate = managed_certificate(certificate_id, caller)
    lines = _read(table)
    wrong = [(number, column) for number, line in lines if (column := line.wrong_column())]
    if wrong:
        raise UnusableScope(wrong)
    had = len(
        db.session.scalars(
            delete(ScopeLine)
            .where(ScopeLine.certificate_id == certificate_id)
            .returning(ScopeLine.id)
        ).all()
    )
    db.session.execute(
        insert(ScopeLine),
        [
            {"certificate_id": certificate_id, "place": place, **_columns(line)}
            for place, (_, line) in enumerate(lines, start=1)
        ],
    )
    note("certificate.scope_imported", certificate, caller, old=had, new=len(lines))
    return len(lines)


def _read(table: Path) -> list[tuple[int, Line]]:
    """Return the lines of the first sheet that has a head we know."""
    for sheet in workbooks.open_workbook(table):
        rows = sheet.rows()
        for _, (_, cells) in zip(range(HEAD_ROWS), rows, strict=False):
            columns = rules.columns_of(cells)
            if columns is not None:
                return _bounded(list(_first(rules.lines_of(rows, columns))))
    raise UnreadableFile(
        N_("没有找到表头：前 %(rows)s 行里须有“标准（方法）”和“参数”或“产品”。", rows=HEAD_ROWS)
    )


def _first(lines: Any) -> Any:
    return (line for line, _ in zip(lines, range(rules.MOST_LINES + 1), strict=False))


def _bounded(lines: list[tuple[int, Line]]) -> list[tuple[int, Line]]:
    if len(lines) > rules.MOST_LINES:
        raise UnreadableFile(N_("一张证书最多 %(most)s 行。", most=rules.MOST_LINES))
    if not lines:
        raise UnreadableFile(N_("表头下面没有内容。"))
    return lines


def _columns(line: Line) -> dict[str, Any]:
    return {
        "product": line.product,
        "parameter": line.parameter,
        "standard": line.standard,
        "limits": line.limits,
        "standard_keys": rules.standard_keys(line.standard),
    }
