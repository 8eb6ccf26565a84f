"""How pages write dates, times, money and the rest (ux §11): one filter each, zh and en."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_interval
from babel.numbers import format_decimal
from flask import Flask
from flask_babel import get_locale, gettext
from markupsafe import Markup

from booking.kernel import clock
from booking.kernel.money import Money, wan_yuan
from booking.kernel.names import masked
from booking.kernel.timeslot import TimeSlot

NOTHING = "—"
MINUS = "−"
_PATTERNS = {
    "zh": {
        "day": "M月d日 EEE",
        "other_year": "y年M月d日 EEE",
        "weekday": "EEE",
        "month": "y年M月",
        "joint": " ",
    },
    "en": {
        "day": "EEE d MMM",
        "other_year": "EEE d MMM y",
        "weekday": "EEE",
        "month": "MMMM y",
        "joint": ", ",
    },
}
# In the order they are asked: every Edge also says Chrome, every Chrome also says Safari.
_BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_MACHINES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def day(when: date | datetime, zone: ZoneInfo = clock.CHINA) -> str:
    """Return `11月23日 周一` / `Mon 23 Nov`, with the year if it is another than today's."""
    on = _on(when, zone)
    pattern = "day" if on.year == clock.today().year else "other_year"
    return _written(on, pattern)


def days(first: date, last: date) -> str:
    """Return `2026年11月23日至29日` / `23 – 29 Nov 2026`: from the first day to the last."""
    return str(format_interval(first, last, "yMMMd", locale=_language()))


def month(first: date) -> str:
    """Return `2026年11月` / `November 2026`."""
    return _written(first, "month")


def time_of_day(instant: datetime, zone: ZoneInfo = clock.CHINA) -> str:
    """Return `14:00` on the wall of the zone."""
    return f"{instant.astimezone(zone):%H:%M}"


def moment(instant: datetime, zone: ZoneInfo = clock.CHINA) -> str:
    """Return the full day and the time: `11月24日 周二 14:00` / `Tue 24 Nov, 14:00`."""
    return day(instant, zone) + _joint() + time_of_day(instant, zone)


def slot(span: TimeSlot, zone: ZoneInfo = clock.CHINA) -> str:
    """Return `11月23日 周一 14:00–16:00`; over midnight and over several days as ux §11 says."""
    starts, ends = span.starts_at.astimezone(zone), span.ends_at.astimezone(zone)
    begins = moment(starts, zone)
    if starts.date() == ends.date():
        return f"{begins}–{ends:%H:%M}"
    if ends.date() == starts.date() + timedelta(days=1) and ends - starts < timedelta(days=1):
        next_day = gettext("次日 %(time)s", time=f"{ends:%H:%M}")
        return f"{begins}–{next_day}"
    return f"{begins} – {moment(ends, zone)}"


def near(instant: datetime, zone: ZoneInfo = clock.CHINA) -> str:
    """Return `今天 14:00`, `明天 08:30` or `周三 11:00` within 7 days, else the full day too."""
    return near_day(instant, zone) + " " + time_of_day(instant, zone)


def near_day(instant: datetime, zone: ZoneInfo = clock.CHINA) -> str:
    """Return the day as it is named beside a time, inside the next 7 days by its weekday."""
    on = instant.astimezone(zone).date()
    ahead = (on - clock.now().astimezone(zone).date()).days
    if ahead == 0:
        return str(gettext("今天"))
    if ahead == 1:
        return str(gettext("明天"))
    return _written(on, "weekday") if 1 < ahead < 7 else day(instant, zone)


def weekday(when: date | datetime, zone: ZoneInfo = clock.CHINA) -> str:
    """Return `周三` / `Wed`."""
    return _written(_on(when, zone), "weekday")


