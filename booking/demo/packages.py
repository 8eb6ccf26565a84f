"""Packages of hours that an institution sells, and what a firm bought of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial

from booking.accounts import queries as accounts
from booking.accounts.rules import Caller, CustomerClass
from booking.demo.hours import Calendar
from booking.kernel import clock
from booking.kernel.money import Money
from booking.packages import service as packages

Event = tuple[datetime, partial[None]]
_PUBLISHED, _BOUGHT = 60, 40  # days ago
_TESTERS, _MICROSCOPE = (1, 2), (3,)  # by their numbers in instruments.csv
PAID_SO = 1  # the instrument that the firm books with what it bought
_REFUNDS = "款项转至本院对公账户，备注机时包名称。未用机时可在有效期内申请退款，按单价退还。"


@dataclass
class Selling:
    """The institution, its instruments, and the firm that bought hours of it."""

    calendar: Calendar
    owner: Caller
    firm: Caller
    ids: Mapping[int, int]
    sold: dict[str, int] = field(default_factory=dict)
    bought: int | None = None  # the balance, once the firm has one

    def events(self) -> Iterator[Event]:
        """Yield what is published and bought, each with its instant."""
        published = self.calendar.days_before(_PUBLISHED, time(15))
        for n, (name, instruments, hours, yuan) in enumerate(
            (
                ("力学试验 20 小时", _TESTERS, 20, 2600),
                ("力学试验 50 小时", _TESTERS, 50, 6000),
                ("扫描电镜 10 小时", _MICROSCOPE, 10, 3200),
            )
        ):
            at = published + timedelta(minutes=10 * n)
            yield at, partial(self._publish, name, instruments, hours, yuan)
        yield self.calendar.days_before(_BOUGHT, time(8, 20)), partial(self._buy)

    def _publish(self, name: str, instruments: tuple[int, ...], hours: int, yuan: int) -> None:
        [institution] = self.owner.organisations
        made = packages.publish(
            institution,
            caller=self.owner,
            name=name,
            customer_class=CustomerClass.SME,
            hours=hours,
            price=Money.of(yuan),
            valid_months=12,
            instrument_ids=[self.ids[number] for number in instruments],
            conditions=_REFUNDS,
        )
        self.sold[name] = made.id

    def _buy(self) -> None:
        [firm] = self.firm.organisations
        found = accounts.get_organisation(firm, caller=self.firm)
        day = clock.today()
        balance = packages.record_purchase(
            self.sold["力学试验 20 小时"],
            caller=self.owner,
            uscc=found.uscc or "",
            paid_on=day - timedelta(days=1),
            reference=f"回单 {day:%Y%m%d}-0087",
        )
        self.bought = balance.id
