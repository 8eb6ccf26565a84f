"""Faults that users reported: what waits for an answer, and answering it."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Response, flash, render_template, url_for
from flask_babel import gettext

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.console.views.frame import bp, chosen_institution, go, institutions
from booking.kernel import clock, forms
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.reservations import queries, service
from booking.reservations.models import Fault
from booking.reservations.schemas import FaultAnswerForm


@bp.get("/institution/faults")
@login_required
def faults() -> str:
    """List the faults nobody has answered yet, oldest first."""
    among = institutions()
    chosen = chosen_institution(among, Permission.SEE_OWNER_SIDE)
    return render_template(
        "console/faults.html",
        institutions=among,
        chosen=chosen,
        faults=queries.open_faults(chosen),
    )


@bp.get("/institution/faults/<id:fault_id>")
@login_required
def fault(fault_id: int) -> Response:
    """Show one fault with the two ways to answer it."""
    return _show(fault_id, Form())


@bp.post("/institution/faults/<id:fault_id>/dismiss")
@login_required
def dismiss(fault_id: int) -> Response:
    """Answer that it can go on."""
    form = forms.read(FaultAnswerForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                service.dismiss_fault(fault_id, **form.data, caller=caller())
            flash(gettext("已答复，仪器照常可约。"), "ok")
            return go("faults")
    return _show(fault_id, form)


def _show(fault_id: int, form: Form) -> Response:
    found = queries.get_fault(fault_id, caller=caller())
    page = render_template(
        "console/fault.html",
        fault=found,
        reservation=found.reservation,
        instrument=found.reservation.instrument,
        closing=_closing(found),
        form=form,
    )
    return forms.answer(form, page)


def _closing(found: Fault) -> str:
    """Return where the unit is closed from now to the end of its day, as a proposal."""
    instrument = found.reservation.instrument
    zone = ZoneInfo(instrument.time_zone)
    now = clock.now().astimezone(zone).replace(second=0, microsecond=0)
    midnight = datetime.combine(now.date() + timedelta(days=1), time(0))
    return url_for(
        "console_pages.closures_page",
        instrument_id=instrument.id,
        fault=found.id,
        kind="fault",
        unit=found.unit if instrument.units > 1 else None,
        starts_at=now.strftime("%Y-%m-%dT%H:%M"),
        ends_at=midnight.strftime("%Y-%m-%dT%H:%M"),
        reason=found.what[:200],
        _anchor="add",
    )
