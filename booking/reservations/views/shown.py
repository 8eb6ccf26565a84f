"""What every page of one reservation shows: facts, side, use, and what can be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import render_template, request
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller
from booking.accounts.rules import Caller, Permission
from booking.kernel import clock
from booking.kernel.forms import Form
from booking.reservations import queries, rules, service
from booking.reservations.models import (
    HOLDING,
    Override,
    Reservation,
    ReservationStatus,
)
from booking.reservations.rules import Reach
from booking.reservations.views.timeline import timeline
from booking.savings import queries as savings

SETTLED = (ReservationStatus.SETTLED, ReservationStatus.CLOSED)


@dataclass(frozen=True)
class Doing:
    """What the person can do with the use now; the services decide again."""

    start: bool = False
    end: bool = False
    miss: bool = False
    record: bool = False
    confirm: bool = False
    answer: bool = False
    agree: bool = False
    settle: bool = False
    settle_fee: bool = False


def side_of(reservation: Reservation) -> str:
    """Return from which side of the counter the person sees it."""
    owner = reservation.instrument.institution_id
    works_there = owner in caller().organisations_with(Permission.SEE_OWNER_SIDE)
    return "owner" if works_there else "customer"


def facts(found: Reservation) -> dict[str, Any]:
    """Return what all pages of a reservation need."""
    return {
        "reservation": found,
        "instrument": found.instrument,
        "side": side_of(found),
        "free_until": _still_to_come(queries.free_to_change_until(found)),
        "late_fee": service.if_cancelled_late(found) if found.status in MOVABLE else None,
        "kept_until": _still_to_come(queries.kept_until(found)),
        "holds": found.status in HOLDING and found.ends_at > clock.now(),
        "movable": found.status in MOVABLE and found.ends_at > clock.now(),
        "doing": doing(found, caller()),
    }


def _still_to_come(until: datetime | None) -> datetime | None:
    """Return the moment, or None once it is past: nobody is told of a time they have missed."""
    return until if until and until > clock.now() else None


MOVABLE = (ReservationStatus.TENTATIVE, ReservationStatus.CONFIRMED)


def page_of(found: Reservation, form: Form | None = None) -> str:
    """Return the page of one reservation; with a form, what was typed and what is wrong with it."""
    shown = facts(found)
    can: Doing = shown["doing"]
    suggested = service.suggested_minutes(found) if can.confirm or can.answer else None
    return render_template(
        "reservations/show.html",
        nodes=timeline(found),
        use=found.use,
        form=form or Form(values=_charges(found)),
        suggested=suggested,
        suggested_due=service.due_for(found, suggested) if suggested is not None else None,
        today=clock.today(),
        settlements=[each.value for each in service.settlements(found)],
        overrides=_overrides(found),
        group=queries.get_group_of(found),
        together=queries.beside(found, caller=caller()),
        line=savings.find_line(("reservation", found.id)) if found.status in SETTLED else None,
        **shown,
    )


def _charges(found: Reservation) -> MultiDict[str, str]:
    """Return what is passed on by kind: to confirm the use again leaves it as it was."""
    kept = found.use.charges if found.use else ()
    return MultiDict({each.kind.value: each.amount.amount for each in kept})


def _overrides(found: Reservation) -> Sequence[Override]:
    """Return what was set aside for it, for the owner's people."""
    return queries.overrides_of(found.id, caller=caller()) if side_of(found) == "owner" else []


def coming_together(found: Reservation) -> Sequence[Reservation]:
    """Return those of its group that can still be changed with it; none where it stands alone."""
    still = [
        each
        for each in queries.beside(found, caller=caller())
        if each.status in MOVABLE and each.ends_at > clock.now()
    ]
    return still if len(still) > 1 else []


def reach() -> Reach:
    """Return how far a change is to reach, as the form says; only this one if it says nothing."""
    try:
        return Reach(request.form.get("scope", ""))
    except ValueError:
        return Reach.THIS


def doing(found: Reservation, who: Caller) -> Doing:
    """Return what the person can do with the use of this reservation now."""
    owner, now = found.instrument.institution_id, clock.now()
    runs, buys = who.may(Permission.RUN_INSTRUMENTS, owner), _buys(found, who)
    match found.status:
        case ReservationStatus.CONFIRMED:
            begins = found.starts_at - rules.EARLIEST_START
            return Doing(
                start=(runs or buys) and begins <= now < found.ends_at,
                miss=runs and now >= found.starts_at + rules.UNCLAIMED,
                record=runs and now >= found.ends_at,
            )
        case ReservationStatus.IN_USE:
            return Doing(end=runs or buys, record=runs and now >= found.ends_at)
        case ReservationStatus.COMPLETED:
            return Doing(confirm=runs)
        case ReservationStatus.USAGE_CONFIRMED if found.use is not None:
            disputed, accepted = found.use.is_disputed, found.use.is_accepted
            return Doing(
                answer=disputed and runs,
                agree=buys and not (disputed or accepted),
                settle=accepted and who.may(Permission.KEEP_BOOKS, owner),
            )
        case ReservationStatus.CANCELLED | ReservationStatus.NO_SHOW:
            is_open = found.fee is not None and found.fee_settlement is None
            return Doing(settle_fee=is_open and who.may(Permission.KEEP_BOOKS, owner))
    return Doing()


def _buys(found: Reservation, who: Caller) -> bool:
    """Tell whether the person acts for the firm: who made it, and who manages the firm."""
    customer = found.organisation_id
    made_it = found.user_id == who.user_id and who.may(Permission.RESERVE, customer)
    return made_it or who.may(Permission.CHANGE_CUSTOMER_SIDE, customer)
