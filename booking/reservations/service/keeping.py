"""A reservation as it is kept: what was agreed, taken in one statement, journalled."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import make_transient_to_detached

from booking.accounts.rules import Caller
from booking.availability import service as availability
from booking.availability.rules import BookingPolicy
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db
from booking.reservations.models import Reservation
from booking.reservations.service.telling import CONFIRMING
from booking.tariffs.rules import Quote

# What every reservation begins with.
NEW: Mapping[str, Any] = {
    "group_id": None,
    "fee_minor": 0,
    "decided_at": None,
    "decided_by": None,
    "decision_note": "",
    "sequence": 0,
    "cancelled_at": None,
    "cancelled_by": None,
    "cancel_reason": "",
    "version": 1,
}


def agreed_of(
    policy: BookingPolicy, quoted: Quote, *, is_statutory: bool = False
) -> dict[str, Any]:
    """Return what is copied onto the reservation: price, baseline, buffers (domain §4.3)."""
    return {
        "buffer_before_minutes": policy.buffer_before_minutes,
        "buffer_after_minutes": policy.buffer_after_minutes,
        "customer_class": quoted.customer_class,
        "samples": quoted.usage.samples,
        "is_assisted": quoted.usage.assisted,
        "is_statutory": is_statutory,
        "price_id": quoted.price_id,
        "price_group_terms_id": quoted.group.terms_id if quoted.group else None,
        "currency": quoted.price.currency,
        "list_minor": quoted.list_price.minor,
        "price_minor": quoted.price.minor,
        "lines": [line.plain() for line in quoted.lines],
        "baseline_minor": quoted.baseline.minor if quoted.baseline else None,
        "baseline_rank": quoted.baseline_rank,
        "prepaid_id": quoted.prepaid.id if quoted.prepaid else None,
    }


_COLUMNS = [
    column.key
    for column in Reservation.__table__.columns
    if column.key not in {"id", "occupancy_id"}
]


def _place(name: str) -> str:
    return f"CAST(%({name})s AS jsonb)" if name == "lines" else f"%({name})s"


# Taking the time, the reservation, its journal entry and its notice: one statement, on the
# busiest path.
_RESERVE = journal.recording(
    f"INSERT INTO reservations (occupancy_id, {', '.join(_COLUMNS)}) "  # noqa: S608 - our own
    f"SELECT taken.id, {', '.join(map(_place, _COLUMNS))} FROM taken "
    "RETURNING id, occupancy_id",
    after=availability.TAKING,
    beside=CONFIRMING,
)


def taking(hold: dict[str, Any], caller: Caller, **columns: Any) -> Reservation | None:
    """Take the time and keep a reservation of these columns; None, and nothing, if it is taken."""
    now = clock.now()
    columns |= {"created_at": now, "updated_at": now}
    reservation = Reservation(**columns)
    made = journal.insert_recorded(
        _RESERVE,
        columns | {"lines": json.dumps(columns["lines"], ensure_ascii=False)} | hold,
        action="reservation.reserved",
        subject_type="reservation",
        by=caller.user_id,
        organisation_id=reservation.organisation_id,
        new=facts(reservation),
    )
    if made is None:
        return None
    reservation.id, reservation.occupancy_id = made
    make_transient_to_detached(reservation)
    db.session.add(reservation)
    return reservation


def facts(reservation: Reservation) -> dict[str, object]:
    """Return what the journal keeps of a reservation."""
    return {
        "status": reservation.status,
        "unit": reservation.unit,
        "starts_at": reservation.starts_at.isoformat(),
        "ends_at": reservation.ends_at.isoformat(),
        "price_minor": reservation.price_minor,
        "list_minor": reservation.list_minor,
        "baseline_minor": reservation.baseline_minor,
        "price_id": reservation.price_id,
        "price_group_terms_id": reservation.price_group_terms_id,
        "expires_at": reservation.expires_at.isoformat() if reservation.expires_at else None,
        "fee_minor": reservation.fee_minor,
        "prepaid_id": reservation.prepaid_id,
    }


def record(action: str, reservation: Reservation, caller: Caller | None, **data: object) -> None:
    """Write a change of a reservation into the journal; without a caller it was a job's."""
    journal.record(
        action,
        "reservation",
        reservation.id,
        by=caller.user_id if caller else None,
        organisation_id=reservation.organisation_id,
        **data,
    )
