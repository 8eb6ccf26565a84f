"""What a field of an instrument may hold, and by which n-grams it is found. Pure."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pypinyin import lazy_pinyin

from booking.kernel.errors import InvalidField
from booking.kernel.names import clean_email
from booking.kernel.text import N_, Text
from booking.registry.errors import InvalidFields

OTHER_CATEGORY = "990000"  # 其他仪器: the class of what has none (decided for imports)

# 字 per text field, as the national exporter enforces them (domain §2.1).
LIMITS: dict[str, int] = {
    "inner_id": 100,
    "name": 100,
    "english_name": 100,
    "nation": 20,
    "manufacturer": 50,
    "model": 100,
    "technical": 500,
    "functions": 300,
    "service_content": 200,
    "achievement": 500,
    "requirement": 500,
    "fee_note": 500,
    "service_url": 100,
    "place": 100,
    "street": 100,
    "department": 100,
    "contact": 20,
    "phone": 20,
    "email": 50,
    "customs_goods_name": 30,
    "attached_to": 100,
}
# Blanks do not count as 字 (domain §9.16), but there is an end to them too.
ROOM_FOR_BLANKS = 2
REQUIRED = ("inner_id", "name")
NEVER_BLANK = frozenset({"category_code", "region_code", "time_zone"})
MOST_STANDARDS, LONGEST_STANDARD = 20, 60
MOST_SUBJECTS = 4
MOST_UNITS = 99
MOST_HOURS = 8784  # of a leap year
LARGEST_WORTH = Decimal("9999999999.99")  # 万元
NRII_WORTH = Decimal(50)  # 万元: from here on an entry in the national network is due (S5)
EARLIEST_DAY, LATEST_DAY = date(1900, 1, 1), date(2099, 12, 31)
RATED_HOURS = {"general": 1400, "special": 800}  # 额定机时 a year (domain §3.1)


def check(values: Mapping[str, Any]) -> None:
    """Raise InvalidFields naming every field that cannot be used; fields left out are not asked.

    Whether a category or region exists is for the code lists to say.
    """
    if found := problems(values):
        raise InvalidFields(found)


def problems(values: Mapping[str, Any]) -> dict[str, list[Text]]:
    """Return what is wrong with which field: limits of domain §2.1, forms of numbers and codes."""
    found: dict[str, list[Text]] = {}
    for name, value in values.items():
        if reason := _problem(name, value):
            found[name] = [reason]
    return found


def letters(text: str) -> int:
    """Return the number of 字: characters that are not blank (domain §9.16)."""
    return sum(not char.isspace() for char in text)


def fits(name: str, text: str) -> bool:
    """Tell whether the text keeps the field's limit."""
    limit = LIMITS[name]
    return letters(text) <= limit and len(text) <= ROOM_FOR_BLANKS * limit


def shortened(name: str, text: str) -> str:
    """Return as much of the text's beginning as the field may hold."""
    if fits(name, text):
        return text
    limit, count = LIMITS[name], 0
    kept = []
    for char in text[: ROOM_FOR_BLANKS * limit]:
        count += not char.isspace()
        if count > limit:
            break
        kept.append(char)
    return "".join(kept).rstrip()


def needs_national_entry(worth_wan: Decimal | None) -> bool:
    """Tell whether the national network expects the instrument: worth 50 万元 or more."""
    return worth_wan is not None and worth_wan >= NRII_WORTH


def code_range(prefix: str) -> tuple[str, str]:
    """Return the first and last 6-digit code of a branch: 4301 and 430100 are the same city."""
    while len(prefix) in {4, 6} and prefix.endswith("00"):
        prefix = prefix[:-2]
    return prefix.ljust(6, "0"), prefix.ljust(6, "9")


