"""The price list of an instrument: what holds, what held, a new version, and trying it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, flash, render_template, request
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller
from booking.accounts.rules import CustomerClass, Permission
from booking.console.views.frame import bp, go, number, own_instrument
from booking.kernel import clock, forms
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.schema import unusable
from booking.kernel.text import N_
from booking.kernel.timeslot import TimeSlot
from booking.registry.models import Instrument
from booking.reservations import queries
from booking.tariffs import queries as prices
from booking.tariffs import service
from booking.tariffs.models import Price
from booking.tariffs.rules import MOST_WINDOWS, STEPS, ChargeUnit, Quote, Window, rise_percent
from booking.tariffs.schemas import DAYS
from booking.tariffs.schemas.forms import (
    TYPED_AS,
    TermsForm,
    refuse_row,
    typed_terms,
    typed_window,
)

SPARE_ROWS = 2
_ROW = ("name", "days", "from", "to", "percent")
_OF_SLOT = ("slot_start", "slot_minutes", "samples", "assisted")


@dataclass(frozen=True)
class Tried:
    """What the slot costs a class by the price that was typed, and by the one that holds."""

    customer_class: CustomerClass
    quote: Quote
    before: Quote | None
    rise_percent: int


@bp.get("/institution/instruments/<id:instrument_id>/prices")
@login_required
def prices_page(instrument_id: int) -> Response:
    """Show the versions and a form for the next, filled as one that is there."""
    own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS)
    return _show(instrument_id, Form(values=_typed(instrument_id)))


@bp.post("/institution/instruments/<id:instrument_id>/prices")
@login_required
def publish_prices(instrument_id: int) -> Response:
    """Publish it for each class that was ticked, all or none; or only try it on a slot."""
    instrument = own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS)
    form = forms.read(TermsForm)
    given = _given(form, instrument)
    if given is None:
        return _show(instrument_id, form)
    with form.refusals():
        if "preview" in request.form:
            return _show(instrument_id, form, _tried(form, given, instrument))
        with transaction():
            for customer_class in form.data["classes"]:
                service.publish_price(instrument_id, customer_class, **given, caller=caller())
        flash(gettext("已公布。已有预约的价格不变。"), "ok")
        return go("prices_page", instrument_id=instrument_id)
    _as_typed(form)
    return _show(instrument_id, form)


@bp.post("/institution/instruments/<id:instrument_id>/prices/<id:price_id>/withdraw")
@login_required
def withdraw_price(instrument_id: int, price_id: int) -> Response:
    """Take back a version that does not hold yet."""
    own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS)
    form = Form(values=_typed(instrument_id))
    with form.refusals():
        forms.check_token()
        with transaction():
            service.withdraw_price(price_id, caller=caller())
        flash(gettext("已撤回，现在的价格继续有效。"), "ok")
        return go("prices_page", instrument_id=instrument_id)
    return _show(instrument_id, form)


def _given(form: Form, instrument: Instrument) -> dict[str, Any] | None:
    """Return what a price is published with, or None with what is wrong in the form."""
    windows = list(_windows(form))
    if form.errors:
        return None
    data = {name: form.data[name] for name in ("per_hour", "discount_percent", "discount_reason")}
    data["terms"] = replace(form.data["terms"], windows=tuple(windows))
    with form.refusals():
        data["effective_from"] = _moment(form.data["effective_from"], instrument.zone)
    return None if form.errors else data


def _windows(form: Form) -> Sequence[Window]:
    found = []
    for n in range(MOST_WINDOWS):
        row = MultiDict(
            (name, text) for name in _ROW for text in form.values.getlist(f"window-{n}-{name}")
        )
        if not any(text.strip() for name, text in row.items(multi=True) if name != "days"):
            continue
        try:
            found.append(typed_window(row))
        except ValidationError as refused:
            form.refuse(refuse_row(n, refused))
    return found


def _moment(wall: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return the instant of a day and time on the instrument's wall."""
    if wall is None:
        return None
    instant = wall.replace(tzinfo=zone)
    exists = instant.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
    if not exists or instant.utcoffset() != instant.replace(fold=1).utcoffset():
        raise unusable(N_("这一时刻因夏令时不存在或出现两次，请换一个时间。"), "effective_from")
    return instant.astimezone(UTC)


def _as_typed(form: Form) -> None:
    """Name errors of the rules by the fields of this form."""
    for name, typed in TYPED_AS.items():
        if name in form.errors:
            form.errors.setdefault(typed, []).extend(form.errors.pop(name))
    if "windows" in form.errors:
        form.errors["window-0-name"] = form.errors.pop("windows")


def _tried(form: Form, given: Mapping[str, Any], instrument: Instrument) -> list[Tried]:
    start = _moment(form.data["slot_start"], instrument.zone) or clock.now()
    slot = TimeSlot(start, start + timedelta(minutes=form.data["slot_minutes"]))
    usage = {"samples": form.data["samples"], "assisted": form.data["assisted"]}
    found = []
    for customer_class in form.data["classes"]:
        quote = service.preview(
            instrument.id, customer_class, **given, slot=slot, caller=caller(), **usage
        )
        current = prices.find_current(instrument.id, customer_class)
        before = current and service.price_slot(
            current.facts, instrument, customer_class, slot, **usage
        )
        rise = rise_percent(current.facts, quote.facts) if current and quote.facts else 0
        found.append(Tried(customer_class, quote, before or None, rise))
    return found


def _typed(instrument_id: int) -> MultiDict[str, str]:
    """Return the form as the version the address names, else the current one of small firms."""
    chosen = prices.find_price(number("from") or 0)
    if chosen is None or chosen.instrument_id != instrument_id:
        chosen = prices.find_current(instrument_id, CustomerClass.SME)
    values: MultiDict[str, str] = MultiDict()
    values["slot_minutes"] = "120"
    values["slot_start"] = f"{_next_morning():%Y-%m-%dT10:00}"
    if chosen is None:
        return values
    values.update(typed_terms(chosen.per_hour, chosen.terms))
    values["classes"] = chosen.customer_class.value
    percent = chosen.discount_percent
    values["discount_percent"] = f"{percent.normalize():f}" if percent else ""
    values["discount_reason"] = chosen.discount_reason
    return values


def _next_morning() -> datetime:
    return clock.now().astimezone(clock.CHINA) + timedelta(days=1)


def _show(instrument_id: int, form: Form, tried: Sequence[Tried] = ()) -> Response:
    instrument = own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS)
    history = queries.price_history(instrument_id)
    page = render_template(
        "console/prices.html",
        instrument=instrument,
        form=form,
        standing=[each for each in history if _stands(each.price)],
        history=history,
        tried=tried,
        rows=_rows(form),
        classes=list(CustomerClass),
        units=[unit.value for unit in ChargeUnit],
        steps=sorted(STEPS),
        days=DAYS,
        now=clock.now(),
    )
    return forms.answer(form, page)


def _stands(price: Price) -> bool:
    return price.superseded_at is None or price.superseded_at > clock.now()


def _rows(form: Form) -> list[int]:
    """Return the numbers of the rows for hours: those filled in, and some to fill in."""
    filled = [n for n in range(MOST_WINDOWS) if form.value(f"window-{n}-percent")]
    return list(range(min(MOST_WINDOWS, max(filled, default=-1) + 1 + SPARE_ROWS)))
