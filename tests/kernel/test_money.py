"""Money: exact, one rounding rule, one currency at a time."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.kernel.money import CurrencyMismatch, Money, round_half_up, wan_yuan

minors = st.integers(min_value=-(10**14), max_value=10**14)


@given(minors)
def test_an_amount_written_and_read_again_is_the_same(minor):
    assert Money.of(Money(minor).amount) == Money(minor)


@given(minors, minors)
def test_adding_and_subtracting_are_each_others_opposite(one, other):
    assert Money(one) + Money(other) - Money(other) == Money(one)


@given(minors, st.fractions(min_value=0, max_value=100, max_denominator=10_000))
def test_a_product_is_off_by_at_most_half_a_minor_unit(minor, factor):
    product = Money(minor).times(factor)

    assert abs(Fraction(product.minor) - minor * factor) <= Fraction(1, 2)


@given(st.integers(min_value=-(10**9), max_value=10**9), st.integers(1, 10_000))
def test_rounding_agrees_with_decimal_half_up(numerator, denominator):
    exact = Fraction(numerator, denominator)
    scaled = Decimal(numerator) / Decimal(denominator)
    if Fraction(scaled) != exact:
        return  # not a decimal number: Decimal itself has rounded already

    assert round_half_up(exact) == int(scaled.quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.parametrize(
    ("value", "whole"),
    [("1/2", 1), ("-1/2", -1), ("3/2", 2), ("5/2", 3), ("249/100", 2), ("0", 0), ("-5/2", -3)],
)
def test_a_half_goes_away_from_zero(value, whole):
    assert round_half_up(Fraction(value)) == whole


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [
        (1250, "CNY", "12.50"),
        (5, "CNY", "0.05"),
        (-5, "CNY", "-0.05"),
        (0, "CNY", "0.00"),
        (1250, "JPY", "1250"),
        (10**14, "CNY", "1000000000000.00"),
    ],
)
def test_amounts_are_written_with_the_currencys_decimals(minor, currency, amount):
    assert Money(minor, currency).amount == amount


def test_more_decimals_than_the_currency_knows_are_refused():
    with pytest.raises(ValueError, match="decimals"):
        Money.of("0.001")


@pytest.mark.parametrize("mix", [Money.__add__, Money.__sub__, Money.__lt__])
def test_two_currencies_never_meet(mix):
    with pytest.raises(CurrencyMismatch):
        mix(Money(1), Money(1, "JPY"))


def test_money_is_ordered_by_amount():
    assert Money(1) < Money(2)


@pytest.mark.parametrize(
    ("minor", "figure"),
    [(5_000_00, "0.50"), (4_999_99, "0.50"), (5_949_99, "0.59"), (50_00, "0.01")],
)
def test_ten_thousand_yuan_has_two_decimals_half_up(minor, figure):
    assert wan_yuan(minor) == Decimal(figure)
