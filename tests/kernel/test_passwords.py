"""What a password must be, and how it is kept."""

from unittest.mock import patch

import pytest

from booking.kernel import passwords
from booking.kernel.errors import InvalidField


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("kurz", id="too-short"),
        pytest.param("九个汉字的密码不够长"[:9], id="nine-characters"),
        pytest.param("x1y2" * 51, id="too-long"),
        pytest.param("password123", id="common"),
        pytest.param("PassWord123", id="common-in-capitals"),
        pytest.param("aaaaaaaaaaaa", id="one-character"),
        pytest.param("Li.Ming@Example.cn", id="own-email"),
        pytest.param("li.ming.1987", id="own-email-before-the-at"),
        pytest.param("13812345678", id="own-mobile"),
        pytest.param("   abcdef1   ", id="padded-with-spaces"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password):
    logins = ("li.ming@example.cn", "li.ming.1987@example.cn", "13812345678", None)

    with pytest.raises(InvalidField) as refused:
        passwords.check_password(password, logins=logins, field="new_password")

    assert list(refused.value.details["errors"]) == ["new_password"]


@pytest.mark.parametrize("password", ["Lathe-7-quiet", "十个汉字的密码就够长了", "x1y2" * 50])
def test_a_password_of_ten_to_two_hundred_characters_is_taken(password):
    passwords.check_password(password, logins=("li@example.cn",))

    assert passwords.verify_password(passwords.hash_password(password), password)


def test_a_password_is_the_same_however_a_keyboard_composes_it():
    stored = passwords.hash_password("Caf\N{LATIN SMALL LETTER E WITH ACUTE}-lathe-7")

    assert passwords.verify_password(stored, "Cafe\N{COMBINING ACUTE ACCENT}-lathe-7")


def test_a_missing_or_broken_hash_is_never_right():
    assert not passwords.verify_password(None, "decoy")
    assert not passwords.verify_password("", "decoy")
    assert not passwords.verify_password("not a hash", "decoy")


def test_a_derived_secret_follows_from_the_nonce_and_the_key_alone(app):
    with app.app_context():
        secret = passwords.derived_secret("n")

        assert secret == passwords.derived_secret("n") != passwords.derived_secret("m")
        assert len(secret) == len(passwords.new_secret())
        with patch.dict(app.config, SECRET_KEY="another-key-another-key-another-key"):
            assert passwords.derived_secret("n") != secret
