"""What is said of reservations that need approval: asked for, approved, declined, expired."""

from collections.abc import Mapping

from flask_babel import gettext

from booking.notices.rules import Kind

KINDS = frozenset({Kind.REQUEST, Kind.APPROVED, Kind.DECLINED, Kind.EXPIRED})


def subject(kind: Kind, what: Mapping[str, str], *, at_owner: bool) -> str:
    """Return the letter's subject; `what` names instrument and time."""
    if kind is Kind.REQUEST:
        if at_owner:
            return str(gettext("待您审批：%(instrument)s，%(when)s", **what))
        return str(gettext("已提交，待机构审批：%(instrument)s，%(when)s", **what))
    if kind is Kind.APPROVED:
        return str(gettext("已批准：%(instrument)s，%(when)s", **what))
    if kind is Kind.DECLINED:
        return str(gettext("未获批准：%(instrument)s，%(when)s", **what))
    return str(gettext("逾期未答复：%(instrument)s，%(when)s", **what))


def sentence(kind: Kind, customer: str, *, at_owner: bool) -> str:
    """Return the letter's first sentence."""
    return _for_owner(kind, customer) if at_owner else _for_customer(kind)


def _for_owner(kind: Kind, customer: str) -> str:
    if kind is Kind.REQUEST:
        return str(gettext("%(customer)s预约了这台仪器，请批准或退回。", customer=customer))
    if kind is Kind.APPROVED:
        return str(gettext("预约已批准，并已通知企业。"))
    if kind is Kind.DECLINED:
        return str(gettext("预约已退回，时段已释放，并已通知企业。"))
    return str(gettext("没有在期限内答复，时段已释放。"))


def _for_customer(kind: Kind) -> str:
    if kind is Kind.REQUEST:
        return str(gettext("时段已为您保留，机构批准后预约成立。"))
    if kind is Kind.APPROVED:
        return str(gettext("机构批准了您的预约。"))
    if kind is Kind.DECLINED:
        return str(gettext("很抱歉，机构没有批准这个预约，时段已释放。"))
    return str(gettext("很抱歉，机构没有在期限内答复，时段已释放。"))


def called_off(kind: Kind, what: str) -> str:
    """Return the title of a calendar entry that will not take place."""
    if kind is Kind.DECLINED:
        return str(gettext("未获批准：%(what)s", what=what))
    if kind is Kind.EXPIRED:
        return str(gettext("逾期未答复：%(what)s", what=what))
    return str(gettext("已取消：%(what)s", what=what))
