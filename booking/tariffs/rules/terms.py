"""How an owner charges: per what, from when, at least how much, and what is due besides. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from typing import Any

from booking.kernel.money import Money
from booking.kernel.text import N_, Text

HOUR, DAY_MINUTES = 60, 1440
HOLIDAY = 7  # a day kind beside Monday 0 to Sunday 6
STEPS = frozenset({1, 5, 10, 15, 20, 30, 60})
MOST_WINDOWS, MOST_MINOR, MOST_PERCENT = 12, 10**14, 1000
LONGEST_NAME = 20


class ChargeUnit(StrEnum):
    """Per what the list price is (按机时、时段、次、样品, domain §1.4)."""

    HOUR = "hour"
    BLOCK = "block"
    USE = "use"
    SAMPLE = "sample"


OF_TIME = frozenset({ChargeUnit.HOUR, ChargeUnit.BLOCK})


@dataclass(frozen=True)
class Window:
    """Hours at which the list price is another: a percentage of it (分时计价).

    By the clock on the wall of the named days; one that closes no later than it opens holds from
    opening to midnight and from midnight to closing of each of those days.
    """

    days: tuple[int, ...]
    opens_minute: int
    closes_minute: int
    percent: int
    name: str = ""

    def parts(self) -> Sequence[tuple[int, int]]:
        """Return its wall-clock minutes within one day."""
        if self.opens_minute < self.closes_minute:
            return [(self.opens_minute, self.closes_minute)]
        late, early = (self.opens_minute, DAY_MINUTES), (0, self.closes_minute)
        return [early, late] if self.closes_minute else [late]


@dataclass(frozen=True)
class Fee:
    """What is due though nothing was used: a fixed amount, or a share of the agreed price."""

    minor: int = 0
    percent: int = 0

    def of(self, price: Money) -> Money:
        """Return the fee, never more than the price itself."""
        if self.percent:
            return Money((price.minor * self.percent * 2 + 100) // 200, price.currency)
        return Money(min(self.minor, price.minor), price.currency)


DayPlan = tuple[tuple[int, int, Window | None], ...]


@dataclass(frozen=True)
class Terms:
    """All of a price but the list price per hour; the usual values charge by the exact minute.

    Amounts are in minor units of the price's currency. `unit_minor` is the list price of a block,
    a use or a sample; that of an hour stands beside the terms.
    """

    unit: ChargeUnit = ChargeUnit.HOUR
    unit_minor: int = 0
    block_minutes: int = 0
    step_minutes: int = 1
    minimum_minutes: int = 0
    minimum_minor: int = 0
    startup_minor: int = 0
    operator_minor: int = 0  # per hour
    windows: tuple[Window, ...] = ()
    late_cancel: Fee | None = None
    no_show: Fee | None = None
    deposit_minor: int = 0

    @property
    def is_plain(self) -> bool:
        """Tell whether it is nothing but a price per hour, by the exact minute."""
        return self == USUAL

    @property
    def per_minutes(self) -> int:
        """Return for how many minutes the list price is; 0 where it is not for time."""
        return {ChargeUnit.HOUR: HOUR, ChargeUnit.BLOCK: self.block_minutes}.get(self.unit, 0)

    def billed_minutes(self, minutes: int) -> int:
        """Return the minutes that are charged: whole steps, and at least the minimum."""
        step = self.block_minutes if self.unit is ChargeUnit.BLOCK else self.step_minutes
        return max(-(-minutes // step) * step, self.minimum_minutes) if minutes else 0

    @cached_property
    def day_plans(self) -> Sequence[DayPlan]:
        """Return for each kind of day which window holds when, from midnight to midnight."""
        return [_day_plan(self.windows, kind) for kind in range(HOLIDAY + 1)]

    def plain(self) -> dict[str, Any]:
        """Return it as it is kept: what differs from the usual, always written the same."""
        kept = {
            each.name: value
            for each in fields(self)
            if (value := getattr(self, each.name)) != each.default
        }
        for name in ("late_cancel", "no_show"):
            if name in kept:
                kept[name] = {k: v for k, v in vars(kept[name]).items() if v}
        if "windows" in kept:
            kept["windows"] = [vars(each) | {"days": list(each.days)} for each in self.windows]
        return kept

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Terms":
        """Return what was kept."""
        if not plain:
            return USUAL
        given = dict(plain)
        given["unit"] = ChargeUnit(given.get("unit", ChargeUnit.HOUR))
        given["windows"] = tuple(
            Window(**(each | {"days": tuple(each["days"])})) for each in given.get("windows", ())
        )
        for name in ("late_cancel", "no_show"):
            if name in given:
                given[name] = Fee(**given[name])
        return cls(**given)


USUAL = Terms()


def _day_plan(windows: Sequence[Window], kind: int) -> DayPlan:
    parts = sorted(
        ((*part, window) for window in windows if kind in window.days for part in window.parts()),
        key=lambda part: part[0],
    )
    plan: list[tuple[int, int, Window | None]] = []
    minute = 0
    for opens, closes, window in parts:
        if opens > minute:
            plan.append((minute, opens, None))
        plan.append((opens, closes, window))
        minute = closes
    if minute < DAY_MINUTES:
        plan.append((minute, DAY_MINUTES, None))
    return tuple(plan)


def wrong_with(terms: Terms) -> Iterator[tuple[str, Text]]:
    """Yield by field everything in the terms that cannot be."""
    yield from _wrong_unit(terms)
    yield from _wrong_minutes(terms)
    yield from _wrong_amounts(terms)
    yield from _wrong_windows(terms)
    for name in ("late_cancel", "no_show"):
        yield from _wrong_fee(name, getattr(terms, name))


def _wrong_unit(terms: Terms) -> Iterator[tuple[str, Text]]:
    if terms.unit is ChargeUnit.HOUR and terms.unit_minor:
        yield "unit_price", N_("按小时计费时，请只填写每小时的价格。")
    if terms.unit is ChargeUnit.BLOCK and not HOUR // 4 <= terms.block_minutes <= DAY_MINUTES:
        yield "block_minutes", N_("一个时段须为 15 到 1440 分钟。")
    if terms.unit is not ChargeUnit.BLOCK and terms.block_minutes:
        yield "block_minutes", N_("只有按时段计费才填写时段长度。")


def _wrong_minutes(terms: Terms) -> Iterator[tuple[str, Text]]:
    if terms.step_minutes not in STEPS:
        yield "step_minutes", N_("进位须为 1、5、10、15、20、30 或 60 分钟。")
    elif terms.step_minutes != 1 and terms.unit is not ChargeUnit.HOUR:
        yield "step_minutes", N_("只有按小时计费才有进位。")
    if not 0 <= terms.minimum_minutes <= DAY_MINUTES:
        yield "minimum_minutes", N_("最低计费时长须在 0 到 1440 分钟之间。")
    elif terms.minimum_minutes and terms.unit not in OF_TIME:
        yield "minimum_minutes", N_("按次或按样品计费没有最低计费时长，请改用最低收费。")
    elif terms.unit is ChargeUnit.BLOCK and terms.minimum_minutes % (terms.block_minutes or 1):
        yield "minimum_minutes", N_("最低计费时长须为时段长度的整数倍。")


def _wrong_amounts(terms: Terms) -> Iterator[tuple[str, Text]]:
    for name in ("unit_minor", "minimum_minor", "startup_minor", "operator_minor", "deposit_minor"):
        if not 0 <= getattr(terms, name) <= MOST_MINOR:
            yield FIELD_OF.get(name, name.removesuffix("_minor")), N_("金额不能为负，也不能过大。")


FIELD_OF = {
    "unit_minor": "unit_price",
    "minimum_minor": "minimum",
    "startup_minor": "startup",
    "operator_minor": "operator_per_hour",
    "deposit_minor": "deposit",
}


def _wrong_windows(terms: Terms) -> Iterator[tuple[str, Text]]:
    if not terms.windows:
        return
    if terms.unit not in OF_TIME:
        yield "windows", N_("按次或按样品计费不分时段。")
        return
    if len(terms.windows) > MOST_WINDOWS:
        yield "windows", N_("最多 %(most)s 个时段。", most=MOST_WINDOWS)
    for window in terms.windows:
        if reason := _wrong_window(window):
            yield "windows", reason
            return
    yield from _overlapping(terms.windows)


def _wrong_window(window: Window) -> Text | None:
    if not window.days or set(window.days) - set(range(HOLIDAY + 1)):
        return N_("请为每个时段选择适用的日子。")
    if len(set(window.days)) != len(window.days):
        return N_("同一天只能选择一次。")
    in_a_day = 0 <= window.opens_minute < DAY_MINUTES and 0 <= window.closes_minute <= DAY_MINUTES
    if not in_a_day or window.opens_minute == window.closes_minute:
        return N_("时段须在 00:00 到 24:00 之间，开始与结束不能相同。")
    if not 0 <= window.percent <= MOST_PERCENT:
        return N_("时段价格须为平时的 0 到 %(most)s%%。", most=MOST_PERCENT)
    if len(window.name) > LONGEST_NAME:
        return N_("时段名称最多 %(most)s 个字。", most=LONGEST_NAME)
    return None


def _overlapping(windows: Sequence[Window]) -> Iterator[tuple[str, Text]]:
    """Yield the two that claim the same hours of the same day."""
    for n, one in enumerate(windows):
        for other in windows[n + 1 :]:
            if set(one.days) & set(other.days) and any(
                a < d and c < b for a, b in one.parts() for c, d in other.parts()
            ):
                both = {"one": written(one), "other": written(other)}
                yield (
                    "windows",
                    N_("时段“%(one)s”与“%(other)s”重叠，同一时刻只能有一个价格。", **both),
                )
                return


def written(window: Window) -> str:
    """Return the window's hours and name, as refusals print it."""
    opens, closes = (
        f"{m // 60:02}:{m % 60:02}" for m in (window.opens_minute, window.closes_minute)
    )
    return f"{window.name} {opens}–{closes}".strip()


def _wrong_fee(name: str, fee: Fee | None) -> Iterator[tuple[str, Text]]:
    if fee is None:
        return
    if bool(fee.minor) == bool(fee.percent):
        yield name, N_("请填写固定金额或应付的百分比，二者之一。")
    elif not 0 <= fee.minor <= MOST_MINOR or not 0 <= fee.percent <= 100:
        yield name, N_("百分比须在 1 到 100 之间，金额不能为负。")
