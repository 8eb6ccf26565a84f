"""Paying hours from a balance: what would refuse it. Pure."""

from collections.abc import Iterator

from booking.availability.rules import length
from booking.kernel import clock
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.packages.rules import Prepaid
from booking.reservations.rules.slots import Violation
from booking.tariffs.rules import Quote

PREPAID = "prepaid"


def broken_by_prepaid(
    prepaid: Prepaid | None,
    slot: TimeSlot,
    quoted: Quote | None,
    instrument_id: int,
    category_code: str,
) -> Iterator[Violation]:
    """Yield why the slot cannot be paid so, each with what to do instead; nothing if not asked."""
    if prepaid is None or quoted is None:
        return
    if not prepaid.reach.covers(instrument_id, category_code):
        yield Violation(
            PREPAID,
            N_("预付机时 %(number)s 不适用于这台仪器，请选按次付费。", number=prepaid.number),
        )
    last = slot.ends_at.astimezone(clock.CHINA).date()
    if last > prepaid.valid_until:
        yield Violation(
            PREPAID,
            N_(
                "预付机时 %(number)s 有效期至 %(day)s，请选更早的时段或按次付费。",
                number=prepaid.number,
                day=prepaid.valid_until.isoformat(),
            ),
        )
    needed = quoted.billed_minutes
    if not needed:
        yield Violation(PREPAID, N_("这次使用不按机时计费，不能用预付机时，请选按次付费。"))
    elif prepaid.left_minutes < needed:
        yield Violation(
            PREPAID,
            N_(
                "预付机时 %(number)s 余 %(left)s，这个时段要 %(needed)s。请缩短时段或选按次付费。",
                number=prepaid.number,
                left=length(prepaid.left_minutes),
                needed=length(needed),
            ),
        )
    elif quoted.prepaid is None:
        yield Violation(
            PREPAID,
            N_("这个时段的公示价低于预付机时的单价，请选按次付费，不必用预付机时。"),
        )
