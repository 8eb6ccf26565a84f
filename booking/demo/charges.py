"""How the instruments are charged that are not simply charged by the hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from booking.accounts.rules import Caller, CustomerClass
from booking.demo.hours import Calendar
from booking.kernel.money import Money
from booking.tariffs import service as tariffs
from booking.tariffs.rules import HOLIDAY, ChargeUnit, Fee, Terms, Window

_EVERY_DAY = tuple(range(HOLIDAY + 1))
_NIGHT = Window(_EVERY_DAY, 20 * 60, 8 * 60, 50, "夜间")
_EVENING = Window(_EVERY_DAY, 18 * 60, 22 * 60, 70, "晚间")
_HALF_DAY = 240

_BEAM = Terms(
    startup_minor=5000,
    windows=(_EVENING,),
    late_cancel=Fee(percent=50),
    no_show=Fee(percent=100),
)
_BIG_BEAM = Terms(
    step_minutes=30,
    minimum_minutes=120,
    startup_minor=20000,
    operator_minor=20000,
    late_cancel=Fee(percent=50),
    no_show=Fee(percent=100),
    deposit_minor=100000,
)
_CHAMBER = Terms(windows=(_NIGHT,), no_show=Fee(percent=30))


def _by_half_day(yuan: int) -> Terms:
    return Terms(
        unit=ChargeUnit.BLOCK,
        unit_minor=100 * yuan,
        block_minutes=_HALF_DAY,
        no_show=Fee(percent=50),
    )


# By their numbers in instruments.csv.
TERMS: Mapping[int, Terms] = {
    3: _BEAM,
    4: Terms(unit=ChargeUnit.SAMPLE, unit_minor=12000, startup_minor=8000, minimum_minor=20000),
    5: _CHAMBER,
    19: _CHAMBER,
    20: _CHAMBER,
    23: _BIG_BEAM,
    24: _BIG_BEAM,
    33: _CHAMBER,
    44: Terms(unit=ChargeUnit.USE, unit_minor=16000),
    49: Terms(
        step_minutes=60,
        startup_minor=10000,
        late_cancel=Fee(minor=20000),
        no_show=Fee(percent=50),
    ),
    51: _by_half_day(900),
    52: _by_half_day(1800),
}


@dataclass(frozen=True)
class Change:
    """A new price of an instrument, published when, in force when."""

    instrument: int
    yuan: int
    percent: int
    published: int  # days ago
    ahead: int = 0  # days later

    def publish(self, ids: Mapping[int, int], owner: Caller, now: datetime) -> None:
        """Let its institution publish it for small firms."""
        tariffs.publish_price(
            ids[self.instrument],
            CustomerClass.SME,
            Money.of(self.yuan),
            caller=owner,
            discount_percent=Decimal(self.percent),
            discount_reason="支持中小微企业",
            effective_from=now + timedelta(days=self.ahead) if self.ahead else None,
        )


# One raised by a quarter before it was used, one announced for next month.
CHANGES = (Change(25, 300, 25, published=48), Change(26, 500, 20, published=3, ahead=30))


def moment(change: Change, calendar: Calendar) -> datetime:
    """Return when it was published."""
    return calendar.days_before(change.published, time(9, 30))