def past(instant: datetime, zone: ZoneInfo = clock.CHINA) -> str:
    """Return `12 分钟前` under an hour, `今天 09:20` today, else the full day and time."""
    now = clock.now()
    minutes = int((now - instant).total_seconds() // 60)
    if 0 <= minutes < 1:
        return str(gettext("刚刚"))
    if 0 < minutes < 60:
        return str(gettext("%(minutes)s 分钟前", minutes=minutes))
    if instant.astimezone(zone).date() == now.astimezone(zone).date():
        return near(instant, zone)
    return moment(instant, zone)


def iso_day(when: date | datetime | None, zone: ZoneInfo = clock.CHINA) -> str:
    """Return `2026-11-23`, for tables and certificates; `—` for None."""
    return NOTHING if when is None else _on(when, zone).isoformat()


def length(minutes: int) -> str:
    """Return `2 小时`, `1 小时 30 分` or `45 分钟`."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return str(gettext("%(minutes)s 分钟", minutes=rest))
    if not rest:
        return str(gettext("%(hours)s 小时", hours=hours))
    return str(gettext("%(hours)s 小时 %(minutes)s 分", hours=hours, minutes=rest))


def tight(minutes: int) -> str:
    """Return `1.5 h`, for narrow places; half hours and quarters exactly."""
    return f"{_decimal(Decimal(minutes) / 60, '#,##0.##')} h"


def hours(minutes: int) -> str:
    """Return a sum of hours with one decimal, `1,599.0 h`."""
    return f"{_decimal(Decimal(minutes) / 60, '#,##0.0')} h"


def figure(amount: Money) -> str:
    """Return the amount alone, `12,480.00`, where the unit stands beside it."""
    text = f"{abs(Decimal(amount.amount)):,.{Money.exponent(amount.currency)}f}"
    return MINUS + text if amount.minor < 0 else text


def money(amount: Money | None) -> str:
    """Return `288.00 元` / `¥288.00`; other currencies by their code; `—` for None."""
    if amount is None:
        return NOTHING
    if amount.currency != "CNY":
        return f"{figure(amount)} {amount.currency}"
    if _language() == "zh":
        return f"{figure(amount)} 元"
    written = figure(amount)
    return f"{MINUS}¥{written[1:]}" if amount.minor < 0 else f"¥{written}"


def per_hour(amount: Money) -> str:
    """Return a unit price, `180.00 元/小时` / `¥180.00/h`."""
    return str(gettext("%(price)s/小时", price=money(amount)))


def unit_price(amount: Money, unit: str = "hour", block_minutes: int = 0) -> str:
    """Return `180.00 元/小时`, `500.00 元/4 小时`, `300.00 元/次` or `420.00 元/样品`."""
    price = money(amount)
    match unit:
        case "block":
            return f"{price}/{length(block_minutes)}"
        case "use":
            return str(gettext("%(price)s/次", price=price))
        case "sample":
            return str(gettext("%(price)s/样品", price=price))
    return per_hour(amount)


def charge(line: Mapping[str, Any], currency: str = "CNY") -> str:
    """Return what a line of a price is for, as it is kept: `公示价 180.00 元/小时 × 2 小时`."""
    item, quantity = line["item"], line["quantity"]
    if item == "discount":
        return _relief(Decimal(line["percent"]), line["name"])
    if line["unit_minor"] is None:
        words = {"minimum": gettext("补足最低收费")}
        return str(words.get(item) or gettext("公示价 × %(length)s", length=length(quantity)))
    unit = Money(line["unit_minor"], currency)
    match item:
        case "time":
            return _time_charged(line, unit)
        case "operator" | "prepaid":
            time = {"price": per_hour(unit), "length": length(quantity)}
            if item == "prepaid":
                words = gettext("预付机时 %(length)s × %(price)s，与公示价之差", **time)
            else:
                words = gettext("操作员协助 %(price)s × %(length)s", **time)
            return str(words)
        case "startup":
            return str(gettext("开机费"))
    price = unit_price(unit, "sample" if item == "samples" else "use")
    return str(gettext("公示价 %(price)s × %(length)s", price=price, length=quantity))


def _relief(percent: Decimal, name: str) -> str:
    if name:
        share = f"{percent.normalize():f}"
        return str(gettext("%(name)s优惠 −%(percent)s%%", name=name, percent=share))
    if not percent:  # agreed before the share was kept
        return str(gettext("共享优惠"))
    return str(gettext("共享优惠 %(percent)s%%", percent=f"{percent.normalize():f}"))


WHOLE_PERCENT = 100


def _time_charged(line: Mapping[str, Any], unit: Money) -> str:
    minutes, per = line["quantity"], line["per_minutes"]
    is_hourly, percent = per == HOUR, Decimal(line["percent"])
    price = per_hour(unit) if is_hourly else unit_price(unit, "block", per)
    taken = str(minutes // per) if not is_hourly and minutes % per == 0 else length(minutes)
    if percent == WHOLE_PERCENT:
        return str(gettext("公示价 %(price)s × %(length)s", price=price, length=taken))
    return str(
        gettext(
            "%(name)s %(percent)s%%：%(price)s × %(length)s",
            name=line["name"] or gettext("分时"),
            percent=f"{percent.normalize():f}",
            price=price,
            length=taken,
        )
    )


HOUR = 60


def wan(amount: Money) -> str:
    """Return `0.59 万元` (half up from 分) / `CNY 5,900`, for statistics."""
    of_ten_thousand = wan_yuan(amount.minor)
    if _language() == "zh":
        return f"{of_ten_thousand:,.2f} 万元".replace("-", MINUS)
    return f"CNY {of_ten_thousand * 10000:,.0f}".replace("-", MINUS)


def ratio(share: Decimal | None) -> str:
    """Return `66.7%`, `—` where there is nothing to divide by."""
    return NOTHING if share is None else f"{_decimal(share * 100, '#,##0.0')}%"


def count(number: int) -> str:
    """Return `1,284`."""
    return f"{number:,}"


def file_size(size: int) -> str:
    """Return `1.2 MB` or `340 kB`: what a download takes."""
    if size >= 1_000_000:
        return f"{size / 1_000_000:.1f} MB"
    return f"{max(1, round(size / 1000))} kB"


def browser(client: str) -> str:
    """Return `Chrome · Windows` for what a browser calls itself, or that it is not known."""
    parts = [_first_in(client, names) for names in (_BROWSERS, _MACHINES)]
    return " · ".join(part for part in parts if part) or gettext("其他程序")


def is_phone(client: str) -> bool:
    """Tell whether the browser runs on something held in the hand."""
    return bool(re.search(r"Mobile|iPhone|iPad|Android|HarmonyOS", client))


def _first_in(client: str, names: tuple[tuple[str, str], ...]) -> str | None:
    return next((name for mark, name in names if mark in client), None)


def _on(when: date | datetime, zone: ZoneInfo) -> date:
    return when.astimezone(zone).date() if isinstance(when, datetime) else when


def _written(on: date, pattern: str) -> str:
    return _day_written(on, pattern, _language())


@lru_cache(maxsize=2048)
def _day_written(on: date, pattern: str, language: str) -> str:
    # A page of results names each of seven days twenty times.
    return str(format_date(on, _PATTERNS[language][pattern], locale=language))


def _joint() -> str:
    return _PATTERNS[_language()]["joint"]


def _decimal(number: Decimal, pattern: str) -> str:
    return str(format_decimal(number, pattern, locale="en")).replace("-", MINUS)


def _language() -> str:
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "zh"


FILTERS = (
    day, month, time_of_day, moment, slot, near, near_day, weekday, past, iso_day, length, tight,
    hours, figure, money, per_hour, unit_price, charge, wan, ratio, count, file_size, browser,
)  # fmt: skip


def _wall(instant: datetime, zone: ZoneInfo) -> str:
    """Return the instant as `datetime-local` wants it."""
    return f"{instant.astimezone(zone):%Y-%m-%dT%H:%M}"


def _yuan(minor: int) -> str:
    """Return an amount in 分 as `288.00 元` / `¥288.00`."""
    return money(Money(minor))


def _clock_time(minute: int) -> str:
    """Return minutes since midnight as `22:00`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def isolated(name: str) -> str:
    """Return a name as a piece of its own: written from the right, it moves nothing beside it."""
    return Markup("<bdi>{}</bdi>").format(name) if name else ""


def init_formats(app: Flask) -> None:
    """Give every filter to templates by its name, and the mask for mobile numbers."""
    # Jinja has `count` and `length` of its own for lists; ours would hide them.
    own = {"count": "grouped", "length": "duration", "hours": "hours_sum"}
    for function in FILTERS:
        name = function.__name__
        app.jinja_env.filters[own.get(name, name)] = function
    app.jinja_env.filters["phone"] = masked
    app.jinja_env.filters["wall"] = _wall
    app.jinja_env.filters["yuan"] = _yuan
    app.jinja_env.filters["clock_time"] = _clock_time
    app.jinja_env.filters["isolated"] = isolated
    app.jinja_env.filters["instant"] = datetime.fromisoformat  # as evidence and facts keep it
    app.jinja_env.tests["on_a_phone"] = is_phone
