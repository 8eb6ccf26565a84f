"""Letters about what became of a reservation: used, objected to, settled, or nobody came."""

from collections.abc import Iterator
from datetime import datetime

from flask_babel import gettext, pgettext

from booking.kernel import formats
from booking.kernel.money import Money
from booking.notices.gateway.letter import Facts, Letter, url
from booking.notices.gateway.visits import Visit
from booking.notices.rules import Kind, Side

KINDS = frozenset({Kind.USAGE, Kind.OBJECTION, Kind.SETTLED, Kind.FEE, Kind.NO_SHOW, Kind.FAULT})


def compose(kind: Kind, side: Side, facts: Facts, subject_id: int) -> Letter:
    """Return the letter about a use."""
    visit = Visit(subject_id, facts, side)
    return Letter(
        subject=_subject(kind, visit),
        sentence=_sentence(kind, visit),
        why=gettext("您收到这条通知，因为它涉及您机构的仪器。")
        if visit.at_owner
        else gettext("您收到这条通知，因为它涉及您单位的预约。"),
        rows=[(label, value) for label, value in _rows(kind, visit) if value],
        button=(gettext("处理故障"), url(f"/institution/faults/{facts['fault_id']}"))
        if kind is Kind.FAULT
        else (gettext("查看预约"), url(f"/reservations/{visit.id}")),
        number=facts["number"],
    )


def _subject(kind: Kind, visit: Visit) -> str:
    what = {"instrument": visit.facts["instrument"], "when": visit.when}
    if kind is Kind.FEE:
        return _of_a_fee(waived=visit.facts["settlement"] == "waived")[0] % what
    match kind:
        case Kind.USAGE:
            return str(gettext("请核对费用：%(instrument)s，%(when)s", **what))
        case Kind.OBJECTION:
            return str(gettext("企业有异议：%(instrument)s，%(when)s", **what))
        case Kind.SETTLED:
            return str(gettext("已结算：%(instrument)s，%(when)s", **what))
        case Kind.FAULT:
            return str(gettext("故障：%(instrument)s", instrument=what["instrument"]))
        case _:
            return str(gettext("登记为爽约：%(instrument)s，%(when)s", **what))


def _sentence(kind: Kind, visit: Visit) -> str:
    if kind is Kind.FEE:
        return _of_a_fee(waived=visit.facts["settlement"] == "waived")[1]
    match kind:
        case Kind.USAGE:
            answered = gettext("机构答复了您的异议，请再核对一次。")
            asked = gettext("机构核定了使用时间和费用，请核对。")
            return str(answered if visit.facts.get("answers") else asked)
        case Kind.OBJECTION:
            return str(
                gettext("%(customer)s对核定的用时有异议。", customer=visit.facts["customer"])
            )
        case Kind.SETTLED:
            return str(gettext("机构财务已登记结算，节约费用计入统计。"))
        case Kind.FAULT:
            return _of_a_fault(stopped_use=visit.facts["stopped_use"])
        case _:
            return _of_a_no_show(by_itself=visit.facts.get("by_itself", False))


def _of_a_no_show(*, by_itself: bool) -> str:
    if by_itself:
        return str(gettext("开始后无人到场，时段已按规则释放，记为爽约。有出入请联系机构。"))
    return str(gettext("机构登记为未到场，时段已释放。有出入请联系机构。"))


def _of_a_fee(*, waived: bool) -> tuple[str, str]:
    """Return subject and sentence; nothing was used, so nothing is saved."""
    if waived:
        return (
            str(gettext("费用已免收：%(instrument)s，%(when)s")),
            str(gettext("机构免收了这笔爽约或逾期取消的费用。")),
        )
    return (
        str(gettext("费用已登记：%(instrument)s，%(when)s")),
        str(gettext("机构财务已登记这笔爽约或逾期取消的费用。没有使用，不计节约。")),
    )


def _of_a_fault(*, stopped_use: bool) -> str:
    if stopped_use:
        return str(gettext("使用者报告故障，已停止使用。请检查，并处理之后的预约。"))
    return str(gettext("使用者报告故障，还在使用。请检查。"))


def _rows(kind: Kind, visit: Visit) -> Iterator[tuple[str, str]]:
    facts = visit.facts
    yield pgettext("letter", "仪器"), f"{facts['instrument']} {facts['model']}".strip()
    yield gettext("预约时间"), visit.when
    if visit.at_owner:
        yield gettext("客户单位"), facts["customer"]
    else:
        yield gettext("机构"), facts["institution"]
    if kind is Kind.FAULT:
        yield gettext("故障现象"), facts["what"]
        return
    if kind is Kind.FEE:
        yield gettext("费用"), visit.fee
        yield gettext("原因"), facts["reason"]
        return
    if kind is Kind.NO_SHOW:
        yield gettext("说明"), facts["note"]
        yield gettext("爽约费"), visit.fee
        yield gettext("联系人"), facts["contact"]
        return
    yield gettext("核定用时"), formats.length(facts["used_minutes"])
    yield gettext("应付（含税）"), formats.money(Money(facts["due_minor"], facts["currency"]))
    if covered := facts.get("prepaid_minor"):
        left = facts["due_minor"] - covered
        yield gettext("预付机时"), formats.money(Money(-covered, facts["currency"]))
        yield gettext("还需支付"), formats.money(Money(left, facts["currency"]))
    if kind is Kind.OBJECTION:
        yield gettext("异议"), facts["reason"]
        return
    yield gettext("说明"), facts["note"]
    if kind is Kind.USAGE and facts["objection_until"]:
        until = datetime.fromisoformat(facts["objection_until"])
        yield gettext("可提异议至"), formats.moment(until)
