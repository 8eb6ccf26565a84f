"""What can go wrong with an instrument's time."""

from collections.abc import Sequence
from typing import Any

from booking.kernel.errors import Conflict, RuleViolation
from booking.kernel.text import N_, Text
from booking.kernel.timeslot import TimeSlot


class SlotTaken(Conflict):
    """Somebody has it. Names no customer; carries what is free here and on equal instruments."""

    code = "slot_taken"

    def __init__(
        self,
        slot: TimeSlot,
        *,
        alternatives: Sequence[dict[str, Any]] = (),
        elsewhere: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__(
            N_("这个时段刚被约走。"),
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            alternatives=list(alternatives),
            elsewhere=list(elsewhere),
        )
        self.slot = slot


class Unbookable(RuleViolation):
    """A policy that would leave nobody any slot; each part that does so is named."""

    code = "validation_failed"

    def __init__(self, problems: Sequence[tuple[str, Text]]) -> None:
        errors: dict[str, list[Text]] = {}
        for name, reason in problems:
            errors.setdefault(name, []).append(reason)
        super().__init__(N_("这样设置后没有人能预约，还没有保存。"), errors=errors)
