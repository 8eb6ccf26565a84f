"""Loading everything once, in the order in which it happened, and greeting who starts the demo."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time, timedelta
from functools import partial

from booking.accounts import queries as accounts
from booking.accounts import service as accounts_service
from booking.accounts.rules import Caller, Scope
from booking.authorisations.rules import Operation
from booking.availability.models import OccupancyKind
from booking.console import service as console
from booking.demo import (
    catalogue,
    charges,
    classes,
    papers,
    people,
    policies,
    queueing,
    scope,
    tables,
    together,
)
from booking.demo.bookings import FAULT, Booking, Planner
from booking.demo.hours import MANNERS, Calendar
from booking.demo.operators import AUTHORISED, MICROSCOPE, Learning
from booking.demo.packages import PAID_SO, Selling
from booking.demo.tables import Colleague, Stop
from booking.demo.uses import Days, Step
from booking.kernel import clock
from booking.notices import service as notices
from booking.reservations import queries
from booking.reservations import service as reservations
from booking.reservations.models import (
    CAME_TO_NOTHING,
    Reservation,
    ReservationStatus,
    Settlement,
)

Event = tuple[datetime, Callable[[], object]]
HISTORY = 100  # days since which everybody is here
_FORESEEN = 45  # days ago at which closures were announced
STANDS = frozenset(ReservationStatus) - CAME_TO_NOTHING - {ReservationStatus.TENTATIVE}
_THOUGHT = timedelta(hours=2)  # after which an owner answers
_UNREAD = 3  # days: what begins later is not looked at yet
_TURNS, _DECLINED, _FORGOTTEN = 8, 3, 6  # of so many the third is declined, and so on
_WRITER, _BUYER = "lab", "firm"
_HALF_WRITTEN = {
    "name": ["激光共聚焦显微镜"],
    "model": ["OLS5100"],
    "worth_wan": ["168"],
    "technical": ["横向分辨率 0.12 μm；总倍率 54–17280×"],
}
_FOUND_BEFORE = timedelta(minutes=5)  # the end of the use
_LATELY = 2  # days: what is older has been read


def load() -> bool:
    """Load the data once; returns whether there was anything to do. The caller commits."""
    if accounts.user_by_login("firm@demo.example") is not None:
        return False
    calendar = Calendar()
    with clock.pretend(calendar.days_before(HISTORY, time(9))):
        everybody = people.register()
        ids = catalogue.register(everybody)
        scope.relate(everybody, clock.today())
    scene = Scene(calendar, everybody, ids)
    for at, happens in sorted(scene.events(), key=lambda event: event[0]):
        with clock.pretend(at):
            happens()
    papers.file_all(everybody, ids, calendar.today)
    reservations.close_settled()
    with clock.pretend(calendar.days_before(1, time(16, 20))):
        policies.decide(everybody, ids)
        _begin_to_write_up(everybody[_WRITER])
    queueing.wait(everybody, ids, calendar)
    _settle_notices(calendar)
    return True


def _begin_to_write_up(writer: Caller) -> None:
    """Leave an instrument half written up, as people do."""
    draft = console.start_draft(next(iter(writer.organisations)), caller=writer)
    console.keep_typed(draft.id, _HALF_WRITTEN, caller=writer)


def _settle_notices(calendar: Calendar) -> None:
    """Fill the inboxes with what happened; nobody gets mails about a past that never was."""
    while notices.expand(by_mail=False):
        pass
    notices.mark_old_read(before=calendar.days_before(_LATELY, time(0)))


class Scene:
    """What happens between the people, each thing with its instant."""

    def __init__(
        self, calendar: Calendar, everybody: Mapping[str, Caller], ids: Mapping[int, int]
    ) -> None:
        self.calendar = calendar
        self.everybody = everybody
        self.ids = ids
        self.reserved: dict[Booking, int] = {}
        self.asked = 0
        self.selling = Selling(calendar, everybody[_WRITER], everybody[_BUYER], ids)
        self.sites = {row.number: tables.sites()[row.site] for row in tables.instruments()}

    def events(self) -> Iterator[Event]:
        """Yield everything that happens, in no order."""
        days, ended = Days(self.calendar), []
        bookings = Planner(self.calendar).bookings()
        missed = scope.missed(bookings, before=self.calendar.days_before(1, time(0)))
        for booking in bookings:
            yield booking.made_at, partial(self._reserve, booking)
            yield booking.made_at + _THOUGHT, partial(self._decide, booking)
            if booking.cancelled_at is not None:
                yield booking.cancelled_at, partial(self._cancel, booking)
                continue
            happened = list(days.steps(booking))
            if booking in missed:
                happened = [days.missed(booking)]
            for step in happened:
                yield step.at, partial(self._take, booking, step)
                if step.action == "end" and self._owner_of(booking) == _WRITER:
                    ended.append((step.at - _FOUND_BEFORE, booking))
        at, booking = max(ended, key=lambda end: end[0])
        yield at, partial(self._report, booking)
        yield self.calendar.days_before(1, time(19)), reservations.expire_holds
        yield self.calendar.days_before(1, time(19, 30)), partial(scope.settle_fees, self.everybody)
        at = self.calendar.days_before(1, time(16, 40))
        yield at, partial(together.book, self.everybody, self.ids, self.calendar)
        learning = Learning(self.calendar, self.everybody, self.ids[MICROSCOPE])
        yield from learning.events()
        for stop in tables.stops():
            yield self._said_at(stop), partial(self._close, stop)
        yield from self.selling.events()
        for change in charges.CHANGES:
            at = charges.moment(change, self.calendar)
            owner = self.everybody[self.sites[change.instrument].institution]
            yield at, partial(change.publish, self.ids, owner, at)
        yield from classes.events(self.calendar, self.everybody, self.ids)
        yield self.calendar.days_before(2, time(15, 20)), people.apply_for_verification
        for colleague in tables.colleagues():
            yield from self._joining(colleague)

    def _joining(self, colleague: Colleague) -> Iterator[Event]:
        """Yield what became of somebody who was invited."""
        manager, days = self.everybody[colleague.organisation], self.calendar.days_before
        invited_at = days(colleague.days, time(10, 30))
        yield invited_at, partial(people.invite, colleague, manager)
        if colleague.disabled:
            disabled_at = days(colleague.disabled, time(17, 30))
            yield disabled_at, partial(people.disable, colleague, manager)

    def _said_at(self, stop: Stop) -> datetime:
        """Return when a closure was announced: a fault last of all, after every booking."""
        if stop.kind == FAULT:
            return self.calendar.days_before(1, time(17, 40))
        return self.calendar.days_before(_FORESEEN, time(10))

    def _reserve(self, booking: Booking) -> None:
        is_statutory = not booking.by_hand and scope.is_statutory(len(self.reserved))
        made = reservations.reserve(
            self.ids[booking.instrument],
            booking.slot,
            caller=self.everybody[booking.login],
            purpose=scope.STATUTORY if is_statutory else booking.purpose,
            is_assisted=self._is_assisted(booking),
            is_statutory=is_statutory,
            prepaid=self._prepaid(booking),
        )
        self.reserved[booking] = made.id

    def _prepaid(self, booking: Booking) -> int | None:
        """Return the balance with which the firm pays for the one instrument, once it has it."""
        is_so = booking.login == _BUYER and booking.instrument == PAID_SO
        return self.selling.bought if is_so else None

    def _is_assisted(self, booking: Booking) -> bool | None:
        """Return True for who may not operate it; None, whatever is usual, for all others."""
        row = tables.instruments()[booking.instrument - 1]
        needs = MANNERS[row.terms].operation is Operation.AUTHORISED
        is_authorised = (booking.login, booking.instrument) in AUTHORISED
        return True if needs and not is_authorised else None

    def _decide(self, booking: Booking) -> None:
        """Let the owner answer what was asked for; some wait, some for too long."""
        owner = self.everybody[self.sites[booking.instrument].institution]
        found = queries.get_reservation(self.reserved[booking], caller=owner)
        if found.status is not ReservationStatus.TENTATIVE:
            return
        if booking.slot.starts_at > self.calendar.days_before(-_UNREAD, time(0)):
            return
        self.asked += not booking.by_hand
        turn = 0 if booking.by_hand else self.asked % _TURNS
        if turn == _FORGOTTEN:
            return
        if turn == _DECLINED:
            reservations.decline(found.id, caller=owner, reason="请先提供工件图纸，再约时间")
        else:
            reservations.approve(found.id, caller=owner)

    def _cancel(self, booking: Booking) -> None:
        found = queries.get_reservation(
            self.reserved[booking], caller=self.everybody[booking.login]
        )
        if found.status in CAME_TO_NOTHING:
            return
        reservations.cancel(
            self.reserved[booking], caller=self.everybody[booking.login], reason=booking.reason
        )

    def _report(self, booking: Booking) -> None:
        """Report what did not work, which nobody has answered yet."""
        reservations.report_fault(
            self.reserved[booking],
            "运行中有异响，读数跳动",
            caller=self.everybody[booking.login],
            stops_use=False,
        )

    def _owner_of(self, booking: Booking) -> str:
        return self.sites[booking.instrument].institution

    def _take(self, booking: Booking, step: Step) -> None:
        """Let a step happen to a booking that stands; a closure may have cancelled it."""
        reservation_id = self.reserved[booking]
        owner = self.everybody[self._owner_of(booking)]
        caller = owner if step.by_owner else self.everybody[booking.login]
        found = queries.get_reservation(reservation_id, caller=caller)
        if found.status not in STANDS:
            return
        match step.action:
            case "start":
                reservations.check_in(reservation_id, caller=caller)
            case "end":
                reservations.check_out(reservation_id, caller=caller)
            case "miss":
                reservations.no_show(reservation_id, caller=caller, note=step.words)
            case "confirm":
                reservations.confirm_usage(reservation_id, caller=caller)
            case "agree":
                reservations.agree(reservation_id, caller=caller)
            case "object":
                reservations.object_to(reservation_id, caller=caller, reason=step.words)
            case "answer":
                reservations.confirm_usage(reservation_id, caller=caller, note=step.words)
            case "settle":
                self._settle(found, step, owner)

    def _settle(self, found: Reservation, step: Step, owner: Caller) -> None:
        """Settle what may be settled by then; what was not agreed waits out the time."""
        day, offered = clock.today(), reservations.settlements(found)
        has_paper = Settlement.PAID in offered
        usual = step.settlement or Settlement.PAID
        reservations.settle(
            found.id,
            caller=owner,
            settlement=usual if has_paper else offered[0],
            settled_on=day,
            reference="" if not has_paper else f"回单 {day:%Y%m%d}-{found.id:04}",
        )

    def _close(self, stop: Stop) -> None:
        instrument_id = self.ids[stop.instrument]
        slot = self.calendar.slot(stop.day, stop.start, stop.hours)
        hit = queries.in_the_way(instrument_id, slot, unit=None).reservations
        reservations.close(
            instrument_id,
            slot,
            OccupancyKind(stop.kind),
            caller=self.everybody[self.sites[stop.instrument].institution],
            reason=stop.reason,
            cancel=[reservation.id for reservation in hit],
        )


def welcome(address: str) -> Iterator[str]:
    """Yield what is printed at start: log-ins and three things to try. The caller commits."""
    user = accounts.user_by_login("firm@demo.example")
    if user is None:
        return
    _, token = accounts_service.issue_token(
        user.id, scopes=list(Scope), days=1, name="demo", by=None
    )
    slot = Calendar().slot(7, "09:00", 2)
    yield f"仪器共享服务 · 演示数据  {address}"
    yield f"登录（密码都是 {people.PASSWORD}）："
    yield from (f"  {email:24} {who}" for email, who in people.LOG_INS.items())
    yield "试一试："
    yield f"  1. 浏览器打开 {address}/api/docs"
    yield "  2. 找一台空闲的试验机，约下来："
    yield f"     curl '{address}/api/v1/free-slots?category=0201&region=4301&minutes=120'"
    yield f"     curl -X POST {address}/api/v1/reservations \\"
    yield f"       -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \\"
    yield (
        f'       -d \'{{"instrument_id": 1, "starts_at": "{slot.starts_at.isoformat()}", '
        f'"ends_at": "{slot.ends_at.isoformat()}", "purpose": "拉伸试验"}}\''
    )
    yield f"  3. 用日历软件订阅 {address}/calendars/instruments/1.ics"
