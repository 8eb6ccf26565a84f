"""What can go wrong with a reservation."""

from collections.abc import Sequence
from typing import Any

from booking.kernel.errors import Conflict, RuleViolation
from booking.kernel.text import N_


class NotBookable(RuleViolation):
    """One or more rules say no; all of them are named at once, with slots that keep them."""

    code = "not_bookable"

    def __init__(
        self, violations: Sequence[Any], *, alternatives: Sequence[dict[str, Any]] = ()
    ) -> None:
        super().__init__(
            N_("有 %(count)s 条预约规则不符。", count=len(violations)),
            violations=[{"rule": v.rule, "detail": v.detail} for v in violations],
            alternatives=list(alternatives),
        )
        self.violations = violations


class SomeNotBookable(RuleViolation):
    """Of several slots wanted together some break rules; each refused one is named with all."""

    code = "not_bookable"

    def __init__(self, items: Sequence[dict[str, Any]]) -> None:
        super().__init__(
            N_("有 %(count)s 项不能预约，一项也没有预约。", count=len(items)), items=list(items)
        )


class SomeTaken(Conflict):
    """Of several slots wanted together some are taken; none was reserved."""

    code = "slot_taken"

    def __init__(self, items: Sequence[dict[str, Any]]) -> None:
        super().__init__(
            N_("有 %(count)s 项已被约走，一项也没有预约。", count=len(items)), items=list(items)
        )


class OnAPromise(Conflict):
    """A closure would sit on reservations, which must be named to be cancelled with it, or on
    another closure.
    """

    code = "slot_taken"

    def __init__(self, reservations: Sequence[Any], closures: Sequence[Any] = ()) -> None:
        message = N_("该时间段内已有 %(count)s 个预约。", count=len(reservations))
        if not reservations:
            message = N_("该时间段内已有停用安排。")
        super().__init__(
            message,
            reservations=[
                {"id": r.id, "number": r.number, "starts_at": r.starts_at, "ends_at": r.ends_at}
                for r in reservations
            ],
            closures=[
                {"id": c.id, "kind": str(c.kind), "starts_at": c.starts_at, "ends_at": c.ends_at}
                for c in closures
            ],
        )


class TooLateToChange(RuleViolation):
    """The latest moment for changing or cancelling has passed."""

    code = "too_late"
    sentence = N_("已过可修改或取消的时限，请联系机构。")


class HoldExpired(Conflict):
    """Nobody answered in time: the slot is free for others again."""

    code = "hold_expired"
    sentence = N_("已过答复期限，时段不再保留。企业可以重新预约。")


class OutsideItsTime(RuleViolation):
    """A use cannot begin, end or be missed at that moment."""

    code = "outside_its_time"
    sentence = N_("现在不能进行此操作。")


class StillInUse(Conflict):
    """Whoever had the instrument before has not ended their use."""

    code = "still_in_use"
    sentence = N_("上一位使用者还没有结束使用，请联系机构的操作人员。")


class Disputed(RuleViolation):
    """The firm objected and has no answer, or may still object."""

    code = "disputed"
    sentence = N_("企业对使用确认有异议，请先答复。")
