"""A policy as a whole, in parts that an institution decides once or an instrument itself. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from booking.accounts.rules import CustomerClass
from booking.availability.rules.conditions import (
    CONDITIONS,
    NONE,
    QUOTAS,
    Conditions,
    Unattended,
    of_document,
)
from booking.availability.rules.plans import DAY_MINUTES, WeekPlan, open_windows
from booking.availability.rules.terms import Terms
from booking.availability.rules.words import length
from booking.kernel.errors import InvalidField
from booking.kernel.text import N_, Text
from booking.kernel.timeslot import TimeSlot

TERMS = tuple(asdict(Terms()))
PARTS = (*TERMS, *CONDITIONS)
MOST_GAP, MOST_LEAD, MOST_MINUTES = 10080, 43200, 20160
_EVERYBODY = tuple(CustomerClass)

Document = dict[str, Any]  # the value of each part, as JSON has it


def usual() -> Document:
    """Return what holds where nobody decided anything."""
    return asdict(Terms()) | NONE.document()


def worked_out(own: Mapping[str, Any], defaults: Mapping[str, Any]) -> Document:
    """Return every part: the instrument's own, else its institution's, else the usual one."""
    return usual() | dict(defaults) | dict(own)


def terms_of(document: Mapping[str, Any]) -> Terms:
    """Return the document's terms."""
    return Terms(**{name: document[name] for name in TERMS})


def kept_conditions(document: Mapping[str, Any]) -> Document | None:
    """Return what a schedule keeps of the conditions, besides the classes; None: nothing."""
    asked = ("gap_minutes", "quotas", "night", "days_off")
    return {name: document[name] for name in asked if document[name]} or None


def check_policy(document: Mapping[str, Any]) -> None:
    """Raise InvalidField for the first value that cannot be."""
    terms_of(document).check()
    asked = of_document(document)
    if asked.classes == ():
        raise InvalidField(
            "classes", N_("请至少选择一类客户。要停止预约，请登记停用时段或撤回仪器。")
        )
    _between("gap_minutes", asked.gap_minutes, 0, MOST_GAP)
    for name, most in asked.quotas.items():
        if name not in QUOTAS:
            raise InvalidField("quotas", N_("没有这种限额。"))
        _between(name, most, 1, QUOTAS[name].most)
    for name, unattended in (("night", asked.night), ("days_off", asked.days_off)):
        if unattended is not None:
            _check_unattended(name, unattended)
    night = asked.night
    if night and not 0 <= night.ends_minute < night.begins_minute <= DAY_MINUTES:
        raise InvalidField("night", N_("夜间结束须早于夜间开始，例如 18:00 到次日 08:00。"))


def _check_unattended(name: str, asked: Unattended) -> None:
    if asked.classes is None and asked.lead_minutes is None and asked.longest_minutes is None:
        raise InvalidField(name, N_("请至少填写一项限制，或选择不限制。"))
    if asked.lead_minutes is not None:
        _between(f"{name}_lead_minutes", asked.lead_minutes, 0, MOST_LEAD)
    if asked.longest_minutes is not None:
        _between(f"{name}_longest_minutes", asked.longest_minutes, 5, MOST_MINUTES)


def _between(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidField(name, N_("须在 %(least)s 到 %(most)s 之间。", least=least, most=most))


def unbookable(
    document: Mapping[str, Any], plan: WeekPlan, window: TimeSlot
) -> Iterator[tuple[str, Text]]:
    """Yield each part that leaves nobody any slot, with why and what to do."""
    terms, asked = terms_of(document), of_document(document)
    if terms.lead_minutes + terms.shortest_minutes > terms.horizon_days * DAY_MINUTES:
        yield (
            "lead_minutes",
            N_(
                "至少提前 %(lead)s 才能约，最多却只能提前 %(days)s 天，没有时段可约。"
                "请缩短提前时间，或增加可提前的天数。",
                lead=length(terms.lead_minutes),
                days=terms.horizon_days,
            ),
        )
    for name, most in asked.quotas.items():
        if QUOTAS[name].in_hours and most * 60 < terms.shortest_minutes:
            yield (
                name,
                N_(
                    "单次最短 %(shortest)s，超过这个限额，没有人能约。请提高限额或缩短单次最短。",
                    shortest=length(terms.shortest_minutes),
                ),
            )
    plan = replace(plan, observes_holidays=terms.observes_holidays)
    if plan.ever_opens:
        yield from _no_room(terms, asked, plan, window)


def _no_room(
    terms: Terms, asked: Conditions, plan: WeekPlan, window: TimeSlot
) -> Iterator[tuple[str, Text]]:
    longest = _longest_open(plan, window)
    if 0 < longest < terms.shortest_minutes:
        yield (
            "shortest_minutes",
            N_(
                "最长的开放时段只有 %(longest)s，短于单次最短 %(shortest)s，没有时段可约。"
                "请缩短单次最短，或延长开放时间。",
                longest=length(longest),
                shortest=length(terms.shortest_minutes),
            ),
        )
    elif longest and _longest_open(asked.plan_for(_admitted(asked), plan), window) < (
        terms.shortest_minutes
    ):
        yield (
            "night" if asked.night is not None else "days_off",
            N_(
                "可以预约的客户在夜间、周末和节假日都不能约，其余开放时间又不够一次，没有时段可约。"
                "请放宽限制，或调整开放时间。"
            ),
        )


def _admitted(asked: Conditions) -> tuple[CustomerClass, ...]:
    return _EVERYBODY if asked.classes is None else asked.classes


def _longest_open(plan: WeekPlan, window: TimeSlot) -> int:
    return max((slot.minutes for slot in open_windows(plan, window)), default=0)


def window_to_look_at(now: Any, terms: Terms) -> TimeSlot:
    """Return the time in which a policy must leave a slot: its horizon, and three weeks."""
    return TimeSlot(now, now + timedelta(days=max(21, min(terms.horizon_days, 92))))
