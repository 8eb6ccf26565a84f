"""After the use: what waits to be confirmed, answered and settled."""

from flask import render_template

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.console import queries
from booking.console.views.frame import bp, chosen_institution, institutions
from booking.kernel import clock
from booking.kernel.login import login_required


@bp.get("/institution/uses")
@login_required
def uses() -> str:
    """List what waits at the institution one works at, longest waiting first."""
    among = institutions()
    chosen = chosen_institution(among, Permission.SEE_OWNER_SIDE)
    return render_template(
        "console/uses.html",
        institutions=among,
        chosen=chosen,
        waiting=queries.waiting(chosen, caller=caller(), now=clock.now()),
    )
