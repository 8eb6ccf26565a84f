"""Every component in every state, with made-up contents; served in development only."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask, Response, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from booking.kernel import clock
from booking.kernel.forms import WHOLE, Form
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot

# Part of the day (per cent) that is free or under repair, and free minutes, for seven days.
WEEK: tuple[tuple[tuple[tuple[int, int, str], ...], int], ...] = (
    (((40, 15, "free"), (90, 5, "free")), 120),
    (((35, 30, "free"),), 150),
    (((0, 5, "free"), (25, 70, "free")), 420),
    (((5, 35, "upkeep"), (60, 30, "free")), 240),
    (((20, 50, "free"),), 300),
    (((10, 30, "free"),), 180),
    ((), 0),
)


@dataclass(frozen=True)
class Day:
    """A day of a strip."""

    date: date
    is_today: bool
    free_minutes: int
    earliest: datetime | None
    url: str
    is_chosen: bool
    parts: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True)
class Node:
    """A node of a timeline."""

    state: str
    what: str
    who: str = ""
    when: str = ""
    due: str = ""
    pause: str = ""


TIMELINE = (
    Node("done", "提交申请", "长沙精工机械有限公司", "11月20日 周五 09:12"),
    Node("done", "机构受理", "湖南省计量检测研究院", "11月20日 周五 15:40"),
    Node("now", "待您送样", "长沙精工机械有限公司", due="请于 11月25日 周三 前送达"),
    Node("next", "检测", "湖南省计量检测研究院"),
    Node("next", "签发报告", "湖南省计量检测研究院"),
)
PAUSED = (
    Node("done", "检测开始", "湖南省计量检测研究院", "11月18日 周三 10:00"),
    Node("now", "已暂停", "湖南省计量检测研究院", pause="等待补样，暂停期间不计时限"),
    Node("next", "签发报告"),
)
RULES = ("每次 30 分钟到 4 小时", "提前 4 小时预约", "最多提前 60 天预约", "开放时间内使用")
BROKEN = (
    "需提前 4 小时预约，最早可约今天 14:30。",
    "单次最长 4 小时，您选了 6 小时。可分两天预约。",
)
SUGGESTED = {
    "仪器": [("拉力试验机", "17 台", "#"), ("电子万能试验机", "9 台", "#")],
    "检测项目": [("金属拉伸试验", "GB/T 228.1", "#")],
}
ROWS = (
    ("YQ-2026-000123", "电子万能试验机", "confirmed", 28800),
    ("YQ-2026-000098", "三坐标测量机", "tentative", 60000),
    ("YQ-2026-000077", "洛氏硬度计", "cancelled", 0),
)


def init_styleguide(app: Flask) -> None:
    """Register the page where the configuration asks for it."""
    if app.config["STYLEGUIDE"]:
        app.add_url_rule("/styleguide", "styleguide", styleguide)
        app.add_url_rule("/styleguide/suggestions", "styleguide_suggestions", suggestions)


def styleguide() -> str:
    """Show it."""
    return render_template("styleguide/page.html", **_samples())


def suggestions() -> Response:
    """Answer the search box of the page."""
    found = SUGGESTED if request.args.get("q") != "none" else {}
    return Response(render_template("styleguide/suggestions.html", groups=list(found.items())))


def _samples() -> dict[str, Any]:
    now = clock.now()
    start = now.astimezone(clock.CHINA).replace(hour=14, minute=0, second=0, microsecond=0)
    wednesday = start + timedelta(days=2)
    return {
        "now": now,
        "slot_sample": TimeSlot(wednesday, wednesday + timedelta(hours=2)),
        "night": TimeSlot(start + timedelta(hours=8), start + timedelta(hours=12)),
        "long": TimeSlot(start, start + timedelta(days=2, hours=3)),
        "moments": [
            now - timedelta(minutes=12),
            now - timedelta(hours=2),
            now - timedelta(days=40),
        ],
        "days": list(_days(start)),
        "starts": [(wednesday - timedelta(days=1), "#"), (wednesday, "#")],
        "day_parts": [
            ("上午", [("1100", "11:00"), ("1130", "11:30")]),
            ("下午", [(f"{hour}00", f"{hour}:00") for hour in range(12, 17)]),
        ],
        "lines": [
            ("公示价 180.00 元 × 2 小时", Money(36000), False),
            ("共享优惠 20%", Money(-7200), True),
        ],
        "due": Money(28800),
        "saving": Money(7200),
        "none_saved": Money(0),
        "lost": Money(-5000),
        "rules": RULES,
        "broken": BROKEN,
        "timeline_nodes": TIMELINE,
        "paused_nodes": PAUSED,
        "rows": [(number, name, status, Money(fen)) for number, name, status, fen in ROWS],
        "fine": Form(values=MultiDict({"name": "长沙精工机械有限公司", "agreed": "yes"})),
        "wrong": _wrong(),
        "ratio_sample": Decimal("0.6667"),
        "long_name": "微机控制电液伺服万能试验机" * 15,
        "address": url_for("styleguide", _external=True),
        "samples": _words(),
    }


def _days(start: datetime) -> list[Day]:
    return [
        Day(
            date=(start + timedelta(days=at)).date(),
            is_today=at == 0,
            free_minutes=minutes,
            earliest=start + timedelta(days=at) if minutes else None,
            url="#" if minutes else "",
            is_chosen=at == 2,
            parts=parts,
        )
        for at, (parts, minutes) in enumerate(WEEK)
    ]


def _wrong() -> Form:
    """Return a form as it comes back with errors."""
    return Form(
        values=MultiDict({"uscc": "91430100MA0000000", "name": ""}),
        errors={
            WHOLE: ["没有保存。已填内容还在，请再试一次。"],
            "uscc": ["统一社会信用代码应为 18 位，您填了 17 位。"],
            "name": ["请填写单位名称。"],
            "agreed": ["请阅读并同意。"],
        },
    )


def _words() -> dict[str, str]:
    """Return made-up words by the place they stand at; templates may hold none themselves."""
    return {
        "instrument": "微机控制电子万能试验机",
        "model": "CMT5105 · 100 kN · 0.5 级",
        "institution": "湖南省计量检测研究院",
        "place": "长沙市雨花区示例路 1 号",
        "city": "长沙市",
        "baseline": "对照机构公示价（2026 年版，企业类）。",
        "formula": "公示价 180.00 元/小时 × 2 小时 = 360.00 元；您付 288.00 元；节约 72.00 元。",
        "cancel": "11月24日 周二 14:00 前可免费取消。",
        "taken": "这个时段刚被约走。最近的空档：",
        "empty": "还没有预约",
        "empty_why": "找一台仪器，按小时约下来。",
        "purpose": "原材料拉伸试验",
    }
