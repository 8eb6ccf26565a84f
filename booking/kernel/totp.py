"""Codes that change with time (RFC 6238 over RFC 4226): SHA-1, six digits, thirty seconds."""

import base64
import hmac
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_SECONDS, DIGITS = 30, 6
KEY_BYTES = 20  # what RFC 4226 asks for
# One step to either side: clocks of phones differ, and people type slowly.
AROUND = (0, -1, 1)


def code_at(key: bytes, step: int) -> str:
    """Return the code of a time step."""
    mac = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_at(now: datetime) -> int:
    """Return the number of the time step of an instant."""
    return int(now.timestamp()) // STEP_SECONDS


def matching_step(key: bytes, code: str, now: datetime, *, after: int) -> int | None:
    """Return the step whose code this is, or None; steps up to `after` have been used."""
    here = step_at(now)
    steps = [here + shift for shift in AROUND if here + shift > after]
    found = [step for step in steps if hmac.compare_digest(code_at(key, step), code)]
    return found[0] if found else None


def written_key(key: bytes) -> str:
    """Return the key as people type it into a program: base32 without padding."""
    return base64.b32encode(key).decode().rstrip("=")


def address(key: bytes, *, issuer: str, account: str) -> str:
    """Return the otpauth address that authenticator programs read from a QR code."""
    # Digits and period are what programs assume; each word more makes the picture denser.
    asked = urlencode({"secret": written_key(key), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(account, safe='@')}?{asked}"
