"""Every way to charge, line by line: steps, blocks, minima, hours with a price of their own."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.accounts.rules import CustomerClass
from booking.kernel.money import Money
from booking.tariffs.rules import (
    CHINA,
    HOLIDAY,
    ChargeUnit,
    Fee,
    Item,
    PriceFacts,
    QuoteLine,
    Terms,
    Usage,
    Wall,
    Window,
    kept_lines,
    price,
    quote,
    wrong_with,
)

# A Wednesday.
TEN = datetime.fromisoformat("2026-11-25T10:00:00+08:00")
PUBLISHED = TEN - timedelta(days=90)
WORKDAYS, EVERY_DAY = (0, 1, 2, 3, 4), tuple(range(HOLIDAY + 1))
NIGHT = Window(EVERY_DAY, 22 * 60, 8 * 60, 60, "夜间")


def facts(per_hour="180.00", *, percent="0", **terms):
    return PriceFacts(1, Money.of(per_hour), Decimal(percent), PUBLISHED, terms=Terms(**terms))


def lines(facts, usage, wall=CHINA):
    return [(line.item.value, line.amount.amount) for line in price(facts, usage, wall)[2]]


def due(facts, minutes, *, at=TEN, wall=CHINA, **more):
    return price(facts, Usage(at, minutes, **more), wall)[1].amount


@pytest.mark.parametrize(
    ("terms", "minutes", "amount"),
    [
        pytest.param({}, 50, "150.00", id="by-the-exact-minute"),
        pytest.param({"step_minutes": 30}, 50, "180.00", id="half-hours"),
        pytest.param({"step_minutes": 60}, 61, "360.00", id="part-of-an-hour-is-an-hour"),
        pytest.param({"minimum_minutes": 120}, 30, "360.00", id="at-least-two-hours"),
        pytest.param({"minimum_minutes": 120}, 150, "450.00", id="more-than-the-minimum"),
        pytest.param({"minimum_minor": 50000}, 60, "500.00", id="minimum-charge"),
        pytest.param({"startup_minor": 5000}, 60, "230.00", id="start-up-fee"),
        pytest.param(
            {"startup_minor": 5000, "minimum_minor": 20000}, 30, "200.00", id="fee-within-minimum"
        ),
        pytest.param({"minimum_minutes": 120, "startup_minor": 5000}, 0, "0.00", id="no-use"),
    ],
)
def test_time_is_charged_in_steps_and_from_a_minimum(terms, minutes, amount):
    assert due(facts(**terms), minutes) == amount


def test_a_block_that_was_begun_is_charged_whole():
    half_day = facts(unit=ChargeUnit.BLOCK, unit_minor=100000, block_minutes=240)

    assert [due(half_day, minutes) for minutes in (1, 240, 241)] == [
        "1000.00",
        "1000.00",
        "2000.00",
    ]
    [line] = price(half_day, Usage(TEN, 300))[2]
    assert (line.quantity, line.per_minutes, line.unit_price) == (480, 240, Money.of("1000.00"))


def test_a_use_costs_the_same_however_long_and_samples_are_counted():
    per_use = facts(unit=ChargeUnit.USE, unit_minor=30000)
    per_sample = facts(unit=ChargeUnit.SAMPLE, unit_minor=42000, percent="20")

    assert due(per_use, 30) == due(per_use, 300) == "300.00"
    # domain §4.7 #1: three samples at 420.00 less 20 %.
    found = quote(per_sample, Usage(TEN, 60, samples=3), customer_class=CustomerClass.SME, now=TEN)
    assert (found.baseline, found.price) == (Money.of("1260.00"), Money.of("1008.00"))
    assert due(per_sample, 60, samples=0) == "0.00"


def test_the_lines_say_how_it_comes_about():
    everything = facts(
        percent="20",
        startup_minor=5000,
        operator_minor=12000,
        minimum_minor=100000,
        windows=(NIGHT,),
    )
    evening = datetime.fromisoformat("2026-11-25T21:00:00+08:00")

    assert lines(everything, Usage(evening, 120, assisted=True)) == [
        ("time", "180.00"),
        ("time", "108.00"),
        ("startup", "50.00"),
        ("operator", "240.00"),
        ("minimum", "422.00"),
        ("discount", "-200.00"),
    ]


def test_the_operator_is_paid_only_where_somebody_helps_and_the_deposit_never():
    helped = facts(operator_minor=12000, deposit_minor=100000)

    assert due(helped, 60) == "180.00"
    found = quote(helped, Usage(TEN, 60, assisted=True), customer_class=CustomerClass.SME, now=TEN)
    assert (found.price, found.deposit) == (Money.of("300.00"), Money.of("1000.00"))
    assert found.baseline == found.price


@pytest.mark.parametrize(
    ("fee", "amount"),
    [
        pytest.param(Fee(minor=10000), "100.00", id="fixed"),
        pytest.param(Fee(minor=99900), "360.00", id="never-more-than-the-price"),
        pytest.param(Fee(percent=50), "180.00", id="a-share"),
    ],
)
def test_fees_are_capped_by_the_price(fee, amount):
    assert fee.of(Money.of("360.00")).amount == amount


def test_hours_are_split_exactly_at_the_border_also_over_midnight():
    night = facts(windows=(NIGHT,))
    start = datetime.fromisoformat("2026-11-25T21:30:00+08:00")

    # 30 minutes of the day, ten hours of the night, 30 minutes of the morning.
    assert lines(night, Usage(start, 660)) == [("time", "180.00"), ("time", "1080.00")]
    # By the second: 21:59 to 22:01.
    assert due(night, 2, at=start + timedelta(minutes=29)) == "4.80"


def test_weekends_holidays_and_days_worked_in_exchange_have_their_own_hours():
    windows = (
        Window((5, 6), 0, 1440, 150, "周末"),
        Window((HOLIDAY,), 0, 1440, 200, "节假日"),
    )
    workdays = {date(2027, 1, 1): False, date(2027, 1, 2): False, date(2027, 1, 3): True}
    wall = Wall(ZoneInfo("Asia/Shanghai"), workdays)

    def at(day):
        return due(
            facts(windows=windows), 60, at=datetime.fromisoformat(f"{day}T10:00+08:00"), wall=wall
        )

    assert at("2027-01-01") == "360.00"  # Friday, New Year
    assert at("2027-01-02") == "270.00"  # Saturday, free as always
    assert at("2027-01-03") == "180.00"  # Sunday, worked in exchange
    assert at("2026-12-31") == "180.00"


def test_over_the_turn_of_the_year_each_day_counts_for_itself():
    windows = (Window((HOLIDAY,), 0, 1440, 200, "节假日"),)
    wall = Wall(ZoneInfo("Asia/Shanghai"), {date(2027, 1, 1): False})
    evening = datetime.fromisoformat("2026-12-31T23:00:00+08:00")

    assert lines(facts(windows=windows), Usage(evening, 120), wall) == [
        ("time", "180.00"),
        ("time", "360.00"),
    ]


BERLIN = Wall(ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("start", "minutes", "amount"),
    [
        # 02:00 to 03:00 does not exist: two hours pass from 01:00 to 04:00.
        pytest.param("2027-03-28T01:00:00+01:00", 120, "216.00", id="skipped-hour"),
        # 02:00 to 03:00 comes twice: four hours pass from 01:00 to 04:00.
        pytest.param("2027-10-31T01:00:00+02:00", 240, "432.00", id="repeated-hour"),
        pytest.param("2027-03-27T21:00:00+01:00", 120, "288.00", id="the-evening-before"),
        pytest.param("2027-03-28T07:00:00+02:00", 120, "288.00", id="night-ends-by-the-wall"),
    ],
)
def test_where_the_clock_jumps_the_minutes_that_pass_are_charged(start, minutes, amount):
    night = facts(windows=(NIGHT,))

    assert due(night, minutes, at=datetime.fromisoformat(start), wall=BERLIN) == amount


def test_a_border_inside_the_skipped_hour_lies_where_the_clock_jumps():
    half_past_two = facts(windows=(Window(EVERY_DAY, 150, 240, 200, "早"),))
    start = datetime.fromisoformat("2027-03-28T01:00:00+01:00")

    # 01:00 to 02:00 as usual, then the wall says 03:00: inside the window.
    assert lines(half_past_two, Usage(start, 120), BERLIN) == [
        ("time", "180.00"),
        ("time", "360.00"),
    ]


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"unit": ChargeUnit.BLOCK, "unit_minor": 1}, "block_minutes"),
        ({"block_minutes": 60}, "block_minutes"),
        ({"unit_minor": 100}, "unit_price"),
        ({"step_minutes": 7}, "step_minutes"),
        ({"unit": ChargeUnit.USE, "step_minutes": 30}, "step_minutes"),
        ({"minimum_minutes": 1441}, "minimum_minutes"),
        ({"unit": ChargeUnit.USE, "minimum_minutes": 60}, "minimum_minutes"),
        (
            {"unit": ChargeUnit.BLOCK, "block_minutes": 120, "minimum_minutes": 60},
            "minimum_minutes",
        ),
        ({"startup_minor": -1}, "startup"),
        ({"deposit_minor": 10**15}, "deposit"),
        ({"unit": ChargeUnit.SAMPLE, "windows": (NIGHT,)}, "windows"),
        ({"windows": (replace(NIGHT, days=()),)}, "windows"),
        ({"windows": (replace(NIGHT, days=(1, 1)),)}, "windows"),
        ({"windows": (replace(NIGHT, days=(8,)),)}, "windows"),
        ({"windows": (replace(NIGHT, closes_minute=22 * 60),)}, "windows"),
        ({"windows": (replace(NIGHT, opens_minute=1440),)}, "windows"),
        ({"windows": (replace(NIGHT, percent=1001),)}, "windows"),
        ({"windows": (replace(NIGHT, name="夜" * 21),)}, "windows"),
        ({"windows": (NIGHT,) * 13}, "windows"),
        ({"windows": (NIGHT, Window(WORKDAYS, 420, 600, 120, "早"))}, "windows"),
        ({"late_cancel": Fee()}, "late_cancel"),
        ({"no_show": Fee(minor=1, percent=1)}, "no_show"),
        ({"no_show": Fee(percent=101)}, "no_show"),
    ],
)
def test_terms_that_cannot_be_are_named_by_field(terms, field):
    assert {name for name, _ in wrong_with(Terms(**terms))} == {field}


def test_windows_that_meet_do_not_overlap():
    meeting = (NIGHT, Window(WORKDAYS, 480, 600, 120, "早"), Window((5, 6), 480, 600, 150, "早"))

    assert list(wrong_with(Terms(windows=meeting))) == []


windows = st.lists(
    st.builds(
        Window,
        days=st.sets(st.integers(0, 7), min_size=1).map(lambda found: tuple(sorted(found))),
        opens_minute=st.integers(0, 1439),
        closes_minute=st.integers(0, 1440),
        percent=st.integers(0, 300),
        name=st.sampled_from(["", "夜间", "周末"]),
    ),
    max_size=3,
).map(tuple)
terms = st.one_of(
    st.builds(
        Terms,
        step_minutes=st.sampled_from([1, 15, 30, 60]),
        minimum_minutes=st.sampled_from([0, 30, 120]),
        minimum_minor=st.integers(0, 10**6),
        startup_minor=st.integers(0, 10**5),
        operator_minor=st.integers(0, 10**5),
        windows=windows,
        late_cancel=st.none() | st.builds(Fee, percent=st.integers(1, 100)),
        no_show=st.none() | st.builds(Fee, minor=st.integers(1, 10**6)),
    ),
    st.builds(
        Terms,
        unit=st.just(ChargeUnit.BLOCK),
        unit_minor=st.integers(0, 10**7),
        block_minutes=st.sampled_from([30, 240]),
        windows=windows,
    ),
    st.builds(
        Terms,
        unit=st.sampled_from([ChargeUnit.USE, ChargeUnit.SAMPLE]),
        unit_minor=st.integers(0, 10**7),
        startup_minor=st.integers(0, 10**5),
    ),
).filter(lambda found: not list(wrong_with(found)))
prices = st.builds(
    PriceFacts,
    id=st.just(1),
    per_hour=st.integers(0, 10**7).map(Money),
    discount_percent=st.decimals(0, 100, places=2),
    published_at=st.just(PUBLISHED),
    terms=terms,
)
# Around a skipped and a repeated hour, and the turn of the year.
starts = st.sampled_from(["2027-03-27T18:00", "2027-10-30T18:00", "2026-12-31T18:00"]).flatmap(
    lambda day: st.integers(0, 1200).map(
        lambda n: datetime.fromisoformat(day + "+00:00") + timedelta(minutes=n)
    )
)
usages = st.builds(
    Usage,
    starts_at=starts,
    minutes=st.integers(0, 2000),
    samples=st.integers(1, 50),
    assisted=st.booleans(),
)


@given(facts=prices, usage=usages)
def test_the_lines_add_up_to_what_is_due_and_list_less_relief_is_due(facts, usage):
    listed, due, lines = price(facts, usage, BERLIN)

    assert sum(line.amount.minor for line in lines) == due.minor
    relief = sum(line.amount.minor for line in lines if line.item is Item.DISCOUNT)
    assert listed.minor + relief == due.minor
    assert 0 <= due.minor <= listed.minor
    timed = [line for line in lines if line.item is Item.TIME]
    if timed:
        assert sum(line.quantity for line in timed) == facts.terms.billed_minutes(usage.minutes)


@given(facts=prices, usage=usages, data=st.data())
def test_splitting_a_use_never_makes_it_cheaper_but_for_rounding(facts, usage, data):
    first = data.draw(st.integers(0, usage.minutes))
    second = replace(
        usage,
        starts_at=usage.starts_at + timedelta(minutes=first),
        minutes=usage.minutes - first,
    )

    whole = price(facts, usage, BERLIN)[1].minor
    parts = sum(
        price(facts, each, BERLIN)[1].minor for each in (replace(usage, minutes=first), second)
    )

    # Each line of either is rounded once: half a 分 for each of at most 14 lines.
    assert parts >= whole - 14


@given(terms=terms)
def test_terms_are_kept_as_they_are_and_always_written_the_same(terms):
    assert Terms.of(terms.plain()) == terms
    assert Terms.of(terms.plain()).plain() == terms.plain()
    assert terms.is_plain is (terms.plain() == {})


@given(facts=prices, usage=usages)
def test_lines_are_kept_as_they_are(facts, usage):
    listed, due, lines = price(facts, usage, BERLIN)

    assert kept_lines([line.plain() for line in lines], listed, due, usage.minutes) == lines


def test_what_was_agreed_before_lines_were_kept_shows_list_and_relief():
    assert kept_lines(None, Money(36000), Money(28800), 120) == (
        QuoteLine(Item.TIME, Money(36000), 120),
        QuoteLine(Item.DISCOUNT, Money(-7200), percent=Decimal(0)),
    )


@given(minutes=st.integers(1, 20160), per_hour=st.integers(0, 10**9))
def test_plain_terms_cost_what_they_always_did(minutes, per_hour):
    plain = PriceFacts(1, Money(per_hour), Decimal("12.5"), PUBLISHED)
    exact = Fraction(per_hour * minutes, 60)

    listed, due, _ = price(plain, Usage(TEN, minutes))

    assert listed == Money(per_hour).times(Fraction(minutes, 60))
    assert abs(due.minor - exact * Fraction(7, 8)) <= Fraction(1, 2)
