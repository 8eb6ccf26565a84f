"""The columns of UNIQUIP and of the national form (NRII 单台套), and what each means to us.

UNIQUIP: the English headings of equipment.data. NRII: the labels of domain §2.1, or its keys.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from booking.kernel.text import N_, Text
from booking.registry.models import (
    Funds,
    InstrumentSource,
    InstrumentType,
    RunningState,
    SharingMode,
)

Read = Callable[[str], Any]
Write = Callable[[Any], str]


class UnusableCell(ValueError):
    """The cell cannot be understood; `reason` says what it should look like."""

    def __init__(self, reason: Text) -> None:
        self.reason = reason
        super().__init__(str(reason))


@dataclass(frozen=True)
class Column:
    """A column by its heading (and other names it goes by), and the field it fills."""

    heading: str
    name: str | None  # of our field; None: kept with the source row only
    others: tuple[str, ...] = ()
    read: Read = str
    write: Write = str

    def is_called(self, heading: str) -> bool:
        """Tell whether the heading means this column."""
        return squashed(heading) in {squashed(each) for each in (self.heading, *self.others)}


@dataclass(frozen=True)
class Format:
    """A table's columns; those of `needed` tell it from others."""

    key: str
    title: str
    columns: Sequence[Column]
    needed: tuple[str, ...]

    def mapped(self, header: Sequence[str]) -> list[Column | None]:
        """Return the column behind each heading, or None for those it does not know."""
        return [
            next((column for column in self.columns if column.is_called(heading)), None)
            for heading in header
        ]

    def chosen(self, names: Sequence[str | None]) -> list[Column | None]:
        """Return the columns that fill the fields named; None and unknown names fill none."""
        by_name = {column.name: column for column in self.columns if column.name}
        return [by_name.get(name or "") for name in names]

    def missing(self, header: Sequence[str]) -> list[str]:
        """Return the headings it cannot do without that are not there."""
        known = {column.heading for column in self.mapped(header) if column}
        return [heading for heading in self.needed if heading not in known]


def squashed(heading: str) -> str:
    """Return the heading as it is compared: one width, one case, no blanks or brackets."""
    folded = unicodedata.normalize("NFKC", heading).casefold()
    return re.sub(r"[\s()*_/、-]", "", folded)


def _words(table: Mapping[str, StrEnum]) -> tuple[Read, Write]:
    """Return how a closed list of words is read and written."""
    found = {squashed(word): meaning for word, meaning in table.items()}
    first: dict[StrEnum, str] = {}
    for word, meaning in table.items():
        first.setdefault(meaning, word)

    def read(cell: str) -> StrEnum:
        if squashed(cell) not in found:
            allowed = "、".join(first.values())
            raise UnusableCell(
                N_("“%(cell)s”不在可选范围内：%(allowed)s。", cell=cell, allowed=allowed)
            )
        return found[squashed(cell)]

    return read, lambda value: first[value]


_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?", re.ASCII)


def _day(cell: str) -> date:
    try:
        year, month, day = map(int, _DAY.fullmatch(cell).groups())  # type: ignore[union-attr]
        return date(year, month, day)
    except (AttributeError, ValueError):
        raise UnusableCell(N_("日期应类似 2024-03-15。")) from None


def _decimal(cell: str) -> Decimal:
    try:
        value = Decimal(cell.replace(",", "").replace("，", ""))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value != round(value, 2):
        raise UnusableCell(N_("应为数字，最多两位小数，例如 52.80。"))
    return round(value, 2)


