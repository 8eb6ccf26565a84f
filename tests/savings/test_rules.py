"""The golden example of domain §4.7, to the fen, and what corrections may not do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.kernel.errors import InvalidField
from booking.kernel.money import wan_yuan
from booking.savings.rules import Amounts, Reason, check, correction

LIST, MARKET = 2, 3


def with_voucher():
    agreed = Amounts(3, 126000, 100800)
    return agreed.plus(correction(agreed, Reason.SUBSIDY_GRANTED, amount=30000))


def two_of_ten_not_done():
    agreed = Amounts(10, 100000, 80000)
    return agreed.plus(correction(agreed, Reason.UNDELIVERED, quantity=2, amount=16000))


def cancelled():
    agreed = Amounts(120, 36000, 28800)
    return agreed.plus(correction(agreed, Reason.FULL_REFUND))


GOLDEN = [
    (with_voucher, 126000, 100800, 30000, 55200),
    (lambda: Amounts(390, 117000, 93600), 117000, 93600, 0, 23400),
    (lambda: Amounts(1, 500000, 0), 500000, 0, 0, 500000),
    (cancelled, 0, 0, 0, 0),
    (lambda: Amounts(1, 80000, 80000), 80000, 80000, 0, 0),
    (two_of_ten_not_done, 80000, 64000, 0, 16000),
    (lambda: Amounts(1, 90000, 95000), 90000, 95000, 0, -5000),
]


@pytest.mark.parametrize(("case", "baseline", "price", "subsidy", "saved"), GOLDEN)
def test_golden_example(case, baseline, price, subsidy, saved):
    line = case()

    assert (line.baseline, line.price, line.subsidy, line.saved) == (
        baseline,
        price,
        subsidy,
        saved,
    )
    assert line.baseline == line.cash + line.relief + line.subsidy


def test_golden_sum_in_wan_yuan():
    total = sum(case().saved for case, *_ in GOLDEN)

    assert total == 589600
    assert str(wan_yuan(total)) == "0.59"


def test_without_a_baseline_nothing_is_saved_whatever_was_granted():
    line = Amounts(60, None, 10000, 5000)

    assert (line.relief, line.saved) == (0, 0)


def test_dearer_than_the_list_is_a_mistake_but_a_figure_beside_the_market():
    dearer = Amounts(1, 90000, 95000)

    check(dearer, MARKET)
    with pytest.raises(InvalidField):
        check(dearer, LIST)


def test_a_subsidy_is_at_most_what_is_due():
    check(Amounts(1, 100, 80, 80), LIST)
    with pytest.raises(InvalidField):
        check(Amounts(1, 100, 80, 81), LIST)


@pytest.mark.parametrize(
    ("reason", "given"),
    [
        (Reason.GOODWILL, {}),
        (Reason.GOODWILL, {"amount": -1}),
        (Reason.SUBSIDY_GRANTED, {"quantity": 3}),
        (Reason.SUBSIDY_WITHDRAWN, {"amount": 0}),
        (Reason.UNDELIVERED, {"amount": 100}),
        (Reason.UNDELIVERED, {"quantity": 11}),
    ],
)
def test_a_correction_says_how_much(reason, given):
    with pytest.raises(InvalidField):
        correction(Amounts(10, 1000, 800), reason, **given)


@pytest.mark.parametrize(
    ("reason", "given"),
    [
        (Reason.GOODWILL, {"amount": 801}),
        (Reason.SUBSIDY_WITHDRAWN, {"amount": 1}),
        (Reason.SUBSIDY_GRANTED, {"amount": 801}),
        (Reason.UNDELIVERED, {"quantity": 1, "amount": 801}),
    ],
)
def test_no_correction_takes_more_than_there_is(reason, given):
    now = Amounts(10, 1000, 800)

    with pytest.raises(InvalidField):
        check(now.plus(correction(now, reason, **given)), LIST)


LINES = st.builds(
    lambda quantity, price, off: Amounts(quantity, price + off, price),
    quantity=st.integers(1, 10**6),
    price=st.integers(0, 10**9),
    off=st.integers(0, 10**9),
)


@given(LINES, st.lists(st.tuples(st.sampled_from(Reason), st.integers(1, 10**9)), max_size=6))
def test_whatever_is_corrected_the_identity_holds(line, changes):
    for reason, size in changes:
        try:
            change = correction(
                line, reason, amount=size % (line.price + 1), quantity=size % (line.quantity + 1)
            )
            check(line.plus(change), LIST)
        except InvalidField:
            continue
        assert change.baseline == change.cash + change.relief + change.subsidy
        line = line.plus(change)

    assert line.baseline == line.cash + line.relief + line.subsidy
    assert 0 <= line.subsidy <= line.price <= line.baseline
