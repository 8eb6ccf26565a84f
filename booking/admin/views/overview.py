"""What waits for somebody: organisations to verify, jobs and mails that failed, the calendar."""

from flask import render_template

from booking.accounts import queries as accounts
from booking.accounts.auth import caller
from booking.admin.views.frame import admins_only, bp
from booking.kernel import clock, jobruns
from booking.notices import queries as notices
from booking.reference import queries as reference

WAITING_SHOWN = 5


@bp.get("/admin")
@admins_only
def overview() -> str:
    """Show what waits, each figure leading to what is behind it."""
    now = clock.now()
    waiting = accounts.list_for_admin(
        caller=caller(), limit=WAITING_SHOWN, cursor=None, state=accounts.Verification.WAITING
    )
    return render_template(
        "admin/overview.html",
        waiting=waiting.items,
        counts=accounts.count_for_admin(),
        backlog=notices.backlog(),
        failed=jobruns.failed_lately(now),
        provisional=[year for year in reference.provisional_years() if year >= now.year],
        is_december=clock.today().month == 12,
    )
