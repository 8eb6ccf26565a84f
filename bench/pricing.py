"""How many slots one process prices: terms with start-up fee, minimum, steps and night hours."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bench.common import line
from booking.accounts.rules import CustomerClass
from booking.kernel.money import Money
from booking.tariffs.rules import Fee, PriceFacts, Terms, Usage, Window, quote

SLOTS, LIMIT = 100_000, 20_000
_NIGHT = Window((0, 1, 2, 3, 4, 5, 6), 22 * 60, 8 * 60, 60, "夜间")
_HOLIDAY = Window((7,), 0, 1440, 150, "节假日")


def run(*, large: bool) -> None:
    """Print how many quotes per second, with all their lines."""
    first = datetime(2026, 11, 23, tzinfo=UTC)
    terms = Terms(
        step_minutes=30,
        minimum_minutes=60,
        startup_minor=5000,
        operator_minor=12000,
        windows=(_NIGHT, _HOLIDAY),
        late_cancel=Fee(percent=50),
    )
    facts = PriceFacts(1, Money(18000), Decimal(20), first - timedelta(days=90), terms=terms)
    usages = [
        Usage(first + timedelta(minutes=30 * n), 30 + n % 20 * 30, assisted=bool(n % 2))
        for n in range(SLOTS)
    ]
    began = time.perf_counter()
    total = 0
    for usage in usages:
        found = quote(facts, usage, customer_class=CustomerClass.SME, now=first)
        total += found.price.minor if found else 0
    rate = SLOTS / (time.perf_counter() - began)
    assert total > 0
    line("slots priced", rate, "1/s", f"limit: {LIMIT}", good=rate >= LIMIT)
