"""What an owner asks, said as it was set. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from booking.availability.rules.conditions import (
    QUOTAS,
    Conditions,
    Night,
    Pair,
    Pairing,
    Period,
    Quota,
    Unattended,
    listed,
)
from booking.availability.rules.terms import BookingPolicy
from booking.kernel.text import N_, Text

EVERY_FIRM, EVERY_USER = N_("每个单位"), N_("每位用户")
DAYS_OFF = N_("周末和节假日")


@dataclass(frozen=True)
class Stated:
    """What the owner set in words, and the rules that refuse in its name."""

    rules: frozenset[str]
    words: Text


def in_words(policy: BookingPolicy, pairs: Sequence[Pair] = ()) -> Iterator[Stated]:
    """Yield all rules for a slot as the owner set them."""
    yield from times_in_words(policy)
    yield from conditions_in_words(policy.conditions, pairs)
    yield from use_in_words(policy)


def times_in_words(policy: BookingPolicy) -> Iterator[Stated]:
    """Yield the rules of `broken_rules` as the owner set them."""
    yield _stated(
        N_(
            "每次 %(shortest)s 到 %(longest)s",
            shortest=length(policy.shortest_minutes),
            longest=length(policy.longest_minutes),
        ),
        "shortest",
        "longest",
    )
    yield _stated(N_("开始和结束在 %(step)s 分钟的整点上", step=policy.grid_minutes), "grid")
    lead = length(policy.lead_minutes)
    yield _stated(N_("至少提前 %(length)s 预约", length=lead), "lead_time", "past")
    yield _stated(N_("最多提前 %(days)s 天预约", days=policy.horizon_days), "horizon")
    yield _stated(N_("在开放时间内使用"), "closed")
    if policy.fit_until is not None:
        until = policy.fit_until.isoformat()
        words = N_("在检定和校准的有效期内（至 %(day)s）", day=until)
        yield _stated(words, "verification", "calibration")


def use_in_words(policy: BookingPolicy) -> Iterator[Stated]:
    """Yield what else concerns the time: what is kept free around it, and that nobody has it."""
    if policy.buffer_before_minutes or policy.buffer_after_minutes:
        yield _stated(
            N_(
                "使用前留 %(before)s 分钟、使用后留 %(after)s 分钟准备，不计费",
                before=policy.buffer_before_minutes,
                after=policy.buffer_after_minutes,
            )
        )
    if policy.release_after_minutes:
        kept = length(policy.release_after_minutes)
        yield _stated(N_("开始后 %(length)s 仍未到场，时段释放，记为爽约", length=kept))
    yield _stated(N_("这段时间没有别人预约"), "taken")


def _stated(words: Text, *rules: str) -> Stated:
    return Stated(frozenset(rules), words)


def conditions_in_words(asked: Conditions, pairs: Sequence[Pair] = ()) -> Iterator[Stated]:
    """Yield the rules of `broken_conditions` as the owner set them."""
    if asked.classes is not None:
        words = N_("仅限%(classes)s预约", classes=listed(asked.classes))
        yield Stated(frozenset({"classes"}), words)
    for when, words, found in _unattended_times(asked):
        yield from _unattended_in_words(when, words, found)
    if asked.gap_minutes:
        gap = length(asked.gap_minutes)
        words = N_("同一单位的两次预约之间至少间隔 %(gap)s", gap=gap)
        yield Stated(frozenset({"gap"}), words)
    for name, most in asked.quotas.items():
        yield Stated(frozenset({name}), quota_in_words(QUOTAS[name], most))
    for pair in pairs:
        if said := _pair_in_words(pair):
            yield Stated(frozenset({pair.pairing.value}), said)


def _unattended_times(asked: Conditions) -> Iterator[tuple[str, Text, Unattended]]:
    if asked.night is not None:
        yield "night", night_in_words(asked.night), asked.night
    if asked.days_off is not None:
        yield "days_off", DAYS_OFF, asked.days_off


@lru_cache
def night_in_words(night: Night) -> Text:
    begins, ends = (
        f"{minute // 60:02}:{minute % 60:02}" for minute in (night.begins_minute, night.ends_minute)
    )
    return N_("夜间（%(begins)s–次日 %(ends)s）", begins=begins, ends=ends)


def _unattended_in_words(when: str, words: Text, asked: Unattended) -> Iterator[Stated]:
    if asked.classes is not None:
        said = (
            N_("%(when)s仅限%(classes)s预约", when=words, classes=listed(asked.classes))
            if asked.classes
            else N_("%(when)s不接受预约", when=words)
        )
        yield Stated(frozenset({f"{when}_classes"}), said)
    if asked.lead_minutes is not None:
        lead = length(asked.lead_minutes)
        said = N_("%(when)s至少提前 %(length)s 预约", when=words, length=lead)
        yield Stated(frozenset({f"{when}_lead"}), said)
    if asked.longest_minutes is not None:
        limit = length(asked.longest_minutes)
        said = N_("%(when)s单次最长 %(limit)s", when=words, limit=limit)
        yield Stated(frozenset({f"{when}_longest"}), said)


_QUOTAS = {
    (Period.DAY, False): N_("%(who)s每天最多预约 %(most)s 次"),
    (Period.DAY, True): N_("%(who)s每天最多预约 %(most)s 小时"),
    (Period.WEEK, False): N_("%(who)s每周最多预约 %(most)s 次"),
    (Period.WEEK, True): N_("%(who)s每周最多预约 %(most)s 小时"),
    (Period.OPEN, False): N_("%(who)s未使用的预约最多 %(most)s 次"),
    (Period.OPEN, True): N_("%(who)s未使用的预约合计最多 %(most)s 小时"),
}


def quota_in_words(quota: Quota, most: int) -> Text:
    who = EVERY_USER if quota.of_user else EVERY_FIRM
    return Text(_QUOTAS[quota.period, quota.in_hours].msgid, {"who": who, "most": most})


def _pair_in_words(pair: Pair) -> Text | None:
    match pair.pairing:
        case Pairing.NEEDS:
            return N_("须同时预约“%(name)s”", name=pair.name)
        case Pairing.NEEDED_BY:
            return None
        case Pairing.APART:
            return N_("同一单位不能同时预约“%(name)s”", name=pair.name)
        case Pairing.APART_ALL:
            return N_("与“%(name)s”不能同时使用", name=pair.name)


def length(minutes: int) -> Text:
    """Return a length of time in words."""
    hours, rest = divmod(minutes, 60)
    if rest == 0 and hours:
        return N_("%(hours)s 小时", hours=hours)
    if not hours:
        return N_("%(minutes)s 分钟", minutes=rest)
    return N_("%(hours)s 小时 %(minutes)s 分", hours=hours, minutes=rest)
