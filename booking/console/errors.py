"""What can go wrong in the console."""

from collections.abc import Sequence
from dataclasses import dataclass

from booking.kernel.errors import RuleViolation
from booking.kernel.text import N_, Text


@dataclass(frozen=True)
class Refused:
    """An instrument that could not be changed, and why."""

    instrument_id: int
    reason: Text


class NotAllChanged(RuleViolation):
    """Of several instruments some could not be changed, so none was."""

    code = "not_all_changed"

    def __init__(self, refused: Sequence[Refused]) -> None:
        super().__init__(
            N_("有 %(count)s 台不能这样修改，所选仪器都没有改动。", count=len(refused)),
            refused=[
                {"instrument_id": each.instrument_id, "reason": each.reason} for each in refused
            ],
        )
        self.refused = refused
