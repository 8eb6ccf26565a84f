"""How entries become the digest of a seal. Pure."""

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

GENESIS = bytes(32)


def line(entry: dict[str, Any]) -> bytes:
    """Return the entry as canonical JSON: sorted keys, no spaces, instants in UTC."""
    return _CANONICAL.encode(entry).encode() + b"\n"


def _instant(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"a journal entry cannot hold {value!r}")
    return value.astimezone(UTC).isoformat(timespec="microseconds")


# One encoder for millions of entries: json.dumps would build it anew for each.
_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_instant
)


class Chain:
    """SHA-256 over the previous digest, every entry in order, and what the seal says of itself."""

    def __init__(self, previous: bytes) -> None:
        self._hash = hashlib.sha256(previous)
        self.count = 0

    def add(self, entry: dict[str, Any]) -> None:
        """Take in the next entry."""
        self._hash.update(line(entry))
        self.count += 1

    def digest(self, *, sealed_on: date, first_id: int, last_id: int) -> bytes:
        """Return the digest of the link that ends here."""
        link = self._hash.copy()
        link.update(f"{sealed_on.isoformat()} {first_id} {last_id} {self.count}".encode())
        return link.digest()
