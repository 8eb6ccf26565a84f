"""What a password must be, its hash (argon2id), and random secrets with their digests."""

import base64
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app

from booking.kernel.errors import InvalidField
from booking.kernel.text import N_, Text

SHORTEST, LONGEST = 10, 200
_COMMON = """
1234567890 0123456789 12345678910 1qaz2wsx3edc 1q2w3e4r5t q1w2e3r4t5 qwertyuiop qwerty12345
qwer123456 qwe1234567 asdfghjkl; password12 password123 password1234 passw0rd123 admin12345
admin123456 administrator woaini1314 woaini1314520 5201314520 iloveyou123 abc1234567 abcd123456
abcdefghij a123456789 aa12345678 welcome123 letmein1234 changeme123 booking1234
"""
COMMON = frozenset(_COMMON.split())

_hasher = PasswordHasher()


def clean_password(password: str) -> str:
    """Return the password as it is hashed: the same however a keyboard composes it."""
    return unicodedata.normalize("NFC", password).strip()


def check_password(password: str, *, logins: Iterable[str | None], field: str = "password") -> None:
    """Raise InvalidField (of `field`) if the password is too easy to guess."""
    if reason := _weakness(clean_password(password).casefold(), logins):
        raise InvalidField(field, reason)


def _weakness(password: str, logins: Iterable[str | None]) -> Text | None:
    if len(password) < SHORTEST:
        return N_("密码至少 %(least)s 位。", least=SHORTEST)
    if len(password) > LONGEST:
        return N_("密码最多 %(most)s 位。", most=LONGEST)
    own = {part for login in logins if login for part in (login, login.partition("@")[0])}
    if password in own:
        return N_("密码不能与邮箱或手机号相同。")
    if password in COMMON or len(set(password)) < 4:
        return N_("这个密码太常见，请换一个。")
    return None


def hash_password(password: str) -> str:
    """Return the argon2id hash to store."""
    return _hasher.hash(clean_password(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Tell whether the password is right; a missing user takes as long as a wrong password."""
    try:
        return _hasher.verify(stored or _DECOY, clean_password(password)) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Tell whether the hash was made with older parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def use_fast_hashes() -> None:
    """Make hashing cheap: tests make hundreds of users. Never called by the program."""
    global _hasher, _DECOY  # noqa: PLW0603
    _hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    _DECOY = _hasher.hash("decoy")


def new_secret() -> str:
    """Return 256 random bits as text for addresses and headers."""
    return secrets.token_urlsafe(32)


def derived_secret(nonce: str) -> str:
    """Return the secret that belongs to a random nonce: whoever reads only the nonce has nothing.

    For secrets that a mail must hold later, without being kept until then.
    """
    key = str(current_app.config["SECRET_KEY"]).encode()
    mac = hmac.digest(key, f"secret {nonce}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def derived_key(nonce: str, *, size: int) -> bytes:
    """Return the key that belongs to a random nonce: a copy of the database alone has none."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.digest(key, f"key {nonce}".encode(), "sha256")[:size]


def new_recovery_code() -> str:
    """Return 80 random bits as four groups of four letters and digits, to be written down."""
    letters = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))


def clean_recovery_code(typed: str) -> str:
    """Return a recovery code as it was given out, however its groups were typed."""
    letters = "".join(char for char in typed.lower() if char.isalnum())
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def digest(secret: str) -> str:
    """Return what we store of a secret: it has 256 random bits, so one SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


_DECOY = _hasher.hash(new_secret())
