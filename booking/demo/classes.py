"""Finer customer classes that some institutions defined, long before the story ends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from functools import partial

from booking.accounts import queries as accounts
from booking.accounts.rules import Caller, CustomerClass
from booking.demo.hours import Calendar
from booking.pricegroups import service
from booking.pricegroups.service import Said


@dataclass(frozen=True)
class FinerClass:
    """A class of an institution, and the firms that belong to it; both by log-in."""

    institution: str
    base: CustomerClass
    name: str
    percent: int
    reason: str
    firms: tuple[str, ...]
    instruments: tuple[tuple[int, int], ...] = ()  # number in instruments.csv, percent
    days: int = 60  # ago


CLASSES = (
    FinerClass(
        "lab",
        CustomerClass.SME,
        "园区企业",
        30,
        "长沙高新区共享服务协议〔2026〕3 号",
        ("firm05", "firm07"),
        instruments=((1, 35),),
    ),
    FinerClass("lab", CustomerClass.LARGE, "长期合作", 12, "年度框架合同 HT-2026-041", ("firm04",)),
)


def define(finer: FinerClass, everybody: Mapping[str, Caller], ids: Mapping[int, int]) -> None:
    """Let the institution define it and name its members."""
    owner = everybody[finer.institution]
    (institution_id,) = owner.organisations
    own = {ids[number]: Decimal(percent) for number, percent in finer.instruments}
    said = Said(finer.name, Decimal(finer.percent), finer.reason, own)
    group = service.create_group(institution_id, finer.base, said, caller=owner)
    for login in finer.firms:
        buyer = everybody[login]
        (firm_id,) = buyer.organisations
        firm = accounts.get_organisation(firm_id, caller=buyer)
        service.add_member(group.id, firm, caller=owner)


def events(
    calendar: Calendar, everybody: Mapping[str, Caller], ids: Mapping[int, int]
) -> Iterator[tuple[datetime, partial[None]]]:
    """Yield when each was defined, and how."""
    for finer in CLASSES:
        yield calendar.days_before(finer.days, time(9)), partial(define, finer, everybody, ids)
