"""The page a firm's people see first."""

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from booking.accounts import queries as accounts
from booking.accounts.auth import caller
from booking.accounts.rules import Caller, OrganisationKind
from booking.dashboard import queries, rules
from booking.kernel import clock, pages
from booking.kernel.login import login_required
from booking.kernel.money import Money
from booking.savings import queries as savings
from booking.savings.queries import Period

bp = pages.Blueprint("dashboard_pages", __name__)
FIRMS = frozenset({OrganisationKind.ENTERPRISE, OrganisationKind.RESEARCH})
_ELSEWHERE = {
    OrganisationKind.INSTITUTION: "console_pages.instruments",
    OrganisationKind.PLATFORM: "admin_pages.overview",
}


@bp.get("/dashboard")
@login_required
def index() -> str | Response:
    """Show a firm its next visits, what waits for it and what it saved; lead others to theirs."""
    who = caller()
    kinds = [seat.kind for seat in who.seats]
    if FIRMS & set(kinds):
        return _show(who)
    found = next((_ELSEWHERE[kind] for kind in kinds if kind in _ELSEWHERE), None)
    return redirect(url_for(found or "accounts_pages.account"), code=303)


def _show(who: Caller) -> str:
    now, today = clock.now(), clock.today()
    period = Period(*savings.ends_of(today.year))
    months = savings.by_month(caller=who, year=today.year, as_customer=True)[: today.month]
    most = max(months, key=lambda each: each.saved.minor)
    visits = queries.next_visits(caller=who, now=now)
    waiting = queries.waiting(caller=who, now=now)
    shown = {each.id for each in visits}  # with their state
    return render_template(
        "dashboard/index.html",
        who=who,
        firms=list(accounts.names_of(sorted(who.organisations)).values()),
        visits=visits,
        can_begin=bool(visits) and queries.can_begin(visits[0], now=now),
        waiting=waiting,
        held=[each for each in waiting.with_owner if each.id not in shown],
        is_new=not visits and not queries.has_booked(caller=who),
        year=today.year,
        totals=savings.totals(caller=who, period=period, as_customer=True),
        months=months,
        most=most if most.saved.minor > 0 else None,
        plot=rules.plot([each.saved.minor for each in months]),
        yuan=Money,
    )
