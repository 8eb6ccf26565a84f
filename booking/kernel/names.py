"""Credit codes, e-mail addresses and mobile numbers: as they are checked and compared."""

import re
import unicodedata
from dataclasses import dataclass

from stdnum.cn import uscc as uscc_number

from booking.kernel.errors import InvalidField
from booking.kernel.text import N_

# Control characters, halves of characters, and what some programs take for a new line.
UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def clean_uscc(code: str) -> str:
    """Return the 统一社会信用代码 trimmed and in capitals (GB 32100-2015, domain §2.4).

    Raises InvalidField naming what is wrong: the length, the characters, or the 18th of them.
    """
    code = re.sub(r"\s", "", unicodedata.normalize("NFKC", code)).upper()
    if len(code) != 18:
        raise InvalidField(
            "uscc", N_("统一社会信用代码应为 18 位，您填了 %(length)s 位。", length=len(code))
        )
    if not re.fullmatch(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", code):
        raise InvalidField(
            "uscc",
            N_("统一社会信用代码只含数字和大写字母（没有 I、O、S、V、Z），第 3 到 8 位是数字。"),
        )
    if uscc_number.calc_check_digit(code[:17]) != code[17]:
        raise InvalidField("uscc", N_("统一社会信用代码第 18 位校验不符，请对照营业执照核对。"))
    return code


@dataclass(frozen=True)
class UsccParts:
    """A credit code taken apart (GB 32100-2015): what each part says can be looked up."""

    authority: str
    kind: str  # together with the authority, whose classes it counts in
    region: str
    subject: str
    subject_checks: bool
    check: str


def uscc_parts(code: str) -> UsccParts:
    """Take a clean credit code apart."""
    subject = code[8:17]
    return UsccParts(
        authority=code[0],
        kind=code[:2],
        region=code[2:8],
        subject=subject,
        subject_checks=_subject_check(subject[:8]) == subject[8],
        check=code[17],
    )


def _subject_check(body: str) -> str:
    """Return the ninth character of an organisation code (GB 11714) by its first eight."""
    weighted = zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)
    rest = 11 - sum(int(char, 36) * weight for char, weight in weighted) % 11
    return "X" if rest == 10 else str(rest % 11)


def clean_name(name: str) -> str:
    """Return a person's name as one trimmed line, or raise InvalidField: it stands in mails."""
    name = unicodedata.normalize("NFC", name).strip()
    if not name or any(unicodedata.category(char) in UNPRINTABLE for char in name):
        raise InvalidField("name", N_("姓名须写成一行，不能含有换行或控制字符。"))
    return name


def clean_email(email: str) -> str:
    """Return the address in small letters, or raise InvalidField."""
    email = login_name(email)
    if len(email) > 254 or not re.fullmatch(
        r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}",
        email,
    ):
        raise InvalidField("email", N_("邮箱地址不正确，应类似 li@example.cn。"))
    return email


def clean_mobile(mobile: str) -> str:
    """Return the 11 digits of a mainland mobile number, or raise InvalidField."""
    mobile = login_name(mobile)
    if not re.fullmatch(r"1[3-9][0-9]{9}", mobile):
        raise InvalidField("mobile", N_("手机号不正确，应为 11 位的中国大陆手机号。"))
    return mobile


def login_name(name: str) -> str:
    """Return an e-mail address or mobile number as it is compared; anything else likewise."""
    name = unicodedata.normalize("NFKC", name).strip().lower()
    if "@" in name:
        return name
    digits = re.sub(r"[\s()-]", "", name)
    return re.sub(r"^(\+|00)?86(?=1[0-9]{10}$)", "", digits)


def masked(mobile: str | None) -> str | None:
    """Return the number as lists show it, `138****5678` (domain §8, ux §11)."""
    return f"{mobile[:3]}****{mobile[-4:]}" if mobile else None
