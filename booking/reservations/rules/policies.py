"""May this firm have this slot, too: what the owner asks besides time, all of it at once. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from booking.accounts.rules import CustomerClass
from booking.availability.rules import (
    DAYS_OFF,
    QUOTAS,
    BookingPolicy,
    Held,
    Pair,
    Pairing,
    Period,
    Quota,
    Unattended,
    WeekPlan,
    length,
    listed,
    night_in_words,
    only_for,
    quota_in_words,
    slot_of,
    total,
)
from booking.kernel.text import N_, Text
from booking.kernel.timeslot import TimeSlot
from booking.reservations.rules.slots import OF_TIME, Violation, from_to, wall_clock

# Who runs the instrument may set these aside for a reason: rules of time and of the policy, never
# what has begun, what is taken, or whether the instrument is fit for use.
OVERRIDABLE = (OF_TIME - {"past"}) | {
    "classes",
    "gap",
    *QUOTAS,
    *(
        f"{when}_{what}"
        for when in ("night", "days_off")
        for what in ("classes", "lead", "longest")
    ),
    *Pairing,
}


@dataclass(frozen=True)
class Left:
    """A reservation that would be left without the instrument it needs."""

    number: str
    instrument: str
    slot: TimeSlot


@dataclass(frozen=True)
class Standing:
    """Who books, and what they have booked already, as far as the policy asks."""

    customer_class: CustomerClass
    user_id: int = 0
    held: Sequence[Held] = ()
    pairs: Sequence[Pair] = ()
    left: Sequence[Left] = ()


@dataclass(frozen=True)
class _Case:
    """A slot, what is asked of it, and who wants it."""

    slot: TimeSlot
    policy: BookingPolicy
    plan: WeekPlan
    standing: Standing
    now: datetime


def broken_conditions(
    slot: TimeSlot, policy: BookingPolicy, plan: WeekPlan, standing: Standing, *, now: datetime
) -> Iterator[Violation]:
    """Yield every rule of the policy, besides those of time, that the slot breaks."""
    asked, case = policy.conditions, _Case(slot, policy, plan, standing, now)
    if not asked.admits([standing.customer_class]):
        yield Violation("classes", only_for(asked.classes or ()))
    yield from _unattended(case)
    if asked.gap_minutes:
        yield from _gap(slot, policy, standing.held)
    for name, most in asked.quotas.items():
        yield from _quota(QUOTAS[name], most, case)
    yield from broken_pairs(slot, policy, standing)


def broken_pairs(
    slot: TimeSlot | None, policy: BookingPolicy, standing: Standing
) -> Iterator[Violation]:
    """Yield what the slot breaks of other instruments' bookings; None: it is given back."""
    for pair in standing.pairs:
        if slot is None or pair.pairing is Pairing.NEEDED_BY:
            continue
        if pair.pairing is Pairing.NEEDS and not pair.is_booked:
            yield Violation(
                pair.pairing,
                N_("须同时预约“%(name)s”。请先预约它的同一时段，再预约这台仪器。", name=pair.name),
            )
        if pair.pairing is Pairing.APART and pair.is_booked:
            yield Violation(
                pair.pairing,
                N_(
                    "不能与“%(name)s”同时预约，您单位这段时间已约了它。请改约其他时段。",
                    name=pair.name,
                ),
            )
        if pair.pairing is Pairing.APART_ALL and pair.is_booked:
            yield Violation(
                pair.pairing,
                N_(
                    "与“%(name)s”不能同时使用，那台这段时间已有安排。请改约其他时段。",
                    name=pair.name,
                ),
            )
    for each in standing.left:
        if slot is None or not slot.overlaps(each.slot):
            yield Violation(
                Pairing.NEEDED_BY,
                N_(
                    "预约 %(number)s（%(name)s，%(when)s）须与这台仪器同时使用。请先改期或取消它。",
                    number=each.number,
                    name=each.instrument,
                    when=from_to(each.slot, policy.zone),
                ),
            )


def _unattended(case: _Case) -> Iterator[Violation]:
    night, days_off = case.policy.conditions.night, case.policy.conditions.days_off
    if night is not None and night.meets(case.slot, case.policy.zone):
        yield from _broken_then("night", night_in_words(night), night, case)
    if days_off is not None and days_off.meets(case.slot, case.plan):
        yield from _broken_then("days_off", DAYS_OFF, days_off, case)


