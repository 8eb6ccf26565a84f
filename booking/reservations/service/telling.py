"""Who is told of a reservation: whoever made it, who manages the firm, who runs the instrument."""

from booking.accounts.rules import Permission
from booking.kernel import clock
from booking.notices import service as notices
from booking.notices.rules import Kind, Side, To
from booking.reservations import queries
from booking.reservations.models import Reservation


def tell(kind: Kind, reservation: Reservation, *, owner: int, **more: object) -> None:
    """Tell both sides what happened, in the caller's transaction; names are looked up later."""
    at_owner = To(Side.OWNER, organisation_id=owner, permission=Permission.RUN_INSTRUMENTS.value)
    notices.post(
        kind,
        ("reservation", reservation.id),
        to=[*_customers(reservation), at_owner],
        facts=_facts(reservation) | more,
    )


def remind() -> int:
    """Remind the firms of tomorrow's visits, each once for its start; returns of how many."""
    due = queries.to_remind_of(clock.now())
    return sum(_remind(reservation) for reservation in due)


def _remind(reservation: Reservation) -> bool:
    return notices.post(
        Kind.REMINDER,
        ("reservation", reservation.id),
        to=_customers(reservation),
        facts=_facts(reservation),
        key=queries.reminder_key(reservation),
    )


def _customers(reservation: Reservation) -> list[To]:
    firm = reservation.organisation_id
    return [
        To(Side.CUSTOMER, user_id=reservation.user_id, organisation_id=firm),
        To(
            Side.CUSTOMER,
            organisation_id=firm,
            permission=Permission.CHANGE_CUSTOMER_SIDE.value,
        ),
    ]


def _facts(reservation: Reservation) -> dict[str, object]:
    """Return what another change would alter; all else is the same when it is delivered."""
    return {
        "starts_at": reservation.starts_at,
        "ends_at": reservation.ends_at,
        "sequence": reservation.sequence,
        "price_minor": reservation.price_minor,
        "baseline_minor": reservation.baseline_minor,
        "currency": reservation.currency,
    }
