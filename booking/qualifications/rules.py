"""Certificates, scope and calibration as the field's rules see them (domain §2.3). Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Protocol

from booking.kernel.errors import InvalidField
from booking.kernel.text import N_

REMIND_DAYS = (60, 30, 7)
SOON_DAYS = 30
MOST_LINES, LONGEST_CELL = 5_000, 300
EARLIEST, LATEST = date(1990, 1, 1), date(2099, 12, 31)
_CMA = re.compile(r"[0-9]{12}|[0-9]{10}[A-Z]")  # the second: before 2015
_CNAS = re.compile(r"CNAS (L[0-9]{4,5}|IB[0-9]{4})")
_STANDARD = re.compile(r"[A-Z]{1,8}(?:/[A-Z]{1,6})? ?[0-9]+(?:\.[0-9]+)*(?:-[0-9]{1,3}(?![0-9]))*")
# How the columns of a scope table are headed, most telling words first.
_HEADS = {
    "standard": ("标准", "方法", "依据", "standard", "method"),
    "limits": ("限制", "说明", "备注", "limit", "remark"),
    "parameter": ("参数", "项目", "parameter", "item"),
    "product": ("产品", "对象", "类别", "product", "object"),
}


class Scheme(StrEnum):
    """Who says that an institution is able."""

    CMA = "cma"  # 资质认定
    CNAS = "cnas"  # 认可


class CalibrationKind(StrEnum):
    """检定 states an expiry by law; for 校准 the laboratory sets the interval."""

    VERIFICATION = "verification"
    CALIBRATION = "calibration"


class Result(StrEnum):
    """What was found."""

    PASSED = "passed"
    FAILED = "failed"


class Record(Protocol):
    """What the rules need of a calibration."""

    @property
    def id(self) -> int: ...
    @property
    def performed_on(self) -> date: ...
    @property
    def result(self) -> Result: ...
    @property
    def valid_until(self) -> date | None: ...


def check_number(scheme: Scheme, number: str) -> None:
    """Raise InvalidField unless a CMA number has twelve digits; CNAS forms are only looked at."""
    if scheme is Scheme.CMA and not _CMA.fullmatch(number):
        raise InvalidField("number", N_("CMA 资质认定证书编号是 12 位数字。"))


def is_usual_number(scheme: Scheme, number: str) -> bool:
    """Tell whether the number looks as they usually do: `CNAS L10234`."""
    return bool((_CMA if scheme is Scheme.CMA else _CNAS).fullmatch(number))


def check_period(first: date, last: date | None, *, names: tuple[str, str]) -> None:
    """Raise InvalidField for dates that cannot be."""
    for name, day in zip(names, (first, last), strict=True):
        if day is not None and not EARLIEST <= day <= LATEST:
            raise InvalidField(name, N_("日期须在 1990 年到 2099 年之间。"))
    if last is not None and last < first:
        raise InvalidField(names[1], N_("有效期不能早于开始日期。"))


def check_calibration(
    kind: CalibrationKind, performed_on: date, valid_until: date | None, *, today: date
) -> None:
    """Raise InvalidField for a calibration that cannot be."""
    check_period(performed_on, valid_until, names=("performed_on", "valid_until"))
    if performed_on > today:
        raise InvalidField("performed_on", N_("日期还没到，请填写证书上的日期。"))
    if kind is CalibrationKind.VERIFICATION and valid_until is None:
        raise InvalidField("valid_until", N_("检定证书都有有效期，请填写。"))


def latest(records: Iterable[Record]) -> Record | None:
    """Return the one that counts: done last, and of the same day recorded last."""
    return max(records, key=lambda each: (each.performed_on, each.id), default=None)


def usable_until(record: Record | None, extended_until: date | None = None) -> date | None:
    """Return the last day on which the instrument may be used; None: without end or no record.

    What failed may not be used from the day that was found.
    """
    if record is None:
        return None
    if record.result is Result.FAILED:
        return record.performed_on - timedelta(days=1)
    if record.valid_until is None or extended_until is None:
        return record.valid_until
    return max(record.valid_until, extended_until)


def due_reminder(valid_until: date, *, today: date) -> int | None:
    """Return which reminder is due, by its days before the end; the nearest that has come."""
    left = (valid_until - today).days
    return min((days for days in REMIND_DAYS if 0 <= left <= days), default=None)


def standard_keys(text: str) -> list[str]:
    """Return the standards a text names, without their years: `GB/T228.1`."""
    plain = unicodedata.normalize("NFKC", text).upper()
    plain = re.sub(r"[‐‑–—―]", "-", plain)
    found = (re.sub(r" ", "", each) for each in _STANDARD.findall(plain))
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Line:
    """A line of a scope table."""

    product: str
    parameter: str
    standard: str
    limits: str = ""

    def wrong_column(self) -> str | None:
        """Return the column that cannot be used: no standard, nothing done, or far too long."""
        if not self.standard:
            return "standard"
        if not (self.parameter or self.product):
            return "parameter"
        columns = ("product", "parameter", "standard", "limits")
        return next((name for name in columns if len(getattr(self, name)) > LONGEST_CELL), None)


def columns_of(cells: Sequence[str]) -> Mapping[str, int] | None:
    """Return which column holds what if these cells are the head of a scope table, else None."""
    found: dict[str, int] = {}
    for name, words in _HEADS.items():
        for word in words:
            at = next(
                (
                    index
                    for index, cell in enumerate(cells)
                    if word in cell.lower() and index not in found.values()
                ),
                None,
            )
            if at is not None:
                found[name] = at
                break
    return found if "standard" in found and found.keys() & {"parameter", "product"} else None


def lines_of(
    rows: Iterable[tuple[int, Sequence[str]]], columns: Mapping[str, int]
) -> Iterator[tuple[int, Line]]:
    """Yield the lines below the head; a product written once holds for the rows below it."""
    product = ""
    for number, cells in rows:
        values = {
            name: " ".join(cells[at].split()) if at < len(cells) else ""
            for name, at in columns.items()
        }
        product = values.get("product") or product
        line = Line(
            product,
            values.get("parameter", ""),
            values.get("standard", ""),
            values.get("limits", ""),
        )
        if line.parameter or line.standard or values.get("product"):
            yield number, line


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as the journal keeps them."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
    }