def _broken_then(when: str, words: Text, asked: Unattended, case: _Case) -> Iterator[Violation]:
    slot = case.slot
    if not asked.admits([case.standing.customer_class]):
        yield Violation(f"{when}_classes", _refused_then(words, asked))
    if asked.lead_minutes is not None:
        earliest = case.now + timedelta(minutes=asked.lead_minutes)
        if slot.starts_at < earliest:
            yield Violation(
                f"{when}_lead",
                N_(
                    "%(when)s须提前 %(length)s 预约，最早可约 %(earliest)s。",
                    when=words,
                    length=length(asked.lead_minutes),
                    earliest=wall_clock(earliest, case.policy.zone),
                ),
            )
    if asked.longest_minutes is not None and slot.minutes > asked.longest_minutes:
        yield Violation(
            f"{when}_longest",
            N_(
                "%(when)s单次最长 %(limit)s，您选了 %(wanted)s。请缩短时长或改约其他时段。",
                when=words,
                limit=length(asked.longest_minutes),
                wanted=length(slot.minutes),
            ),
        )


def _refused_then(when: Text, asked: Unattended) -> Text:
    if not asked.classes:
        return N_("%(when)s不接受预约。请改约其他时段。", when=when)
    return N_(
        "%(when)s仅限%(classes)s预约。请改约其他时段。", when=when, classes=listed(asked.classes)
    )


def _gap(slot: TimeSlot, policy: BookingPolicy, held: Sequence[Held]) -> Iterator[Violation]:
    gap = timedelta(minutes=policy.conditions.gap_minutes)
    around = slot.widened(
        before_minutes=policy.conditions.gap_minutes, after_minutes=policy.conditions.gap_minutes
    )
    first, last = around.starts_at.timestamp() / 60, around.ends_at.timestamp() / 60
    for each in held:
        if first < each.ends and each.starts < last:
            other = slot_of((each.starts, each.ends))
            yield Violation(
                "gap",
                N_(
                    "同一单位的两次预约之间至少间隔 %(gap)s，您单位已约 %(other)s。"
                    "请选 %(before)s 以前结束或 %(after)s 以后开始的时段。",
                    gap=length(policy.conditions.gap_minutes),
                    other=from_to(other, policy.zone),
                    before=wall_clock(other.starts_at - gap, policy.zone),
                    after=wall_clock(other.ends_at + gap, policy.zone),
                ),
            )
            return


def _quota(quota: Quota, most: int, case: _Case) -> Iterator[Violation]:
    held = case.standing.held
    if quota.of_user:
        held = [each for each in held if each.user_id == case.standing.user_id]
    after, before, first = total(quota, case.slot, held, zone=case.policy.zone, now=case.now)
    if after <= (most * 60 if quota.in_hours else most):
        return
    rule = quota_in_words(quota, most)
    if not quota.in_hours:
        yield Violation(quota.name, _too_many(quota, rule, before, str(first)))
        return
    values = {
        "rule": rule,
        "first": str(first),
        "before": length(before),
        "wanted": length(after - before),
        "over": length(after - most * 60),
    }
    yield Violation(quota.name, Text(_TOO_LONG[quota.period].msgid, values))


_TOO_LONG = {
    Period.DAY: N_(
        "%(rule)s：%(first)s 已约 %(before)s，加上这次 %(wanted)s，超出 %(over)s。"
        "请缩短时长或改约其他日期。"
    ),
    Period.WEEK: N_(
        "%(rule)s：%(first)s 起的一周已约 %(before)s，加上这次 %(wanted)s，超出 %(over)s。"
        "请缩短时长或改约其他周。"
    ),
    Period.OPEN: N_(
        "%(rule)s：已约 %(before)s，加上这次 %(wanted)s，超出 %(over)s。"
        "请缩短时长，或待已有预约使用或取消后再约。"
    ),
}


def _too_many(quota: Quota, rule: Text, before: int, first: str) -> Text:
    if quota.period is Period.DAY:
        return N_(
            "%(rule)s：%(first)s 已约 %(before)s 次。请改约其他日期。",
            rule=rule,
            first=first,
            before=before,
        )
    if quota.period is Period.WEEK:
        return N_(
            "%(rule)s：%(first)s 起的一周已约 %(before)s 次。请改约其他周。",
            rule=rule,
            first=first,
            before=before,
        )
    return N_(
        "%(rule)s：已有 %(before)s 次。请待已有预约使用或取消后再约。", rule=rule, before=before
    )
