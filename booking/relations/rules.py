"""Who is related, and since when that may be said. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from booking.kernel.errors import InvalidField
from booking.kernel.names import clean_uscc
from booking.kernel.text import N_

MOST_MEMBERS = 50
EARLIEST = date(2021, 1, 1)  # nothing was counted before the notice


@dataclass(frozen=True)
class Party:
    """An organisation as it is declared: its credit code and name."""

    uscc: str
    name: str


def check_parties(parties: Collection[Party]) -> list[Party]:
    """Return them with clean codes; raise InvalidField unless they are two or more, each once."""
    clean = [Party(clean_uscc(each.uscc), each.name.strip()) for each in parties]
    if any(not each.name for each in clean):
        raise InvalidField("name", N_("请填写单位名称。"))
    if len({each.uscc for each in clean}) < len(clean):
        raise InvalidField("uscc", N_("同一个统一社会信用代码出现了两次。"))
    if not 2 <= len(clean) <= MOST_MEMBERS:
        raise InvalidField("uscc", N_("一组须有 2 到 %(most)s 个单位。", most=MOST_MEMBERS))
    return clean


def check_since(since: date, *, today: date) -> None:
    """Raise InvalidField for a beginning before anything was counted, or yet to come."""
    if since < EARLIEST:
        raise InvalidField("since", N_("起始日期不能早于 2021-01-01。"))
    if since > today:
        raise InvalidField("since", N_("起始日期不能晚于今天。"))


def check_until(until: date, *, today: date) -> None:
    """Raise InvalidField for an end in the past: what was left out then stays left out."""
    if until < today:
        raise InvalidField("until", N_("结束日期不能早于今天：已按关联处理的使用不再改计。"))
