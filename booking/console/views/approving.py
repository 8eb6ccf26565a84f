"""What waits for the institution's approval: a list, and one of it to decide on."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, render_template
from flask_babel import gettext

from booking.accounts import queries as accounts
from booking.accounts.auth import caller, caller_or_none
from booking.accounts.rules import Permission
from booking.console.views.frame import bp, chosen_institution, go, institutions
from booking.kernel import clock, forms, http
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.forms import Form, FormSchema
from booking.kernel.login import login_required
from booking.reservations import queries, service
from booking.reservations.models import Reservation, ReservationStatus
from booking.reservations.schemas import DeclineForm, NoteForm

MOST = 200


@bp.app_context_processor
def waiting_approvals() -> dict[str, Callable[[], int]]:
    """Let the rail say how many wait, if a page shows it."""
    return {"approvals_waiting": _count}


def _count() -> int:
    who = caller_or_none()
    return queries.count_waiting(who, now=clock.now()) if who else 0


@bp.get("/institution/approvals")
@login_required
def approvals() -> Response:
    """List what waits, the first to expire first, and show that one to decide on."""
    among = institutions()
    chosen = chosen_institution(among, Permission.SEE_OWNER_SIDE)
    return _show(chosen, None, Form())


@bp.get("/institution/approvals/<id:reservation_id>")
@login_required
def approval(reservation_id: int) -> Response:
    """Show one: where the mail leads. Looking decides nothing."""
    found = _own(reservation_id)
    return _show(found.instrument.institution_id, found, Form())


@bp.post("/institution/approvals/<id:reservation_id>/approve")
@login_required
def approve(reservation_id: int) -> Response:
    """Approve it."""
    return _decide(reservation_id, NoteForm, service.approve, gettext("已批准，并已通知企业。"))


@bp.post("/institution/approvals/<id:reservation_id>/decline")
@login_required
def decline(reservation_id: int) -> Response:
    """Decline it, saying why."""
    return _decide(
        reservation_id, DeclineForm, service.decline, gettext("已退回，时段已释放，并已通知企业。")
    )


def _decide(
    reservation_id: int,
    schema: type[FormSchema],
    act: Callable[..., Reservation],
    said: str,
) -> Response:
    """Do it and lead to the next one, or show this one again with what was typed."""
    institution_id = _own(reservation_id).instrument.institution_id
    form = forms.read(schema)
    if not form.errors:
        with form.refusals():
            with transaction():
                act(reservation_id, caller=caller(), **form.data)
            flash(said, "ok")
            return go("approvals", institution=institution_id, _anchor="decide")
    return _show(institution_id, _own(reservation_id), form)


def _own(reservation_id: int) -> Reservation:
    """Return a reservation of an institution the caller works the day for, or raise NotFound."""
    found = queries.get_reservation(reservation_id, caller=caller())
    if not caller().may(Permission.SEE_OWNER_SIDE, found.instrument.institution_id):
        raise NotFound
    return found


def _show(institution_id: int, found: Reservation | None, form: Form) -> Response:
    now, who = clock.now(), caller()
    waiting = queries.waiting_for(institution_id, now=now, limit=MOST)
    shown = found or next(iter(waiting), None)
    page = render_template(
        "console/approvals.html",
        institutions=institutions(),
        chosen=institution_id,
        waiting=waiting,
        shown=shown,
        form=form,
        may_run=who.may(Permission.RUN_INSTRUMENTS, institution_id),
        **(_judged(shown) if shown else {}),
    )
    return forms.answer(form, page)


def _judged(shown: Reservation) -> dict[str, Any]:
    """Return what helps to decide: the rules as they stand, and how the firm came so far."""
    is_open = shown.status is ReservationStatus.TENTATIVE
    waits = is_open and shown.expires_at is not None and clock.now() < shown.expires_at
    broken = service.broken_since(shown) if waits else []
    people = [each for each in (shown.user_id, shown.decided_by) if each is not None]
    return {
        "waits": waits,
        "broken": [http.translate(each.detail) for each in broken],
        "record": queries.record_of(shown),
        "names": accounts.person_names(people),
    }
