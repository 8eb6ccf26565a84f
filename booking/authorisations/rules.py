"""Who may operate what, until when, and what stands in the way. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum

from booking.kernel.errors import InvalidField
from booking.kernel.text import N_, Text

USUAL_DAYS = 365  # a year is common (domain §1.3)
REMIND_DAYS = (60, 30, 7)
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
MOST_SEATS = 200
MOST_INSTRUMENTS = 50


class Operation(StrEnum):
    """How an instrument may be used (使用方式)."""

    EITHER = "either"
    AUTHORISED = "self_operated_authorised"  # by oneself only with an authorisation
    ASSISTED = "assisted_only"


class Standing(StrEnum):
    """What became of a request, or of what was granted."""

    REQUESTED = "requested"
    SCHEDULED = "scheduled"
    GRANTED = "granted"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Result(StrEnum):
    """Of an assessment."""

    PASSED = "passed"
    FAILED = "failed"


def assisted_unless_told(operation: Operation, told: bool | None) -> bool:
    """Return whether the owner's people operate it; by oneself where nobody says and it may be."""
    return operation is Operation.ASSISTED if told is None else told


def refusals(
    operation: Operation, *, is_assisted: bool, authorised_until: date | None, last_day: date
) -> Iterator[tuple[str, Text]]:
    """Yield the rule that such a use breaks, and how to comply.

    `authorised_until` is the last day of whoever will operate it; None without an authorisation.
    """
    if is_assisted or operation is Operation.EITHER:
        return
    if operation is Operation.ASSISTED:
        yield "operation", N_("这台仪器由机组操作，请选“机组协助”。")
    elif authorised_until is None:
        yield "authorisation", N_("您还没有上机授权。可申请培训考核，或选“机组协助”。")
    elif authorised_until < last_day:
        yield (
            "authorisation",
            N_(
                "您的上机授权至 %(day)s，所选时段在此之后。请选当天及以前的时段、申请续期，"
                "或选“机组协助”。",
                day=authorised_until.isoformat(),
            ),
        )


def check_period(valid_from: date, valid_until: date) -> None:
    """Raise InvalidField for days that cannot be."""
    for name, day in (("valid_from", valid_from), ("valid_until", valid_until)):
        if not EARLIEST <= day <= LATEST:
            raise InvalidField(name, N_("日期须在 2000 年到 2099 年之间。"))
    if valid_until < valid_from:
        raise InvalidField("valid_until", N_("有效期不能早于开始日期。"))


def usual_end(valid_from: date) -> date:
    """Return the last day of the usual year."""
    return valid_from + timedelta(days=USUAL_DAYS - 1)


def due_reminder(valid_until: date, *, today: date) -> int | None:
    """Return which reminder is due, by its days before the end; the nearest that has come."""
    left = (valid_until - today).days
    return min((days for days in REMIND_DAYS if 0 <= left <= days), default=None)
