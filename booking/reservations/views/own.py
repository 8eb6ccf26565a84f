"""One's own reservations: what comes next, all of them, one with its price, and cancelling it."""

from collections.abc import Sequence
from datetime import datetime

from flask import Response, flash, render_template, request
from flask_babel import gettext

from booking.accounts.auth import caller
from booking.accounts.rules import Caller
from booking.kernel import clock, forms, http
from booking.kernel.db import transaction
from booking.kernel.errors import DomainError, InvalidField, NotFound
from booking.kernel.login import login_required
from booking.kernel.money import Money
from booking.kernel.paging import Page
from booking.reservations import queries, service
from booking.reservations.errors import TooLateToChange
from booking.reservations.models import HOLDING, Reservation, ReservationStatus
from booking.reservations.views.basket import gathered
from booking.reservations.views.frame import bp, go
from booking.reservations.views.month import month_of
from booking.reservations.views.shown import coming_together, facts, page_of, reach, side_of

SHOWN = 50
GONE = (ReservationStatus.CANCELLED, ReservationStatus.DECLINED, ReservationStatus.EXPIRED)


@bp.get("/reservations")
@login_required
def index() -> str:
    """Show what comes next, and all reservations the person may see: as a list or a month."""
    now, who = clock.now(), caller()
    view = request.args.get("view", "coming")
    if view == "month":
        return render_template(
            "reservations/index.html",
            view=view,
            month=month_of(request.args.get("month", ""), caller=who),
            today=clock.today(),
            gone=GONE,
            upcoming=None,
            rows=(),
            gathered=len(gathered()),
        )
    try:
        page = _listed(view, who, now, request.args.get("cursor") or None)
    except InvalidField:
        page = _listed(view, who, now, None)
    coming = (each for each in page.items if each.status in HOLDING)
    return render_template(
        "reservations/index.html",
        rows=page.items,
        upcoming=next(coming, None) if view == "coming" and "cursor" not in request.args else None,
        view=view,
        month=None,
        next_cursor=page.next_cursor,
        side_of=side_of,
        gathered=len(gathered()),
    )


def _listed(view: str, who: Caller, now: datetime, cursor: str | None) -> Page[Reservation]:
    if view == "coming":
        return queries.list_coming(caller=who, now=now, limit=SHOWN, cursor=cursor)
    window = (None, now) if view == "past" else (None, None)
    return queries.list_reservations(caller=who, limit=SHOWN, cursor=cursor, window=window)


@bp.get("/reservations/<id:reservation_id>")
@login_required
def show(reservation_id: int) -> str:
    """Show one reservation: state, time, place, price and saving, and what can be done."""
    found = queries.get_reservation(reservation_id, caller=caller())
    return page_of(found)


@bp.get("/reservations/<id:reservation_id>/made")
@login_required
def made(reservation_id: int) -> str:
    """Confirm a reservation just made, and say what comes next."""
    found = queries.get_reservation(reservation_id, caller=caller())
    return render_template("reservations/made.html", **facts(found))


@bp.get("/reservations/<id:reservation_id>/cancel")
@login_required
def cancel_page(reservation_id: int) -> str:
    """Ask once more before a reservation is cancelled."""
    found = queries.get_reservation(reservation_id, caller=caller())
    return _cancel_page(found)


@bp.post("/reservations/<id:reservation_id>/cancel")
@login_required
def cancel(reservation_id: int) -> Response:
    """Cancel it and free its time, or say why that cannot be done any more."""
    who, reason = caller(), request.form.get("reason", "").strip()[:500]
    version = request.form.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None
    try:
        forms.check_token()
        with transaction():
            service.cancel(reservation_id, caller=who, reason=reason, version=seen, scope=reach())
    except NotFound:
        raise
    except DomainError as refused:
        found = queries.get_reservation(reservation_id, caller=who)
        page = _cancel_page(found, trouble=http.translate(refused.message), reason=reason)
        status = http.status_of(type(refused))
        return Response(page, status=status, content_type="text/html; charset=utf-8")
    flash(gettext("预约已取消，时段已释放。"), "ok")
    return go("show", reservation_id=reservation_id)


def _cancel_page(found: Reservation, *, trouble: str = "", reason: str = "") -> str:
    """Return the page with what cancelling costs now, or why it cannot be done any more."""
    fee = None
    try:
        fee = service.of_cancelling_now(found, caller=caller())
    except TooLateToChange as late:
        trouble = trouble or http.translate(late.message)
    together = coming_together(found)
    return render_template(
        "reservations/cancel.html",
        **facts(found),
        fee=fee,
        fees=_fees(found, together),
        trouble=trouble,
        reason=reason,
        together=together,
        scope=reach(),
    )


def _fees(found: Reservation, together: Sequence[Reservation]) -> dict[str, Money]:
    """Return what cancelling costs by how far it reaches; nothing where it costs nothing."""
    found_fees: dict[str, Money] = {}
    for each in together:
        try:
            fee = service.of_cancelling_now(each, caller=caller())
        except TooLateToChange:  # said of it when it is cancelled
            continue
        if fee is None:
            continue
        reached = ["all"]
        if (each.starts_at, each.id) >= (found.starts_at, found.id):
            reached.append("following")
        if each.id == found.id:
            reached.append("this")
        for scope in reached:
            found_fees[scope] = found_fees.get(scope, Money(0, fee.currency)) + fee
    return found_fees
