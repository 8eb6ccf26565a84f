"""Chinese for the English sentences of marshmallow and webargs, which have no catalogues."""

import re
from collections.abc import Sequence

SENTENCES = {
    "Missing data for required field.": "必填。",
    "Field may not be null.": "不能为空。",
    "Invalid value.": "内容无效。",
    "Invalid input.": "内容无效。",
    "Invalid input type.": "须为 JSON 对象。",
    "Invalid type.": "类型不符。",
    "Unknown field.": "没有这个字段。",
    "Not a valid string.": "须为文本。",
    "Not a valid utf-8 string.": "须为 UTF-8 文本。",
    "Not a valid number.": "须为数字。",
    "Number too large.": "数字过大。",
    "Special numeric values (nan or infinity) are not permitted.": "须为有限的数字。",
    "Not a valid integer.": "须为整数。",
    "Not a valid boolean.": "须为 true 或 false。",
    "Not a valid date.": "须为日期，例如 2026-11-25。",
    "Not a valid time.": "须为时间，例如 14:00。",
    "Not a valid datetime.": "须为时间，例如 2026-11-25T14:00:00+08:00。",
    "Not a valid aware datetime.": "须带时区偏移，例如 2026-11-25T14:00:00+08:00。",
    "Not a valid period of time.": "须为时长。",
    "Not a valid list.": "须为列表。",
    "Not a valid tuple.": "须为列表。",
    "Not a valid mapping type.": "须为 JSON 对象。",
    "Not a valid URL.": "须为网址，例如 https://lab.example.cn。",
    "Not a valid email address.": "须为邮箱地址，例如 li@example.cn。",
    "Not a valid UUID.": "须为 UUID。",
    "String does not match expected pattern.": "格式不符。",
}
_AT_LEAST, _AT_MOST = r"greater than or equal to (\S+)", r"less than or equal to (\S+)"
_ABOVE, _BELOW = r"greater than (\S+)", r"less than (\S+)"
PATTERNS: Sequence[tuple[re.Pattern[str], str]] = [
    (re.compile(rf"{english}\."), chinese)
    for english, chinese in (
        (rf"Must be {_AT_LEAST} and {_AT_MOST}", r"须在 \1 到 \2 之间。"),
        (rf"Must be {_AT_LEAST} and {_BELOW}", r"须不小于 \1 且小于 \2。"),
        (rf"Must be {_ABOVE} and {_AT_MOST}", r"须大于 \1 且不大于 \2。"),
        (rf"Must be {_ABOVE} and {_BELOW}", r"须大于 \1 且小于 \2。"),
        (rf"Must be {_AT_LEAST}", r"须不小于 \1。"),
        (rf"Must be {_ABOVE}", r"须大于 \1。"),
        (rf"Must be {_AT_MOST}", r"须不大于 \1。"),
        (rf"Must be {_BELOW}", r"须小于 \1。"),
        (r"Shorter than minimum length (\d+)", r"长度不能少于 \1。"),
        (r"Longer than maximum length (\d+)", r"长度不能超过 \1。"),
        (r"Length must be between (\d+) and (\d+)", r"长度须在 \1 到 \2 之间。"),
        (r"Length must be (\d+)", r"长度须为 \1。"),
        (r"Must be equal to (.+)", r"须等于 \1。"),
        (r"Must be one of: (.+)", r"须为其中之一：\1。"),
        (r"One or more of the choices you made was not in: (.+)", r"须在其中选择：\1。"),
        (r"One or more of the choices you made was in: (.+)", r"不能选择：\1。"),
    )
]


def in_chinese(message: str) -> str:
    """Return the Chinese of a validator's English sentence; any other sentence as it is."""
    if message in SENTENCES:
        return SENTENCES[message]
    for pattern, chinese in PATTERNS:
        if pattern.fullmatch(message):
            return pattern.sub(chinese, message)
    return message
