"""Who is told of a reservation: whoever made it, who manages the firm, who runs the instrument."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from booking.accounts.rules import Permission
from booking.kernel import clock
from booking.kernel.timeslot import TimeSlot
from booking.notices import service as notices
from booking.notices.rules import Kind, Side, To
from booking.reservations import queries
from booking.reservations.models import Reservation
from booking.reservations.queries import Sheet
from booking.tariffs.rules import Quote

CONFIRMING = notices.posting("made")
_SUBJECT = "reservation"
# One side's own doing; all other kinds are told to both.
_FOR_CUSTOMERS = frozenset({Kind.USAGE, Kind.SETTLED, Kind.FEE, Kind.NO_SHOW})
_FOR_OWNERS = frozenset({Kind.OBJECTION, Kind.FAULT})


def confirmation(sheet: Sheet, slot: TimeSlot, agreed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of CONFIRMING, which tells both sides in the reservation's statement."""
    firm, maker = sheet.organisation_id, sheet.standing.user_id
    return notices.posting_values(
        Kind.REQUEST if agreed["expires_at"] else Kind.CONFIRMATION,
        _SUBJECT,
        to=[*_customers(firm, maker), _owners(sheet.institution_id)],
        facts=_facts(slot, 0, agreed) | {"late_fee_minor": agreed["late_fee_minor"]},
    )


def late_fee(quoted: Quote) -> dict[str, int | None]:
    """Return what confirmations say of cancelling late; None where nobody can."""
    fee = quoted.late_cancel_fee
    return {"late_fee_minor": None if fee is None else fee.minor}


def tell(kind: Kind, reservation: Reservation, *, owner: int, **more: object) -> None:
    """Tell whom it concerns, in the caller's transaction; names are looked up later."""
    firm, maker = reservation.organisation_id, reservation.user_id
    notices.post(
        kind,
        (_SUBJECT, reservation.id),
        to=[
            *(_customers(firm, maker) if kind not in _FOR_OWNERS else ()),
            *([_owners(owner)] if kind not in _FOR_CUSTOMERS else ()),
        ],
        facts=_facts_of(reservation) | more,
    )


def cancelling(reservation: Reservation, reason: str) -> dict[str, object]:
    """Return the facts of which both sides would be told if its owner cancelled it now."""
    written = json.dumps(_facts_of(reservation), default=datetime.isoformat)
    kept: dict[str, object] = json.loads(written)  # as a notice keeps them
    return kept | {"by_owner": True, "reason": reason}


def remind() -> int:
    """Remind the firms of tomorrow's visits, each once for its start; returns of how many."""
    due = queries.to_remind_of(clock.now())
    return sum(_remind(reservation) for reservation in due)


def _remind(reservation: Reservation) -> bool:
    return notices.post(
        Kind.REMINDER,
        (_SUBJECT, reservation.id),
        to=_customers(reservation.organisation_id, reservation.user_id),
        facts=_facts_of(reservation),
        key=queries.reminder_key(reservation),
    )


def _customers(firm: int, maker: int) -> list[To]:
    manages = Permission.CHANGE_CUSTOMER_SIDE.value
    return [
        To(Side.CUSTOMER, user_id=maker, organisation_id=firm),
        To(Side.CUSTOMER, organisation_id=firm, permission=manages),
    ]


def _owners(institution: int) -> To:
    runs = Permission.RUN_INSTRUMENTS.value
    return To(Side.OWNER, organisation_id=institution, permission=runs)


def _facts_of(reservation: Reservation) -> dict[str, object]:
    agreed = {name: getattr(reservation, name) for name in _AGREED}
    return _facts(reservation.slot, reservation.sequence, agreed)


_AGREED = (
    "price_minor",
    "baseline_minor",
    "currency",
    "lines",
    "approval_rules",
    "expires_at",
)


def _facts(slot: TimeSlot, sequence: int, agreed: Mapping[str, Any]) -> dict[str, object]:
    """Return what another change would alter; all else is the same when it is delivered."""
    return {
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "sequence": sequence,
        **{name: agreed[name] for name in _AGREED},
    }
