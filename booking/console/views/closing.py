"""Closing an instrument of one's institution for a while, and opening it again."""

from zoneinfo import ZoneInfo

from flask import Response, flash, render_template, request
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.availability.models import CLOSURE_KINDS
from booking.console.queries import cancellation_letters
from booking.console.schemas import ClosureForm
from booking.console.views.frame import bp, go, own_instrument
from booking.kernel import clock, formats, forms
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.paging import LARGEST
from booking.kernel.timeslot import TimeSlot, UnusableSlot
from booking.registry.models import Instrument
from booking.reservations import queries, service
from booking.reservations.queries import InTheWay

NOTHING = InTheWay((), ())
_PROPOSED = ("fault", "kind", "unit", "starts_at", "ends_at", "reason")
MOST_LETTERS = 20


@bp.get("/institution/instruments/<id:instrument_id>/closures")
@login_required
def closures_page(instrument_id: int) -> Response:
    """List what is closed now and later, and offer to close more; a fault says what and when."""
    proposed = {name: request.args[name] for name in _PROPOSED if name in request.args}
    return _show(instrument_id, Form(MultiDict(proposed)))


@bp.post("/institution/instruments/<id:instrument_id>/closures")
@login_required
def close(instrument_id: int) -> Response:
    """Close it; with reservations in the way, name them and ask which shall be cancelled."""
    instrument = own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    form = forms.read(ClosureForm)
    slot = _slot(form, instrument) if not form.errors else None
    if slot is None:
        return _show(instrument_id, form)
    if forms.came_before():
        return go("closures_page", instrument_id=instrument_id)
    given = {name: form.data[name] for name in ("kind", "unit", "reason", "cancel", "fault")}
    with form.refusals():
        with transaction():
            service.close(instrument_id, slot, **given, caller=caller())
        when = formats.slot(slot, ZoneInfo(instrument.time_zone))
        flash(gettext("已停用：%(when)s。", when=when), "ok")
        return go("closures_page", instrument_id=instrument_id)
    if "cancel" in form.errors:  # a reservation that was named has gone meanwhile
        form.errors.setdefault(forms.WHOLE, []).extend(form.errors.pop("cancel"))
    return _show(instrument_id, form, slot)


@bp.post("/institution/instruments/<id:instrument_id>/closures/<id:closure_id>/lift")
@login_required
def lift(instrument_id: int, closure_id: int) -> Response:
    """End a closure now; its time can be booked again."""
    own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    if queries.get_closure(closure_id, caller=caller()).instrument_id != instrument_id:
        raise NotFound
    version = request.form.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None
    form = Form()
    with form.refusals():
        forms.check_token()
        with transaction():
            service.lift(closure_id, caller=caller(), version=seen)
        flash(gettext("已解除停用，时段可以预约了。"), "ok")
        return go("closures_page", instrument_id=instrument_id)
    return _show(instrument_id, form)


def _slot(form: Form, instrument: Instrument) -> TimeSlot | None:
    """Return the slot meant on the instrument's wall, or None with the reason in the form."""
    zone = ZoneInfo(instrument.time_zone)
    try:
        return TimeSlot(
            *(form.data[name].replace(tzinfo=zone) for name in ("starts_at", "ends_at"))
        )
    except UnusableSlot as unusable:
        form.refuse(ValidationError([unusable.reason], unusable.field))
        return None


def _show(instrument_id: int, form: Form, slot: TimeSlot | None = None) -> Response:
    instrument = own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    in_the_way, letters = NOTHING, []
    if slot is not None and form.status == 409:
        in_the_way = queries.in_the_way(instrument_id, slot, unit=form.data["unit"])
        letters = cancellation_letters(
            [each.id for each in in_the_way.reservations],
            reason=service.reason_told(form.data["kind"], form.data["reason"]),
            most=MOST_LETTERS,
        )
    page = render_template(
        "console/closures.html",
        instrument=instrument,
        zone=ZoneInfo(instrument.time_zone),
        form=form,
        closures=queries.coming_closures(
            instrument_id, caller=caller(), now=clock.now(), limit=LARGEST
        ),
        most=LARGEST,
        kinds=[kind.value for kind in CLOSURE_KINDS],
        in_the_way=in_the_way,
        letters=letters,
        now=clock.now(),
    )
    return forms.answer(form, page)
