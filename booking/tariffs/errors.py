"""What can go wrong with prices."""

from collections.abc import Iterable
from typing import Any

from booking.kernel.errors import Conflict, RuleViolation
from booking.kernel.text import N_, Text


class UnusableTerms(RuleViolation):
    """Some of the terms cannot be; all of them are named at once."""

    code = "validation_failed"

    def __init__(self, wrong: Iterable[tuple[str, Text]]) -> None:
        errors: dict[str, list[Text]] = {}
        for field, reason in wrong:
            errors.setdefault(field, []).append(reason)
        super().__init__(N_("有内容需要修改。"), errors=errors)


class Overlaps(Conflict):
    """Another version is announced for the same customers; both would hold at once."""

    code = "price_overlaps"

    def __init__(self, announced: Any, day: str) -> None:
        super().__init__(
            N_("已有一版价格将于 %(day)s 生效，不能再公布另一版。请先撤回那一版。", day=day),
            price_id=announced.id,
            effective_from=announced.effective_from.isoformat(),
        )


class AlreadyInForce(Conflict):
    """The version holds, or did: it never changes."""

    code = "price_in_force"
    sentence = N_("这一版已经生效，不能修改或撤回，只能公布新版。")
