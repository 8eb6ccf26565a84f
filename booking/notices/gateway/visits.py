"""Letters about reservations, for the side that comes and the side that is visited."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext, pgettext

from booking.kernel import clock, formats
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot
from booking.notices.gateway import asked
from booking.notices.gateway.letter import Entry, Facts, Letter, url
from booking.notices.rules import CALLED_OFF, EVENTS, Kind, Side


class Visit:
    """A reservation's facts, written by the clock on the lab's wall."""

    def __init__(self, reservation_id: int, facts: Facts, side: Side) -> None:
        self.id = reservation_id
        self.facts = facts
        self.zone = ZoneInfo(facts["zone"])
        self.slot = TimeSlot(*(datetime.fromisoformat(facts[end]) for end in _ENDS))
        self.when = self._written(self.slot)
        self.at_owner = side is Side.OWNER
        until = facts.get("expires_at")
        self.held_until = datetime.fromisoformat(until) if until else None

    @property
    def before(self) -> str:
        """Return when it was before it was moved."""
        ends = (datetime.fromisoformat(self.facts[f"was_{end}"]) for end in _ENDS)
        return self._written(TimeSlot(*ends))

    @property
    def new_mode(self) -> str:
        """Return the way of operating if that was changed, in words."""
        now = self.facts.get("now_assisted")
        if now is None:
            return ""
        return str(gettext("机组协助") if now else gettext("自主上机"))

    def _written(self, slot: TimeSlot) -> str:
        words = formats.slot(slot, self.zone)
        if self.zone == clock.CHINA:
            return words
        return str(gettext("%(when)s（%(zone)s 时间）", when=words, zone=self.zone.key))

    @property
    def price(self) -> Money:
        """Return what is due."""
        return Money(self.facts["price_minor"], self.facts["currency"])

    @property
    def fee(self) -> str:
        """Return what is due though nothing was used, written; empty if nothing is."""
        minor = self.facts.get("fee_minor")
        return formats.money(Money(minor, self.facts["currency"])) if minor else ""

    @property
    def saving(self) -> Money | None:
        """Return what it saves; None if there is nothing to compare it with, or nothing saved."""
        baseline = self.facts.get("baseline_minor")
        if baseline is None or baseline == self.facts["price_minor"]:
            return None
        return Money(baseline, self.facts["currency"]) - self.price


_ENDS = ("starts_at", "ends_at")


def compose(kind: Kind, side: Side, facts: Facts, subject_id: int) -> Letter:
    """Return the letter about a reservation."""
    visit = Visit(subject_id, facts, side)
    rows = [(label, value) for label, value in _rows(kind, visit) if value]
    return Letter(
        subject=_subject(kind, visit),
        sentence=_sentence(kind, visit),
        why=gettext("您收到这条通知，因为它涉及您机构的仪器。")
        if visit.at_owner
        else gettext("您收到这条通知，因为它涉及您单位的预约。"),
        rows=rows,
        steps=list(_steps(kind, visit)),
        offers=list(_offers(visit)),
        button=_button(kind, visit),
        number=facts["number"],
        entry=_entry(kind, visit, rows) if kind in EVENTS else None,
    )


def _button(kind: Kind, visit: Visit) -> tuple[str, str]:
    if visit.at_owner and _waits(kind, visit):
        return gettext("审批"), url(f"/institution/approvals/{visit.id}")
    return gettext("查看预约"), url(f"/reservations/{visit.id}")


def _waits(kind: Kind, visit: Visit) -> bool:
    """Tell whether the owner is asked to approve it."""
    return kind in {Kind.REQUEST, Kind.CHANGE} and visit.held_until is not None


def _subject(kind: Kind, visit: Visit) -> str:
    what = {"instrument": visit.facts["instrument"], "when": visit.when}
    if kind in asked.KINDS:
        return asked.subject(kind, what, at_owner=visit.at_owner)
    match kind:
        case Kind.CHANGE:
            stays = visit.new_mode and visit.before == visit.when
            mode = gettext("使用方式已更改：%(instrument)s，%(when)s", **what)
            return str(mode if stays else gettext("已改期：%(instrument)s，%(when)s", **what))
        case Kind.CANCELLATION:
            return str(gettext("已取消：%(instrument)s，%(when)s", **what))
        case Kind.REMINDER:
            soon = formats.near(visit.slot.starts_at, visit.zone)
            return str(gettext("%(near)s：%(instrument)s", **what | {"near": soon}))
    if visit.at_owner:
        return str(gettext("新预约：%(instrument)s，%(when)s", **what))
    return str(gettext("已预约：%(instrument)s，%(when)s", **what))


def _sentence(kind: Kind, visit: Visit) -> str:
    if kind in asked.KINDS:
        return asked.sentence(kind, visit.facts["customer"], at_owner=visit.at_owner)
    match kind:
        case Kind.CHANGE:
            return _moved(visit)
        case Kind.CANCELLATION:
            return _called_off(visit)
        case Kind.REMINDER:
            return str(gettext("提醒您：预约的时间快到了。"))
    if visit.at_owner:
        return str(gettext("%(customer)s预约了这台仪器。", customer=visit.facts["customer"]))
    return str(gettext("预约成功，时段已为您保留。"))


def _called_off(visit: Visit) -> str:
    if visit.facts["by_owner"] and not visit.at_owner:
        return str(gettext("很抱歉，机构取消了这个预约，时段已释放。"))
    return str(gettext("预约已取消，时段已释放。"))


def _moved(visit: Visit) -> str:
    if visit.new_mode and visit.before == visit.when:
        return str(gettext("使用方式已改为%(mode)s，价格已重新计算。", mode=visit.new_mode))
    moved = {"was": visit.before, "when": visit.when}
    if visit.held_until is not None:
        return str(gettext("预约已从 %(was)s 改到 %(when)s，新时段须机构批准。", **moved))
    return str(gettext("预约已从 %(was)s 改到 %(when)s。", **moved))


def _rows(kind: Kind, visit: Visit) -> Iterator[tuple[str, str]]:
    facts = visit.facts
    yield pgettext("letter", "仪器"), f"{facts['instrument']} {facts['model']}".strip()
    yield pgettext("letter", "时间"), visit.when
    if kind is Kind.CHANGE and visit.before != visit.when:
        yield gettext("原时间"), visit.before
    if visit.new_mode:
        yield gettext("使用方式"), visit.new_mode
    if visit.at_owner:
        yield gettext("客户单位"), facts["customer"]
    else:
        yield gettext("机构"), facts["institution"]
    if kind in CALLED_OFF:
        yield gettext("原因"), facts.get("reason") or facts.get("note", "")
        yield gettext("逾期取消费"), visit.fee
        return
    if _waits(kind, visit) and visit.held_until is not None:
        yield gettext("答复期限"), formats.moment(visit.held_until, visit.zone)
    if kind is Kind.APPROVED:
        yield gettext("机构的话"), facts["note"]
    if not visit.at_owner:
        yield gettext("地点"), facts["place"]
        yield gettext("联系人"), facts["contact"]
    yield gettext("用途"), facts["purpose"]
    for line in facts.get("lines") or ():
        amount = Money(line["amount_minor"], facts["currency"])
        yield formats.charge(line, facts["currency"]), formats.money(amount)
    yield gettext("应付（含税）"), formats.money(visit.price)
    if not visit.at_owner and visit.saving is not None:
        yield gettext("预计节约"), formats.money(visit.saving)


def _steps(kind: Kind, visit: Visit) -> Iterator[str]:
    if visit.at_owner:
        return
    if kind in CALLED_OFF:
        if kind is not Kind.CANCELLATION or visit.facts["by_owner"]:
            yield gettext("可以改约其他时间，或另找一台同类仪器。")
        return
    if _waits(kind, visit):
        yield gettext("答复前可以随时改期或撤回，不收费。")
        return
    yield gettext("请按时到达，带上样品和夹具要求。")
    if visit.facts["requirement"]:
        yield visit.facts["requirement"]
    minutes = visit.facts["change_until_minutes"]
    if kind is not Kind.REMINDER and minutes is not None:
        until = visit.slot.starts_at - timedelta(minutes=minutes)
        yield _free_until(formats.moment(until, visit.zone), visit.facts)


def _free_until(moment: str, facts: Facts) -> str:
    late_fee = facts.get("late_fee_minor")
    if late_fee is None:
        return str(gettext("%(moment)s 前可免费取消。", moment=moment))
    amount = formats.money(Money(late_fee, facts["currency"]))
    return str(
        gettext("%(moment)s 前可免费取消；之后收 %(amount)s。", moment=moment, amount=amount)
    )


def _offers(visit: Visit) -> Iterator[tuple[str, str]]:
    """Yield what is free instead, with the address at which it is chosen already."""
    if visit.at_owner:
        return
    for offer in visit.facts.get("offers", ()):
        slot = TimeSlot(*(datetime.fromisoformat(offer[end]) for end in _ENDS))
        start = slot.starts_at.astimezone(visit.zone).strftime("%Y-%m-%dT%H:%M")
        said = gettext(
            "%(when)s · %(instrument)s · %(price)s",
            when=formats.slot(slot, visit.zone),
            instrument=offer["instrument"],
            price=formats.money(Money(offer["price_minor"], offer["currency"])),
        )
        path = f"/instruments/{offer['instrument_id']}?minutes={slot.minutes}&start={start}"
        yield str(said), url(path)


def _entry(kind: Kind, visit: Visit, rows: Sequence[tuple[str, str]]) -> Entry:
    facts, is_off = visit.facts, kind in CALLED_OFF
    what = facts["instrument"]
    if visit.at_owner:
        what = gettext("%(one)s · %(other)s", one=what, other=facts["customer"])
    if _waits(kind, visit):
        what = gettext("待审批：%(what)s", what=what)
    return Entry(
        method="CANCEL" if is_off else "REQUEST",
        thing=f"parties:reservation:{visit.id}",
        number=facts["number"],
        sequence=facts["sequence"],
        slot=visit.slot,
        created_at=datetime.fromisoformat(facts["created_at"]),
        summary=asked.called_off(kind, what) if is_off else what,
        description="\n".join(labelled(*row) for row in rows),
        place=facts["place"],
        contact=facts["contact"],
        url=url(f"/reservations/{visit.id}"),
        is_tentative=_waits(kind, visit),
    )


def labelled(label: str, value: str) -> str:
    """Return a fact as one line of text."""
    return str(gettext("%(label)s：%(value)s", label=label, value=value))