def _whole(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", cell):
        raise UnusableCell(N_("应为整数。"))
    return int(cell)


def _code(cell: str) -> str:
    """Spreadsheets drop leading zeros of codes."""
    return cell.zfill(6) if re.fullmatch(r"[0-9]{5}", cell) else cell


def _list(cell: str) -> list[str]:
    return list(dict.fromkeys(part for part in re.split(r"\s*[;；、，,]\s*", cell) if part))


def _standards(cell: str) -> list[str]:
    # Numbers hold blanks and slashes, e.g. GB/T 228.1-2021.
    return list(dict.fromkeys(part for part in re.split(r"\s*[;；、，]\s*", cell) if part))


def _joined(values: Sequence[str]) -> str:
    return "；".join(values)


_level, _level_out = _words(
    {
        "external": SharingMode.EXTERNAL,
        "external on request": SharingMode.EXTERNAL,
        "internal only": SharingMode.INTERNAL,
        "not shared": SharingMode.NONE,  # ours: UNIQUIP has no word for it
    }
)
_sharing, _sharing_out = _words(
    {
        "外部共享": SharingMode.EXTERNAL,
        "内部共享": SharingMode.INTERNAL,
        "不共享": SharingMode.NONE,
    }
)
_state, _state_out = _words(
    {
        "正常": RunningState.NORMAL,
        "偶有故障": RunningState.OCCASIONAL,
        "故障频繁": RunningState.FREQUENT,
        "待修": RunningState.REPAIR,
        "待报废": RunningState.SCRAP,
    }
)
_type, _type_out = _words({"通用": InstrumentType.GENERAL, "专用": InstrumentType.SPECIAL})
_source, _source_out = _words(
    {
        "购置": InstrumentSource.PURCHASED,
        "研制": InstrumentSource.BUILT,
        "赠送": InstrumentSource.DONATED,
        "其他": InstrumentSource.OTHER,
    }
)
_fund, _fund_out = _words(
    {
        "中央财政": Funds.CENTRAL,
        "地方财政": Funds.LOCAL,
        "单位自有": Funds.OWN,
        "其他": Funds.OTHER,
    }
)


class _YesNo(StrEnum):
    YES = "是"
    NO = "否"


_yes, _yes_out = _words({"是": _YesNo.YES, "否": _YesNo.NO})


def _funds(cell: str) -> list[str]:
    return [_fund(part).value for part in _list(cell)]


UNIQUIP = Format(
    key="uniquip",
    title="UNIQUIP",
    needed=("ID", "Name"),
    columns=(
        Column("Type", None),
        Column("ID", "inner_id"),
        Column("Name", "name"),
        Column("Description", "functions"),
        Column("Related Facility ID", "attached_to"),
        Column("Technique", "service_content"),
        Column("Location", "place"),
        Column("Contact Name", "contact"),
        Column("Contact Telephone", "phone"),
        Column("Contact URL", None),
        Column("Contact Email", "email"),
        Column("Secondary Contact Name", None),
        Column("Secondary Contact Telephone", None),
        Column("Secondary Contact URL", None),
        Column("Secondary Contact Email", None),
        Column("Photo", None),
        Column("Department", "department"),
        Column("Site Location", "street"),
        Column("Building", None),
        Column("Service Level", "sharing_mode", read=_level, write=_level_out),
        Column("Web Address", "service_url"),
    ),
)
NRII = Format(
    key="nrii",
    title="国家网络管理平台（单台套）",
    needed=("所属单位仪器编号", "仪器设备名称"),
    columns=(
        Column("所属单位仪器编号", "inner_id", ("innerId", "仪器编号")),
        Column("仪器设备名称", "name", ("cname", "仪器名称")),
        Column("英文名称", "english_name", ("ename",)),
        Column("所属单位标识", None, ("insCode",)),
        Column("设备分类编码", "category_code", ("instrCategory", "分类编码"), read=_code),
        Column("类别", "instrument_type", ("type",), read=_type, write=_type_out),
        Column("来源", "source", ("instrSource",), read=_source, write=_source_out),
        Column("原值(万元)", "worth_wan", ("worth", "原值"), read=_decimal),
        Column(
            "购置经费来源",
            "funds",
            ("funds",),
            read=_funds,
            write=lambda funds: _joined([_fund_out(Funds(each)) for each in funds]),
        ),
        Column("产地国别", "nation", ("nation",)),
        Column("生产制造商", "manufacturer", ("manufacturer", "生产厂商")),
        Column("规格型号", "model", ("instrVersion", "型号")),
        Column(
            "启用日期",
            "commissioned_on",
            ("beginDate", "建账日期", "建账日期(启用日期)"),
            read=_day,
        ),
        Column("主要学科领域", "subjects", ("subject",), read=_list, write=_joined),
        Column("主要技术指标", "technical", ("technical",)),
        Column("主要功能", "functions", ("function",)),
        Column("服务内容", "service_content", ("serviceContent",)),
        Column("服务典型成果", "achievement", ("achievement",)),
        Column("用户须知", "requirement", ("requirement", "用户须知/对外开放共享规定")),
        Column("参考收费标准", "fee_note", ("fee",)),
        Column("预约服务网址", "service_url", ("serviceUrl",)),
        Column("方法标准", "standards", (), read=_standards, write=_joined),
        Column("行政区划代码", "region_code", ("county", "区划代码")),
        Column("所在地", "place", ("安放地点",)),
        Column("安放地址", "street", ("street", "街道门牌")),
        Column("内部门", "department", ("insideDepart", "所在部门")),
        Column("联系人", "contact", ("contact",)),
        Column("联系电话", "phone", ("phone", "电话")),
        Column("电子邮箱", "email", ("email", "邮箱")),
        Column("邮编", "postal_code", ("postalcode", "邮政编码"), read=_code),
        Column("运行状态", "running_state", (), read=_state, write=_state_out),
        Column("共享模式", "sharing_mode", (), read=_sharing, write=_sharing_out),
        Column(
            "海关监管",
            "customs_supervised",
            ("instrSupervise", "是否海关监管"),
            read=lambda cell: _yes(cell) is _YesNo.YES,
            write=lambda value: _yes_out(_YesNo.YES if value else _YesNo.NO),
        ),
        Column("报关单号", "customs_declaration"),
        Column("项号", "customs_item"),
        Column("放行日期", "customs_released_on", read=_day),
        Column("品名", "customs_goods_name"),
        Column("附属于", "attached_to", ("附属",)),
        Column("额定机时", "rated_hours", read=_whole),
        Column("台数", "units", read=_whole),
        Column("时区", "time_zone"),
    ),
)
# What people call our fields: the national form's labels.
LABELS = {column.name: column.heading for column in NRII.columns if column.name}
FORMATS = {each.key: each for each in (UNIQUIP, NRII)}


def recognised(header: Sequence[str]) -> Format | None:
    """Return the format whose headings these are, or None if none of its keys is there."""
    complete = [each for each in FORMATS.values() if not each.missing(header)]
    return max(complete, key=lambda each: sum(map(bool, each.mapped(header))), default=None)
