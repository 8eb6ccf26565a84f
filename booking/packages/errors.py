"""What can go wrong with packages and prepaid hours."""

from collections.abc import Iterable
from typing import Any

from booking.kernel.errors import Conflict, RuleViolation
from booking.kernel.text import N_, Text


class UnusablePackage(RuleViolation):
    """Some of what was given cannot be; all of it is named at once."""

    code = "validation_failed"

    def __init__(self, wrong: Iterable[tuple[str, Text]]) -> None:
        errors: dict[str, list[Text]] = {}
        for field, reason in wrong:
            errors.setdefault(field, []).append(reason)
        super().__init__(N_("有内容需要修改。"), errors=errors)


class NotSold(Conflict):
    """The package was withdrawn: what was bought stays, nothing new is sold."""

    code = "package_withdrawn"
    sentence = N_("这个机时包已停售，不能再登记购买。")


class AlreadyRecorded(Conflict):
    """The institution recorded a purchase with this reference before."""

    code = "already_recorded"

    def __init__(self, reference: str) -> None:
        super().__init__(
            N_("回单号“%(reference)s”已经登记过一笔购买，请核对。", reference=reference),
            reference=reference,
        )


class NotEnoughLeft(Conflict):
    """A balance never goes below nothing."""

    code = "not_enough_left"

    def __init__(self, left: Text, **details: Any) -> None:
        super().__init__(N_("这份预付机时只余 %(left)s。", left=left), **details)
