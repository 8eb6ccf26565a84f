"""Opaque cursors for lists paged by key."""

import base64
import binascii
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from booking.kernel.errors import InvalidField
from booking.kernel.text import N_

T = TypeVar("T")

LARGEST = 200
DEFAULT = 20
LONGEST_CURSOR = 1000


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list; `next_cursor` is None on the last."""

    items: Sequence[T]
    next_cursor: str | None = None


def encode(*key: Any) -> str:
    """Return the cursor after the row with this sort key (JSON values only)."""
    raw = json.dumps(key, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(cursor: str, *types: type) -> list[Any]:
    """Return the sort key inside, or InvalidField if it is not one of ours of that shape."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = json.loads(raw.decode())
    except (binascii.Error, ValueError, RecursionError) as exc:
        raise _unusable() from exc
    if not isinstance(key, list) or len(key) != len(types):
        raise _unusable()
    if not all(_fits(part, kind) for part, kind in zip(key, types, strict=True)):
        raise _unusable()
    return key


def _fits(part: Any, kind: type) -> bool:
    """Tell whether the database could compare with it: a forged cursor may hold anything."""
    if type(part) is not kind:
        return False
    if isinstance(part, int):
        return -(2**63) <= part < 2**63
    if isinstance(part, float):
        return math.isfinite(part)
    return not isinstance(part, str) or not any(
        char == "\0" or "\ud800" <= char <= "\udfff" for char in part
    )


def _unusable() -> InvalidField:
    return InvalidField("cursor", N_("翻页标记无效，请从第一页重新开始。"))
