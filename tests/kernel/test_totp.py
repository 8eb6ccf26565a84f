"""Codes that change with time, against the published values of RFC 4226 and RFC 6238."""

from datetime import UTC, datetime, timedelta

import pytest

from booking.kernel import totp

KEY = b"12345678901234567890"  # of both RFCs' appendices


OF_RFC_4226 = [
    *("755224", "287082", "359152", "969429", "338314"),
    *("254676", "287922", "162583", "399871", "520489"),
]


@pytest.mark.parametrize(("count", "code"), list(enumerate(OF_RFC_4226)))
def test_the_codes_are_those_of_rfc_4226(count, code):
    assert totp.code_at(KEY, count) == code


@pytest.mark.parametrize(
    ("seconds", "eight_digits"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_the_last_six_digits_of_rfc_6238(seconds, eight_digits):
    step = totp.step_at(datetime.fromtimestamp(seconds, UTC))

    assert totp.code_at(KEY, step) == eight_digits[-6:]


@pytest.mark.parametrize(("late", "works"), [(-1, True), (0, True), (1, True), (2, False)])
def test_a_code_works_one_step_early_and_late(late, works):
    now = datetime(2026, 11, 23, 1, 0, 5, tzinfo=UTC)
    step = totp.step_at(now)
    code = totp.code_at(KEY, step)

    found = totp.matching_step(KEY, code, now + late * timedelta(seconds=30), after=0)

    assert found == (step if works else None)


def test_a_step_that_was_used_does_not_come_again():
    now = datetime(2026, 11, 23, 1, 0, 5, tzinfo=UTC)
    step = totp.step_at(now)

    assert totp.matching_step(KEY, totp.code_at(KEY, step), now, after=step) is None
    assert totp.matching_step(KEY, totp.code_at(KEY, step + 1), now, after=step) == step + 1


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６"])
def test_what_is_no_code_matches_nothing(code):
    now = datetime(2026, 11, 23, tzinfo=UTC)

    assert totp.matching_step(KEY, code.encode("ascii", "ignore").decode(), now, after=0) is None


def test_the_address_is_what_authenticators_read():
    address = totp.address(KEY, issuer="仪器共享", account="li@example.cn")

    assert address == (
        "otpauth://totp/li@example.cn?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=%E4%BB%AA%E5%99%A8%E5%85%B1%E4%BA%AB"
    )
