"""What can go wrong with an instrument's time."""

from collections.abc import Sequence
from typing import Any

from booking.kernel.errors import Conflict
from booking.kernel.text import N_
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
