"""Changing many instruments at once: what would change, the change, and what stood against it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Response, flash, render_template, request
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller
from booking.accounts.rules import CustomerClass, Permission
from booking.availability.rules import GRIDS, Terms
from booking.availability.schemas import WEEKDAYS
from booking.console import queries, service
from booking.console.errors import NotAllChanged
from booking.console.schemas import BareForm, HoursForm, PriceForm, SharingForm, typed_terms
from booking.console.views.frame import bp, chosen_institution, go, institutions
from booking.console.views.listing import as_arguments, wanted
from booking.kernel import forms, http
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.forms import Form, FormSchema
from booking.kernel.login import login_required
from booking.registry.models import Instrument, SharingMode

_Change = Callable[..., int]
# What can be done to many, what the form of it sends, and what one must be allowed.
DOINGS: Mapping[str, tuple[_Change, type[FormSchema], Permission]] = {
    "publish": (service.publish_each, BareForm, Permission.MANAGE_INSTRUMENTS),
    "withdraw": (service.withdraw_each, BareForm, Permission.MANAGE_INSTRUMENTS),
    "hours": (service.set_hours_of_each, HoursForm, Permission.RUN_INSTRUMENTS),
    "price": (service.set_price_of_each, PriceForm, Permission.MANAGE_INSTRUMENTS),
    "sharing": (service.set_sharing_of_each, SharingForm, Permission.MANAGE_INSTRUMENTS),
}
# The condition of the list that each is about.
_ABOUT = {
    "publish": "publication",
    "withdraw": "publication",
    "hours": "lacking",
    "price": "lacking",
    "sharing": "sharing",
}


@bp.get("/institution/instruments/bulk")
@login_required
def bulk_page() -> Response:
    """Show which instruments would change, and ask for what is needed."""
    doing, chosen, ids = _asked()
    usual = typed_terms(Terms()) if doing == "hours" else {}
    return _show(doing, chosen, ids, Form(values=MultiDict(usual)))


@bp.post("/institution/instruments/bulk")
@login_required
def bulk() -> Response:
    """Change all of them; if one cannot be changed, none is, and each such one is named."""
    doing, chosen, ids = _asked()
    change, schema, _ = DOINGS[doing]
    if len(queries.named(chosen, ids, caller=caller())) != len(ids):
        raise NotFound
    form = forms.read(schema)
    if not ids or form.errors:
        return _show(doing, chosen, ids, form)
    given = {name: value for name, value in form.data.items() if name != "version"}
    try:
        with transaction():
            count = change(ids, **given, caller=caller())
    except NotAllChanged as refusal:
        form.refuse(refusal)
        reasons = {each.instrument_id: http.translate(each.reason) for each in refusal.refused}
        return _show(doing, chosen, ids, form, reasons)
    flash(_told(count, len(ids) - count), "ok")
    # Filtered by what has just been changed, the list would be empty.
    kept = {name: value for name, value in as_arguments(wanted()).items() if name != _ABOUT[doing]}
    return go("instruments", institution=chosen, **kept)


def _told(changed: int, rest: int) -> str:
    done = gettext("已修改 %(count)s 台仪器。", count=changed)
    same = gettext("另有 %(count)s 台原本如此，没有改动。", count=rest) if rest else ""
    return f"{done}{same}" if changed else gettext("所选仪器原本如此，没有改动。")


def _asked() -> tuple[str, int, Sequence[int]]:
    """Return what is to be done to which instruments of which institution."""
    doing = request.values.get("do", "")
    if doing not in DOINGS:
        raise NotFound
    chosen = chosen_institution(institutions(), DOINGS[doing][2])
    if request.values.get("all"):
        return doing, chosen, queries.matching_ids(chosen, wanted(), caller=caller())
    texts = request.values.getlist("id")[: queries.MOST_AT_ONCE]
    ids = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]
    return doing, chosen, sorted(set(ids))


def _show(
    doing: str,
    chosen: int,
    ids: Sequence[int],
    form: Form,
    refused: Mapping[int, str] | None = None,
) -> Response:
    found: Sequence[Instrument] = queries.named(chosen, ids, caller=caller()) if ids else ()
    context: dict[str, Any] = {
        "doing": doing,
        "chosen": chosen,
        "instruments": found,
        "refused": refused or {},
        "kept": as_arguments(wanted()),
        "visits": queries.coming_visits([each.id for each in found]) if found else 0,
        "weekdays": WEEKDAYS,
        "grids": sorted(GRIDS),
        "classes": list(CustomerClass),
        "sharing_modes": list(SharingMode),
    }
    return forms.answer(form, render_template("console/bulk.html", form=form, **context))
