"""What happened to a reservation and what comes next, as steps in time."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext

from booking.accounts import queries as accounts
from booking.journal import queries as journal
from booking.journal.models import JournalEntry
from booking.kernel import clock, formats
from booking.reservations.models import HOLDING, Reservation, ReservationStatus


@dataclass(frozen=True)
class Node:
    """A step: done, now or next."""

    state: str
    what: str
    who: str = ""
    when: str = ""
    due: str = ""
    pause: str = ""


def timeline(reservation: Reservation) -> list[Node]:
    """Return the steps in order; who did them is named by organisation, never by person."""
    happened = reversed(journal.list_entries("reservation", reservation.id))
    return [*_past(reservation, list(happened)), *_ahead(reservation)]


def _past(reservation: Reservation, entries: list[JournalEntry]) -> Iterator[Node]:
    words = {
        "reservation.reserved": gettext("已预约"),
        "reservation.approved": gettext("机构已批准"),
        "reservation.declined": gettext("机构未批准"),
        "reservation.expired": gettext("逾期未答复，时段已释放"),
        "reservation.moved": gettext("已改期"),
        "reservation.purpose_changed": gettext("已改用途"),
        "reservation.cancelled": gettext("已取消"),
        "reservation.checked_in": gettext("开始使用"),
        "reservation.checked_out": gettext("结束使用"),
        "reservation.no_show": gettext("登记为爽约"),
        "reservation.usage_confirmed": gettext("核定用时"),
        "reservation.usage_agreed": gettext("企业核对无误"),
        "reservation.usage_objected": gettext("企业提出异议"),
        "reservation.usage_corrected": gettext("答复异议，重新核定"),
        "reservation.settled": gettext("已结算"),
    }
    actors = {entry.actor_id for entry in entries if entry.actor_id is not None}
    customers = accounts.members_among(reservation.organisation_id, actors)
    zone, owner = reservation.instrument.zone, reservation.instrument.institution
    for entry in entries:
        if entry.action in words:
            who = reservation.organisation if entry.actor_id in customers else owner
            when = formats.moment(entry.at, zone)
            yield Node("done", words[entry.action], who.name, when)


def _ahead(reservation: Reservation) -> Iterator[Node]:
    if reservation.status not in HOLDING:
        yield from _afterwards(reservation)
        return
    zone, now = reservation.instrument.zone, clock.now()
    is_on = reservation.status is ReservationStatus.IN_USE or reservation.starts_at <= now
    slot = formats.slot(reservation.slot, zone)
    if reservation.status is ReservationStatus.TENTATIVE:
        until = formats.moment(reservation.expires_at, zone) if reservation.expires_at else ""
        due = gettext("最迟 %(moment)s 答复", moment=until)
        yield Node("now", gettext("待机构审批"), reservation.instrument.institution.name, due=due)
        yield Node("next", gettext("到场使用"), when=slot)
        return
    if reservation.ends_at <= now:
        yield Node("now", gettext("时段已过"), when=slot)
    elif is_on:
        yield Node("now", gettext("正在使用时段内"), when=slot)
    else:
        due = gettext("请于 %(moment)s 到场", moment=formats.moment(reservation.starts_at, zone))
        yield Node("now", gettext("待您到场使用"), reservation.organisation.name, due=due)


def _afterwards(reservation: Reservation) -> Iterator[Node]:
    owner, use = reservation.instrument.institution, reservation.use
    if reservation.status is ReservationStatus.COMPLETED:
        yield Node("now", gettext("待机构核定用时"), owner.name)
        yield Node("next", gettext("核对费用并结算"))
    elif reservation.status is ReservationStatus.USAGE_CONFIRMED and use is not None:
        until = formats.moment(use.objection_until) if use.objection_until else ""
        if use.is_disputed:
            yield Node("now", gettext("待机构答复异议"), owner.name)
        elif not use.is_accepted:
            due = gettext("%(moment)s 前可提出异议", moment=until)
            yield Node("now", gettext("待企业核对费用"), reservation.organisation.name, due=due)
        else:
            yield Node("now", gettext("待机构结算"), owner.name)
        yield Node("next", gettext("结清后计入节约费用"))
