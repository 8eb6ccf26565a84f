"""Importing 10,000 instruments from a workbook: rows a second, and memory from end to end."""

import time
from pathlib import Path

import psutil

from bench.common import data_folder, line
from bench.world import world
from booking.kernel.db import transaction
from booking.kernel.workbooks import write_workbook
from booking.registry import service
from booking.registry.gateway import table_at
from booking.registry.service.formats import NRII
from tests import factories

ROWS, FEW, LIMIT, GROWTH = 10_000, 1_000, 1_000, 96
_CELLS = {
    "仪器设备名称": "电子万能试验机 {n}",
    "所属单位仪器编号": "B{n}",
    "设备分类编码": "020101",
    "规格型号": "CMT-{n}",
    "原值(万元)": "52.80",
    "生产制造商": "某某仪器有限公司",
    "主要技术指标": "最大试验力 100 kN；准确度 0.5 级",
    "主要功能": "金属与非金属材料的拉伸、压缩、弯曲试验",
    "联系人": "李明",
    "行政区划代码": "430100",
}


def run(*, large: bool) -> None:
    """Print rows a second against the limit, and how much memory ten times the rows took."""
    del large
    with data_folder() as folder, world(folder) as _:
        first, _ = _import(folder, FEW, "A")
        second, rate = _import(folder, ROWS, "B")
    line("import of 10,000 rows (XLSX)", rate, "rows/s", f"limit: {LIMIT}", good=rate >= LIMIT)
    grown = second - first
    line(
        "memory of 10,000 rows against 1,000", grown, "MB", f"limit: {GROWTH}", good=grown <= GROWTH
    )


def _import(folder: Path, rows: int, prefix: str) -> tuple[float, float]:
    """Return how many MB the process has at its fullest afterwards, and rows a second."""
    path = folder / f"{prefix}.xlsx"
    header = [column.heading for column in NRII.columns]
    with path.open("wb") as file:
        write_workbook(
            file,
            "仪器",
            header,
            ([_CELLS.get(h, "").format(n=f"{prefix}{n}") for h in header] for n in range(rows)),
        )
    with transaction():
        owner = factories.make_institution()
    began, fullest = time.perf_counter(), 0.0

    def look(_: int) -> None:
        nonlocal fullest
        fullest = max(fullest, psutil.Process().memory_info().rss / 2**20)

    with transaction(), table_at(path) as table:
        report = service.import_instruments(owner, table, progress=look)
    assert report.created == rows, report
    return fullest, rows / (time.perf_counter() - began)
