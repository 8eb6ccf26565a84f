"""What can go wrong on the waiting list."""

from booking.kernel.errors import Conflict, RuleViolation
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot


class AlreadyWaiting(Conflict):
    """The firm waits for that time there already."""

    code = "already_waiting"
    sentence = N_("您单位已在候补这台仪器的这段时间。")


class StillFree(Conflict):
    """There is nothing to wait for: the window has a slot that can be reserved now."""

    code = "still_free"

    def __init__(self, slot: TimeSlot) -> None:
        super().__init__(
            N_("这段时间里还有空档，请直接预约。"),
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
        )
        self.slot = slot


class TooManyWaiting(RuleViolation):
    """The person or the firm has as many places as anybody may have."""

    code = "too_many_waiting"

    def __init__(self, most: int, *, of_firm: bool) -> None:
        message = (
            N_("您单位最多同时有 %(most)s 个候补，请先退出不需要的。", most=most)
            if of_firm
            else N_("每人最多同时有 %(most)s 个候补，请先退出不需要的。", most=most)
        )
        super().__init__(message, most=most)


class OfferLapsed(Conflict):
    """The offer was not answered in time."""

    code = "offer_lapsed"
    sentence = N_("已过确认期限，时段已让给下一位。需要的话请重新候补。")
