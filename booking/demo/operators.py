"""Who learns to operate the scanning electron microscope, who waits for it, and what is coming."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time
from functools import partial

from booking.accounts.rules import Caller
from booking.authorisations import queries
from booking.authorisations import service as authorisations
from booking.authorisations.rules import Result
from booking.demo.hours import Calendar
from booking.kernel import clock

Event = tuple[datetime, Callable[[], object]]
MICROSCOPE = 3  # its number in the table
OWNER = "lab"
TRAINED, BY_EVIDENCE = "firm", "firm10"
# Who may operate it themselves, long before any booking that is shown.
AUTHORISED = frozenset({(TRAINED, MICROSCOPE), (BY_EVIDENCE, MICROSCOPE)})
_ENDS_IN = 25  # days: soon enough to be reminded of


class Learning:
    """What happens between the people who want to operate it and its owner."""

    def __init__(
        self, calendar: Calendar, everybody: Mapping[str, Caller], instrument_id: int
    ) -> None:
        self.calendar = calendar
        self.everybody = everybody
        self.instrument_id = instrument_id

    def events(self) -> Iterator[Event]:
        """Yield everything that happens, in no order."""
        before = self.calendar.days_before
        yield before(80, time(9, 40)), partial(self._ask, TRAINED, "用过两年台式电镜")
        yield before(79, time(15)), partial(self._offer, 70, 4)
        yield before(78, time(10)), partial(self._sign_up, TRAINED)
        yield before(70, time(16, 30)), partial(self._assess, TRAINED)
        yield before(60, time(11)), partial(self._ask, BY_EVIDENCE, "持有扫描电镜操作证书")
        yield before(59, time(9, 20)), partial(self._grant, BY_EVIDENCE)
        yield before(3, time(14, 10)), partial(self._ask, "firm05", "首次使用，希望参加培训")
        yield before(2, time(10)), partial(self._offer, -8, 6)
        yield before(2, time(16)), partial(self._sign_up, "firm05")
        yield before(1, time(9, 30)), partial(self._ask, "firm02", "每月约两次涂层分析")

    @property
    def _owner(self) -> Caller:
        return self.everybody[OWNER]

    def _ask(self, login: str, note: str) -> None:
        authorisations.request(self.instrument_id, caller=self.everybody[login], note=note)

    def _offer(self, days: int, seats: int) -> None:
        begins = self.calendar.days_before(days, time(9))
        authorisations.offer(
            next(iter(self._owner.organisations)),
            self.calendar.lasting(begins, 3),
            caller=self._owner,
            instrument_ids=[self.instrument_id],
            location="主楼 302 培训室",
            seats=seats,
            note="请带一件自己的样品；上午讲解，随后逐人实操考核。",
        )

    def _sign_up(self, login: str) -> None:
        [coming, *_] = queries.coming_sessions(now=clock.now(), instrument_id=self.instrument_id)
        authorisations.sign_up(coming.row.id, caller=self.everybody[login])

    def _assess(self, login: str) -> None:
        [latest, *_] = queries.sessions_of(next(iter(self._owner.organisations)))
        seat = queries.find_seat(latest.row.id, self.everybody[login].user_id)
        if seat is not None:
            authorisations.assess(
                latest.row.id, seat.id, Result.PASSED, caller=self._owner, note="实操合格"
            )

    def _grant(self, login: str) -> None:
        asked = queries.open_request(self.instrument_id, self.everybody[login].user_id)
        if asked is not None:
            authorisations.grant(
                asked.id,
                caller=self._owner,
                grounds="省电镜中心操作证书，已核对原件",
                valid_until=self.calendar.days_before(-_ENDS_IN, time(0)).date(),
            )
