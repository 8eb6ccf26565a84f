"""What a settled use saved, and the facts it rests on, copied so that they stay as they were."""

from typing import Any

from booking.accounts import queries as accounts
from booking.kernel import clock
from booking.pricegroups import queries as groups
from booking.pricegroups.rules import Concession
from booking.reservations import queries
from booking.reservations.models import Reservation, Use
from booking.reservations.service import prepaying
from booking.savings import service as savings
from booking.savings.rules import Amounts, Service, Unit
from booking.tariffs import queries as tariff_queries


def group_of(reservation: Reservation) -> Concession | None:
    """Return what the finer class gave when it was agreed, if it was priced by one."""
    return groups.concession_of(reservation.price_group_terms_id, reservation.instrument_id)


def settled_line(reservation: Reservation, use: Use) -> savings.Settled:
    """Return the line of savings of a settled use."""
    assert use.confirmed_at is not None  # noqa: S101 - it is settled
    assert use.settled_on is not None  # noqa: S101
    return savings.Settled(
        service=Service.RENTAL,
        subject=("reservation", reservation.id),
        number=reservation.number,
        organisation_id=reservation.organisation_id,
        institution_id=reservation.instrument.institution_id,
        instrument_id=reservation.instrument_id,
        user_id=reservation.user_id,
        customer_class=reservation.customer_class,
        unit=Unit.MINUTE,
        amounts=Amounts(use.minutes or 0, use.baseline_minor, use.price_minor or 0),
        baseline_rank=reservation.baseline_rank if use.baseline_minor is not None else None,
        # 租赁 counts on the day the use was confirmed (domain §4.5).
        counted_on=use.confirmed_at.astimezone(clock.CHINA).date(),
        settled_on=use.settled_on,
        evidence=_evidence(reservation, use),
        currency=use.currency,
        size_class=accounts.size_class_of(reservation.organisation_id),
        outside=use.not_counted,
    )


def _evidence(reservation: Reservation, use: Use) -> dict[str, Any]:
    """Return what the figures rest on (domain §4.8), copied so that it stays as it was."""
    price: dict[str, Any] | None = None
    if reservation.price_id is not None:
        version = tariff_queries.get_price(reservation.price_id)
        price = {
            "id": version.id,
            "customer_class": version.customer_class.value,
            "per_hour": version.per_hour.amount,
            "terms": version.kept_terms,
            "rise_percent": queries.rise_of(
                queries.price_history(version.instrument_id), version.id
            ),
            "discount_percent": str(version.discount_percent),
            "discount_reason": version.discount_reason,
            "published_at": version.published_at.isoformat(),
        }
    return {
        "agreed_at": reservation.created_at.isoformat(),
        "baseline_rank": reservation.baseline_rank,
        "price": price,
        "group": _group_facts(group_of(reservation)),
        "use": {
            "started_at": use.started_at.isoformat(),
            "ended_at": use.ended_at.isoformat() if use.ended_at else None,
            "minutes": use.minutes,
            "samples": use.samples,
            "lines": use.lines,
            "passed_on": use.passed_on or [],
            "is_statutory": reservation.is_statutory,
            "confirmed_at": use.confirmed_at.isoformat() if use.confirmed_at else None,
            "confirmed_by": use.confirmed_by,
            "note": use.note,
            "agreed_at": use.agreed_at.isoformat() if use.agreed_at else None,
        },
        "settlement": {
            "kind": use.settlement.value if use.settlement else None,
            "on": use.settled_on.isoformat() if use.settled_on else None,
            "reference": use.reference,
        },
        "prepaid": prepaying.evidence(reservation),
    }


def _group_facts(group: Concession | None) -> dict[str, Any] | None:
    if group is None:
        return None
    return {
        "id": group.group_id,
        "terms_id": group.terms_id,
        "name": group.name,
        "percent": str(group.percent),
        "reason": group.reason,
    }
