"""Credit codes, e-mail addresses and mobile numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.kernel.errors import InvalidField
from booking.kernel.names import clean_email, clean_mobile, clean_uscc, login_name, masked

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def reason(refused: pytest.ExceptionInfo[InvalidField], field: str) -> str:
    return str(refused.value.details["errors"][field][0])


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110108551385082Q", "914300000000000210"])
def test_uscc_takes_the_test_vectors_of_the_standard(code):
    assert clean_uscc(code) == code


@pytest.mark.parametrize(
    "typed",
    [" 91350100m000100y43\n", "9135 0100 M000 100Y 43", "９１３５０１００Ｍ０００１００Ｙ４３"],
)
def test_uscc_is_trimmed_and_put_in_capitals(typed):
    assert clean_uscc(typed) == "91350100M000100Y43"


@pytest.mark.parametrize("code", ["91350100M000100Y4Z", "91350100M000100Y44", "914300000000000211"])
def test_uscc_refusal_names_what_is_wrong(code):
    expected = "没有 I、O、S、V、Z" if "Z" in code else "第 18 位校验不符，请对照营业执照核对。"

    with pytest.raises(InvalidField) as refused:
        clean_uscc(code)

    assert expected in reason(refused, "uscc")


def test_uscc_refusal_of_a_wrong_length_says_how_long_it_is():
    with pytest.raises(InvalidField) as refused:
        clean_uscc("91350100M000100Y4")

    assert reason(refused, "uscc") == "统一社会信用代码应为 18 位，您填了 17 位。"


@pytest.mark.parametrize("code", ["91A50100M000100Y43", "９１３５０１００Ｍ０００１００Ｙ４三"])
def test_uscc_refuses_other_characters(code):
    with pytest.raises(InvalidField):
        clean_uscc(code)


@given(
    st.text(ALPHABET, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(ALPHABET, min_size=9, max_size=9),
)
def test_uscc_has_exactly_one_right_check_character(who, region, subject):
    total = sum(ALPHABET.index(c) * w for c, w in zip(who + region + subject, WEIGHTS, strict=True))
    right = ALPHABET[(31 - total % 31) % 31]

    accepted = [last for last in ALPHABET if _accepts(who + region + subject + last)]

    assert accepted == [right]


def _accepts(code: str) -> bool:
    try:
        clean_uscc(code)
    except InvalidField:
        return False
    return True


@pytest.mark.parametrize(
    "typed",
    ["13812345678", "+8613812345678", "+86 138-1234-5678", "008613812345678", "8613812345678"],
)
def test_mobile_is_kept_as_its_eleven_digits(typed):
    assert clean_mobile(typed) == "13812345678"


@pytest.mark.parametrize(
    "typed", ["", "1381234567", "12812345678", "+1 2025550123", "1381234567八"]
)
def test_mobile_refuses_what_is_no_mainland_number(typed):
    with pytest.raises(InvalidField):
        clean_mobile(typed)


@pytest.mark.parametrize("typed", ["Li@Example.CN", " li@example.cn ", "ｌｉ＠example.cn"])
def test_email_is_compared_in_small_letters(typed):
    assert clean_email(typed) == "li@example.cn"


@pytest.mark.parametrize(
    "typed",
    [
        *("", "li", "li@", "@example.cn", "li@example", "li @example.cn", "李@example.cn"),
        *("a@b..cn", "a" * 65 + "@example.cn", "li@" + "example." * 40 + "cn"),
    ],
)
def test_email_refuses_what_is_no_address(typed):
    with pytest.raises(InvalidField):
        clean_email(typed)


def test_a_log_in_name_of_either_kind_is_found_however_it_is_typed():
    assert [login_name(" LI@example.cn"), login_name("+86 13812345678"), login_name("李 明")] == [
        "li@example.cn",
        "13812345678",
        "李明",
    ]


def test_a_mobile_number_is_masked_in_lists():
    assert [masked("13812345678"), masked(None)] == ["138****5678", None]
