"""Pages of the waiting list: joining from an instrument, one's own places, one tap to answer."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import acting_organisation, caller
from booking.kernel import clock, forms, http, pages
from booking.kernel.db import transaction
from booking.kernel.errors import DomainError, InvalidField, NotFound
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.timeslot import TimeSlot, UnusableSlot
from booking.registry import queries as registry
from booking.waiting import queries, rules, service
from booking.waiting.errors import StillFree
from booking.waiting.rules import Standing
from booking.waiting.schemas import SeenForm, WaitingForm

bp = pages.Blueprint("waiting_pages", __name__)
SHOWN = 50
_NAMES = ("starts_at", "ends_at", "minutes", "purpose", "samples", "assisted", "organisation")


@bp.get("/waiting-list")
@login_required
def index() -> Response:
    """List the places one may see: offers first, then what waits, then what ended lately."""
    return _show_list(Form())


@bp.get("/instruments/<id:instrument_id>/waiting")
@login_required
def join_page(instrument_id: int) -> Response:
    """Ask from when to when one would come; what the address names is filled in."""
    given = {name: request.args[name] for name in _NAMES if request.args.get(name)}
    instrument = registry.get_instrument(instrument_id, caller=caller())
    return _show_wish(instrument_id, Form(values=MultiDict(_filled(given, instrument.zone))))


@bp.post("/instruments/<id:instrument_id>/waiting")
@login_required
def join(instrument_id: int) -> Response:
    """Take a place in the queue, or say why there is none to take."""
    instrument = registry.get_instrument(instrument_id, caller=caller())
    form = forms.read(WaitingForm)
    window = _window(form, instrument.zone) if not form.errors else None
    if window is None:
        return _show_wish(instrument_id, form)
    try:
        with transaction():
            service.join(
                instrument_id,
                window,
                minutes=form.data["minutes"],
                purpose=form.data["purpose"],
                caller=caller(),
                samples=form.data["samples"],
                is_assisted=form.data["assisted"],
                organisation_id=acting_organisation(caller()),
            )
    except NotFound:
        raise
    except DomainError as refused:
        form.refuse(refused)
        free = refused.slot if isinstance(refused, StillFree) else None
        return _show_wish(instrument_id, form, free)
    flash(gettext("已加入候补。有空档时会通知您，请在期限内确认。"), "ok")
    return bp.go("index")


@bp.post("/waiting-list/<id:entry_id>/accept")
@login_required
def accept(entry_id: int) -> Response:
    """Reserve what is offered with one tap."""
    form = forms.read(SeenForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                entry = service.accept(entry_id, **form.data, caller=caller())
            where = url_for("reservations_pages.made", reservation_id=entry.reservation_id)
            response = redirect(where, code=303)
            assert isinstance(response, Response)  # noqa: S101 - flask's own class
            return response
    return _show_list(form)


@bp.post("/waiting-list/<id:entry_id>/decline")
@login_required
def decline(entry_id: int) -> Response:
    """Give up what is offered."""
    return _do(service.decline, gettext("已放弃，时段让给下一位。"), entry_id)


@bp.post("/waiting-list/<id:entry_id>/leave")
@login_required
def leave(entry_id: int) -> Response:
    """Leave the queue."""
    return _do(service.leave, gettext("已退出候补。"), entry_id)


def _do(act: Callable[..., object], said: str, entry_id: int) -> Response:
    form = forms.read(SeenForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                act(entry_id, **form.data, caller=caller())
            flash(said, "ok")
            return bp.go("index")
    return _show_list(form)


def _show_list(form: Form) -> Response:
    try:
        found = queries.list_entries(
            caller=caller(), limit=SHOWN, cursor=request.args.get("cursor") or None
        )
    except InvalidField:
        found = queries.list_entries(caller=caller(), limit=SHOWN, cursor=None)
    # Whatever page is shown: an offer does not wait long.
    offers = queries.list_entries(
        caller=caller(), limit=SHOWN, cursor=None, standing=Standing.OFFERED
    )
    offered = service.priced(offers.items, caller=caller())
    page = render_template(
        "waiting/index.html",
        form=form,
        offered=offered,
        refusals={
            each.entry.id: [http.translate(broken.detail) for broken in each.refusals]
            for each in offered
        },
        waiting=[each for each in found.items if each.entry.standing == "waiting"],
        ended=[each for each in found.items if each.entry.standing in rules.ENDS],
        next_cursor=found.next_cursor,
    )
    return forms.answer(form, page)


def _show_wish(instrument_id: int, form: Form, free: TimeSlot | None = None) -> Response:
    instrument = registry.get_instrument(instrument_id, caller=caller())
    page = render_template(
        "waiting/join.html",
        form=form,
        instrument=instrument,
        free=free,
        free_url=None
        if free is None
        else url_for(
            "reservations_pages.instrument",
            instrument_id=instrument_id,
            minutes=free.minutes,
            start=f"{free.starts_at.astimezone(instrument.zone):%Y-%m-%dT%H:%M}",
        ),
        hours=rules.OFFER_WORKING_HOURS,
        days=rules.LONGEST_WINDOW.days,
    )
    return forms.answer(form, page)


def _filled(given: dict[str, str], zone: ZoneInfo) -> dict[str, str]:
    """Return what the address wishes; where it names only a start, with the end that fits it."""
    typed = given.get("minutes", "")
    minutes = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 120
    try:
        starts = datetime.fromisoformat(given.get("starts_at", ""))
        ends = starts + timedelta(minutes=minutes)
    except (ValueError, OverflowError):
        tomorrow = clock.now().astimezone(zone) + timedelta(days=1)
        starts, ends = tomorrow.replace(hour=9, minute=0), tomorrow.replace(hour=17, minute=0)
        given = {name: given[name] for name in _NAMES[3:] if name in given}
    return {
        "starts_at": f"{starts:%Y-%m-%dT%H:%M}",
        "ends_at": f"{ends:%Y-%m-%dT%H:%M}",
        **given,
        "minutes": str(minutes),
    }


def _window(form: Form, zone: ZoneInfo) -> TimeSlot | None:
    """Return the window meant on the instrument's wall, or None with the reason in the form."""
    try:
        return TimeSlot(
            *(form.data[name].replace(tzinfo=zone) for name in ("starts_at", "ends_at"))
        )
    except UnusableSlot as unusable:
        form.refuse(ValidationError([unusable.reason], unusable.field))
        return None
