"""The board of a day: instruments × hours, who comes, what stands still."""

from datetime import date, timedelta

from flask import render_template, request

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.availability.models import CLOSURE_KINDS, OccupancyKind
from booking.console import queries
from booking.console.views.frame import bp, chosen_institution, institutions
from booking.kernel import clock
from booking.kernel.login import login_required
from booking.reservations import queries as reservations
from booking.reservations.models import ReservationStatus
from booking.waiting import queries as waiting

ARRIVALS = 30
_REACH = timedelta(days=366 * 5)


@bp.get("/institution/today")
@login_required
def today() -> str:
    """Show the day of the institution one works at, today's unless the address names another."""
    among = institutions()
    chosen = chosen_institution(among, Permission.SEE_OWNER_SIDE)
    board = queries.board(chosen, _day(), caller=caller())
    return render_template(
        "console/today.html",
        institutions=among,
        chosen=chosen,
        board=board,
        waits=waiting.firms_waiting([row.id for row in board.rows]),
        faults=len(reservations.open_faults(chosen)),
        arrivals=board.arrivals[:ARRIVALS],
        is_today=board.day == clock.now().astimezone(board.zone).date(),
        now=clock.now(),
        may_run=caller().may(Permission.RUN_INSTRUMENTS, chosen),
        stop_kinds=[*CLOSURE_KINDS, OccupancyKind.OFFER],
        statuses=list(ReservationStatus),
        before=board.day - timedelta(days=1),
        after=board.day + timedelta(days=1),
    )


def _day() -> date | None:
    """Return the day of the address; what is none, or far off, counts as not given."""
    try:
        found = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None
    return found if abs(found - clock.today()) < _REACH else None
