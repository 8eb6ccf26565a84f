"""Quote, reserve, move and cancel; approval; closures; use and settlement. Never commits."""

from booking.reservations.service.approving import (
    approve,
    broken_since,
    decline,
    expire_holds,
    needs_approval,
)
from booking.reservations.service.archiving import close_settled
from booking.reservations.service.assisting import price_by_mode
from booking.reservations.service.booking import move, quote, reserve, would_be
from booking.reservations.service.closing import Closed, close, lift, reason_told
from booking.reservations.service.examining import Checked, Examined, check_for, examine
from booking.reservations.service.faults import dismiss_fault, report_fault
from booking.reservations.service.fees import if_cancelled_late, of_cancelling_now, settle_fee
from booking.reservations.service.grouping import Recurring, preview, reserve_all
from booking.reservations.service.judging import Judged, Wish
from booking.reservations.service.offers import Approval, Offer, with_rise
from booking.reservations.service.reaching import cancel, change
from booking.reservations.service.recurring import (
    Occurrence,
    Pattern,
    Series,
    preview_series,
    reserve_series,
)
from booking.reservations.service.settling import (
    agree,
    confirm_usage,
    due_for,
    object_to,
    settle,
    settlements,
    suggested_minutes,
)
from booking.reservations.service.telling import cancelling, remind
from booking.reservations.service.using import (
    check_in,
    check_out,
    no_show,
    record_use,
    release_unclaimed,
)

__all__ = [
    "Approval",
    "Checked",
    "Closed",
    "Examined",
    "Judged",
    "Occurrence",
    "Offer",
    "Pattern",
    "Recurring",
    "Series",
    "Wish",
    "agree",
    "approve",
    "broken_since",
    "cancel",
    "cancelling",
    "change",
    "check_for",
    "check_in",
    "check_out",
    "close",
    "close_settled",
    "confirm_usage",
    "decline",
    "dismiss_fault",
    "due_for",
    "examine",
    "expire_holds",
    "if_cancelled_late",
    "lift",
    "move",
    "needs_approval",
    "no_show",
    "object_to",
    "of_cancelling_now",
    "preview",
    "preview_series",
    "price_by_mode",
    "quote",
    "reason_told",
    "record_use",
    "release_unclaimed",
    "remind",
    "report_fault",
    "reserve",
    "reserve_all",
    "reserve_series",
    "settle",
    "settle_fee",
    "settlements",
    "suggested_minutes",
    "with_rise",
    "would_be",
]