def _problem(name: str, value: Any) -> Text | None:
    if name in REQUIRED and not (value or "").strip():
        return N_("请填写此项。")
    if value is None:
        return None
    if name in LIMITS and not fits(name, value):
        limit = LIMITS[name]
        return N_("最多 %(limit)s 字，您填了 %(length)s 字。", limit=limit, length=_shown(value))
    rule = _RULES.get(name)
    said = value != "" or name in NEVER_BLANK
    return rule(value) if rule and said else None


def _shown(text: str) -> int:
    """Return the length to complain about: all characters where only blanks are too many."""
    return max(letters(text), len(text) // ROOM_FOR_BLANKS)


def _pattern(pattern: str, reason: Text) -> Callable[[str], Text | None]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: None if compiled.fullmatch(value) else reason


def _between(
    least: int | Decimal | date, most: int | Decimal | date
) -> Callable[[Any], Text | None]:
    reason = N_("须在 %(least)s 到 %(most)s 之间。", least=least, most=most)
    return lambda value: None if least <= value <= most else reason


def _url(value: str) -> Text | None:
    reason = N_("网址须以 http:// 或 https:// 开头，例如 https://lab.example.cn。")
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return reason
    clean = not any(char.isspace() or char in '<>"\\' for char in value)
    return None if usable and clean and parts.username is None else reason


def _email(value: str) -> Text | None:
    try:
        clean_email(value)
    except InvalidField:
        return N_("邮箱地址不正确，应类似 li@example.cn。")
    return None


def _time_zone(value: str) -> Text | None:
    if value in _zones():
        return None
    return N_("须为 IANA 时区名，例如 Asia/Shanghai。")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory", "posixrules"})


def _standards(value: Iterable[str]) -> Text | None:
    numbers = list(value)
    if len(numbers) > MOST_STANDARDS:
        return N_("方法标准最多 %(most)s 个。", most=MOST_STANDARDS)
    if not all(letters(number) > 0 and len(number) <= LONGEST_STANDARD for number in numbers):
        return N_("每个标准号须为 1 到 %(most)s 个字符。", most=LONGEST_STANDARD)
    return None


def _subjects(value: Iterable[str]) -> Text | None:
    codes = list(value)
    if len(codes) <= MOST_SUBJECTS and all(re.fullmatch("[0-9]{3,7}", code) for code in codes):
        return None
    return N_("主要学科领域最多 %(most)s 个，每个为 3 到 7 位数字代码。", most=MOST_SUBJECTS)


_SIX_DIGITS = N_("须为 6 位数字。")
_RULES: dict[str, Callable[[Any], Text | None]] = {
    "category_code": _pattern("[0-9]{6}", _SIX_DIGITS),
    "region_code": _pattern("[0-9]{6}", _SIX_DIGITS),
    "postal_code": _pattern("[0-9]{6}", _SIX_DIGITS),
    "customs_declaration": _pattern("[0-9]{18}", N_("报关单号须为 18 位数字。")),
    "customs_item": _pattern("[0-9]{2}", N_("项号须为 2 位数字。")),
    "service_url": _url,
    "email": _email,
    "time_zone": _time_zone,
    "standards": _standards,
    "subjects": _subjects,
    "units": _between(1, MOST_UNITS),
    "rated_hours": _between(1, MOST_HOURS),
    "worth_wan": _between(Decimal(0), LARGEST_WORTH),
    "commissioned_on": _between(EARLIEST_DAY, LATEST_DAY),
    "customs_released_on": _between(EARLIEST_DAY, LATEST_DAY),
}


@dataclass(frozen=True)
class Index:
    """What an instrument is found by: squashed words, and the n-grams of all of them.

    The first word of `text` is the whole name, which ranking looks at.
    """

    text: str
    tokens: tuple[str, ...]


def index(
    *, named: Iterable[str], described: Iterable[str] = (), coded: Iterable[str] = ()
) -> Index:
    """Return the index: names also by pinyin and initials, everything with and without blanks.

    `named`: name first, then category, institution, place; `described`: functions and the like;
    `coded`: model and standard numbers.
    """
    words: dict[str, None] = {}
    for text in named:
        words.update(_named_words(text))
    for text in (*coded, *described):
        words.update(_words(text))
    words.pop("", None)
    tokens: set[str] = set()
    for word in words:
        tokens |= _grams(word)
    return Index(text=f" {' '.join(words)} ", tokens=tuple(sorted(tokens)))


def aliases_of(names: Iterable[str], known: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what else things of these names are called; `known` is by squashed pieces."""
    whole = " ".join(map(squash, names))
    meant = (aliases for piece, aliases in known.items() if piece in whole)
    return list(dict.fromkeys(alias for aliases in meant for alias in aliases))


def query_words(typed: str) -> list[str]:
    """Return the words to look for; each must be found."""
    return list(dict.fromkeys(word for part in typed.split() if (word := squash(part))))


def query_tokens(word: str) -> list[str]:
    """Return the n-grams that whatever contains the word must have."""
    return sorted({token for run in _runs(word) for token in _needed(run)})


def squash(text: str) -> str:
    """Return the text as it is compared: one width, one case, letters and digits only."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum())


def name_pinyin(name: str) -> str:
    """Return what Chinese names are sorted by."""
    return "".join(lazy_pinyin(unicodedata.normalize("NFKC", name))).casefold()[:200]


# Names of categories, institutions and places stand on thousands of rows.
@lru_cache(maxsize=4096)
def _named_words(text: str) -> dict[str, None]:
    return _words(text) | _sounds(text)


def _words(text: str) -> dict[str, None]:
    """Return the whole text squashed, and the words between blanks: people type either."""
    return dict.fromkeys([squash(text), *(squash(part) for part in text.split())])


def _sounds(text: str) -> dict[str, None]:
    """Return pinyin and initials of each run of Han, and of the whole text around them."""
    found: dict[str, None] = {}
    full, short = [], []
    for is_han, run in groupby(unicodedata.normalize("NFKC", text), key=_is_han):
        written = "".join(run)
        syllables = lazy_pinyin(written) if is_han else [written]
        sound = "".join(syllables)
        # What has no pinyin comes back as it is.
        initials = "".join(part[0] if part.isascii() else part for part in syllables)
        full.append(sound)
        short.append(initials if is_han else written)
        if is_han:
            found |= dict.fromkeys([squash(sound), squash(initials)])
    return found | dict.fromkeys([squash("".join(full)), squash("".join(short))])


def _is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff" or char >= "\U00020000"


def _is_dense(char: str) -> bool:
    """Tell whether one character carries a word's weight: Han and kana, not letters."""
    return char >= "\u2e80"


def _runs(word: str) -> Iterator[str]:
    for _, run in groupby(word, key=_is_dense):
        yield "".join(run)


@lru_cache(maxsize=4096)
def _grams(word: str) -> frozenset[str]:
    """Return every n-gram a query for a part of the word may need."""
    return frozenset(
        run[start : start + size]
        for run in _runs(word)
        for size in ((1, 2) if _is_dense(run[0]) else (1, 2, 3))
        for start in range(len(run) - size + 1)
    )


def _needed(run: str) -> Iterator[str]:
    size = min(len(run), 2 if _is_dense(run[0]) else 3)
    for start in range(len(run) - size + 1):
        yield run[start : start + size]


_FACT = re.compile(r"([^\s\d：:]{2,20})[\s：:]+(.+)")


def technical_pairs(technical: str) -> list[tuple[str, str]]:
    """Return the technical facts one by one, `最大试验力 100 kN` as its name and its value.

    What has no name of its own before a blank or colon stands with an empty one.
    """
    facts = [fact.strip() for fact in re.split(r"[；;\n]", technical)]
    matched = [(_FACT.fullmatch(fact), fact) for fact in facts if fact]
    return [(found[1], found[2]) if found else ("", fact) for found, fact in matched]
