"""JSON as RFC 8259 means it: no NaN, no doubled keys, no lone surrogates, no bottomless nesting."""

import json
import math
from typing import Any

from flask.json.provider import DefaultJSONProvider

DEEPEST = 32


class StrictJson(DefaultJSONProvider):
    """What the program reads and writes as JSON."""

    ensure_ascii = False
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the value, or ValueError, which every edge answers with 400."""
        return loads(s)


def loads(raw: str | bytes) -> Any:
    """Return the value of UTF-8 JSON; ValueError if it is anything else."""
    text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
    _check_depth(text)
    value = json.loads(
        text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_no_doubles
    )
    if "\\u" in text:
        # Half a surrogate pair is no character: neither UTF-8 nor the database can hold it.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _check_depth(text: str) -> None:
    # Few brackets cannot nest deep, and real bodies have few: one fast count for nearly all.
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    in_string = escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif in_string:
            escaped, in_string = char == "\\", char != '"'
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            if depth > DEEPEST:
                raise ValueError("nested too deep")
        elif char in "]}":
            depth -= 1


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits} is out of range")
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
