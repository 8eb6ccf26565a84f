"""Reading one row of a table of instruments: values, and what is wrong or was put right. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from booking.kernel.text import N_, Text
from booking.registry import rules
from booking.registry.gateway import Row, cleaned
from booking.registry.models import InstrumentType, RunningState, SharingMode
from booking.registry.service.formats import Column, UnusableCell

# What an empty cell means; None and "" are said by the field itself.
_EMPTY: Mapping[str, Any] = {
    "category_code": rules.OTHER_CATEGORY,
    "instrument_type": InstrumentType.GENERAL,
    "running_state": RunningState.NORMAL,
    "sharing_mode": SharingMode.EXTERNAL,
    "customs_supervised": False,
    "units": 1,
    "time_zone": "Asia/Shanghai",
    "source": None,
    "worth_wan": None,
    "commissioned_on": None,
    "customs_released_on": None,
    "rated_hours": None,
    "region_code": None,
}
_LISTS = frozenset({"funds", "subjects", "standards"})
# Half of one of these is worse than none; what a row cannot be told by is never mended.
_NEVER_CUT = frozenset({"service_url", "email", "phone", "postal_code"})
_DECISIVE = frozenset({"inner_id"})
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Finding:
    """What is wrong with a cell (an error: nothing is imported) or was put right (a warning)."""

    row: int
    column: str
    reason: Text
    is_error: bool = True


@dataclass(frozen=True)
class Known:
    """The code lists a row may speak of; places by their full and by their unambiguous names."""

    categories: Mapping[str, str]
    regions: Mapping[str, str]
    places: Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """A row as we understand it: values by our fields, and the whole row by its headings."""

    row: int
    values: dict[str, Any]
    source: dict[str, str]
    fields: Mapping[str, str | None]  # of each heading

    @property
    def inner_id(self) -> str:
        """Return the owner's own number."""
        return str(self.values["inner_id"])


def read_row(
    row: Row, header: Sequence[str], columns: Sequence[Column | None], known: Known
) -> tuple[Entry, list[Finding]]:
    """Return the row's entry and all findings; with an error among them it is not to be used."""
    source, findings = _cells(row, header)
    values: dict[str, Any] = {}
    headings: dict[str, str] = {}
    for heading, column in zip(header, columns, strict=True):
        if column is None or column.name is None or column.name in headings:
            continue
        headings[column.name] = heading
        try:
            values[column.name] = _value(column, source.get(heading, ""))
        except UnusableCell as exc:
            findings.append(Finding(row.number, heading, exc.reason))
    findings += _mended(row, values, headings)
    findings += _judged(row, values, headings, known)
    if values.get("place") and "region_code" not in values:
        values["region_code"] = known.places.get(values["place"])
    fields = {
        heading: column.name if column else None
        for heading, column in zip(header, columns, strict=True)
    }
    return Entry(row.number, values, source, fields), findings


def _cells(row: Row, header: Sequence[str]) -> tuple[dict[str, str], list[Finding]]:
    """Return the row by heading, one clean line each; without the headings it has nothing for."""
    findings, source = [], {}
    for heading, cell in zip(header, row.cells, strict=False):
        text, had_controls = cleaned(cell)
        if text and heading:
            source[heading] = text
        if had_controls:
            reason = N_("换行或控制字符已改为空格。")
            findings.append(Finding(row.number, heading, reason, is_error=False))
        if text.startswith(_FORMULA) and len(text) > 1:
            reason = N_("以“%(sign)s”开头，按文字处理，不作公式。", sign=text[0])
            findings.append(Finding(row.number, heading, reason, is_error=False))
    beyond = [cell for cell in row.cells[len(header) :] if cell.strip()]
    if beyond:
        reason = N_("比列名多出 %(count)s 格内容，请检查是否缺少引号。", count=len(beyond))
        findings.append(Finding(row.number, "", reason))
    return source, findings


def _value(column: Column, cell: str) -> Any:
    assert column.name is not None  # noqa: S101 - asked for by the caller
    if cell:
        return column.read(cell)
    return [] if column.name in _LISTS else _EMPTY.get(column.name, "")


def _mended(row: Row, values: dict[str, Any], headings: Mapping[str, str]) -> Iterator[Finding]:
    """Cut what is too long, leave out what is no address, and say so: the source row keeps it."""
    for name, value in list(values.items()):
        if not isinstance(value, str) or not value or name in _DECISIVE:
            continue
        reason: Text | None = None
        if name in rules.LIMITS and name not in _NEVER_CUT and not rules.fits(name, value):
            values[name] = rules.shortened(name, value)
            reason = N_(
                "共 %(length)s 字，超过 %(limit)s 字，已截短显示，原文保留。",
                length=rules.letters(value),
                limit=rules.LIMITS[name],
            )
        elif name in _NEVER_CUT and (wrong := rules.problems({name: value})):
            values[name] = ""
            reason = N_("未采用，原文保留：%(reason)s", reason=wrong[name][0])
        if reason is not None:
            yield Finding(row.number, headings[name], reason, is_error=False)


def _judged(
    row: Row, values: Mapping[str, Any], headings: Mapping[str, str], known: Known
) -> Iterator[Finding]:
    """Yield what no mending helps against."""
    for name, reasons in rules.problems(values).items():
        for reason in reasons:
            yield Finding(row.number, headings[name], reason)
    category, region = values.get("category_code"), values.get("region_code")
    if category is not None and category not in known.categories:
        reason = N_("没有这个仪器分类代码，请从分类表中选择。")
        yield Finding(row.number, headings["category_code"], reason)
    if region is not None and region not in known.regions:
        reason = N_("没有这个行政区划代码，请选择省、市或县（区）。")
        yield Finding(row.number, headings["region_code"], reason)
