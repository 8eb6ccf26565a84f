"""How instruments may be booked: in words first, then to change, for one or for all of them."""

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, render_template, request
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller
from booking.accounts.rules import CustomerClass, Permission
from booking.availability import queries, service
from booking.availability.queries import PolicySheet
from booking.availability.rules import (
    GRIDS,
    QUOTAS,
    Document,
    Pair,
    Pairing,
    check_policy,
    in_words,
    usual,
)
from booking.console.queries import numbers
from booking.console.schemas.policies import PolicyForm, typed_policy
from booking.console.views.frame import bp, chosen_institution, go, institutions, own_instrument
from booking.kernel import forms
from booking.kernel.db import transaction
from booking.kernel.errors import Conflict, NotFound
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.schema import unusable
from booking.kernel.text import N_
from booking.registry.models import Instrument, SharingMode
from booking.tariffs import queries as prices
from booking.tariffs.rules import EXTERNAL_CLASSES

MOST_PAIRS, SPARE_PAIRS = 20, 2
PAIRINGS = (Pairing.NEEDS, Pairing.APART, Pairing.APART_ALL)
SHOWN = {
    "classes": [each.value for each in CustomerClass],
    "grids": sorted(GRIDS),
    "quotas": list(QUOTAS.values()),
    "pairings": [each.value for each in PAIRINGS],
}


@bp.get("/institution/instruments/<id:instrument_id>/policy")
@login_required
def policy_page(instrument_id: int) -> Response:
    """Show the policy in words, and ready to be changed."""
    instrument = own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS)
    sheet = _sheet(instrument)
    return _show(instrument, sheet, Form(values=_typed(sheet) if sheet else MultiDict()))


@bp.post("/institution/instruments/<id:instrument_id>/policy")
@login_required
def set_policy(instrument_id: int) -> Response:
    """Set it, or only say it in words; refused, everything typed stays."""
    instrument = own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS)
    sheet = _sheet(instrument)
    if sheet is None:
        raise NotFound
    form = forms.read(PolicyForm)
    pairs = _typed_pairs(form, instrument)
    if form.errors:
        return _show(instrument, sheet, form)
    if "preview" in request.form:
        with form.refusals():
            checked = service.check_instrument(sheet, form.data["own"], pairs)
            return _show(instrument, sheet, form, preview=(checked, pairs))
        return _show(instrument, sheet, form)
    with form.refusals():
        _set(instrument_id, form, pairs)
        flash(gettext("预约规则已保存，已有预约不受影响。"), "ok")
        return go("policy_page", instrument_id=instrument_id)
    return _show(instrument, sheet, form)


def _set(instrument_id: int, form: Form, pairs: Mapping[int, Pairing]) -> None:
    with transaction():
        instrument = own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS, for_update=True)
        if form.data["version"] != queries.get_policy(instrument).schedule.version:
            raise Conflict(
                N_("您填写时有人改过规则，还没有保存。请与上面现在的规则核对，再保存以您填的为准。")
            )
        service.set_policy(
            instrument_id,
            form.data["own"],
            pairs=pairs,
            caller=caller(),
            version=form.data["version"],
        )


@bp.get("/institution/policy")
@login_required
def defaults_page() -> Response:
    """Show what an institution decides for all its instruments."""
    among = institutions()
    chosen = chosen_institution(among, Permission.MANAGE_INSTRUMENTS)
    form = Form(values=MultiDict(typed_policy(queries.defaults_of(chosen))))
    return _show_defaults(among, chosen, form)


@bp.post("/institution/policy")
@login_required
def set_defaults() -> Response:
    """Set it for all that leave it to the institution, or only say it in words."""
    among = institutions()
    chosen = chosen_institution(among, Permission.MANAGE_INSTRUMENTS)
    form = forms.read(PolicyForm)
    if form.errors:
        return _show_defaults(among, chosen, form)
    if "preview" in request.form:
        with form.refusals():
            check_policy(usual() | form.data["own"])
        return _show_defaults(among, chosen, form)
    with form.refusals():
        _set_defaults(chosen, form)
        flash(gettext("默认规则已保存，沿用它的仪器已随之更改。"), "ok")
        return go("defaults_page", institution=chosen)
    return _show_defaults(among, chosen, form)


def _set_defaults(institution_id: int, form: Form) -> None:
    with transaction():
        found = queries.find_defaults(institution_id)
        if (form.data["version"] or 0) != (found.version if found else 0):
            raise Conflict(
                N_("您填写时有人改过规则，还没有保存。请与上面现在的规则核对，再保存以您填的为准。")
            )
        service.set_defaults(
            institution_id, form.data["own"], caller=caller(), version=form.data["version"] or None
        )


def _sheet(instrument: Instrument) -> PolicySheet | None:
    return queries.get_policy(instrument) if queries.find_schedule(instrument) else None


def _show(
    instrument: Instrument, sheet: PolicySheet | None, form: Form, *, preview: Any = None
) -> Response:
    document, pairs = preview or (sheet.document if sheet else usual(), None)
    shown = _named(instrument, pairs) if pairs is not None else sheet.pairs if sheet else []
    page = render_template(
        "console/policy.html",
        instrument=instrument,
        sheet=sheet,
        form=form,
        is_typed=preview is not None,
        summary=[each.words for each in in_words(queries.policy_as(document, instrument), shown)],
        defaults=sheet.defaults if sheet else usual(),
        # After a conflict the next try counts as having seen what stands now.
        version=sheet.schedule.version if sheet else 0,
        rows=_rows(form),
        others=numbers.numbers(instrument.institution_id, but=instrument.id),
        unpriced=_unpriced(instrument, document),
        needed_by=[each.name for each in shown if each.pairing is Pairing.NEEDED_BY],
        **SHOWN,
    )
    return forms.answer(form, page)


def _unpriced(instrument: Instrument, document: Document) -> list[CustomerClass]:
    """Return the outside classes that may book but have no price published, so that they cannot."""
    if instrument.sharing_mode is not SharingMode.EXTERNAL:
        return []
    admitted = document["classes"]
    priced = prices.classes_with_price(instrument.id)
    return [
        each
        for each in EXTERNAL_CLASSES
        if each not in priced and (admitted is None or each.value in admitted)
    ]


def _show_defaults(among: Mapping[int, str], chosen: int, form: Form) -> Response:
    found = queries.find_defaults(chosen)
    is_typed = bool(form.data) and not form.errors
    document = usual() | (form.data["own"] if is_typed else found.given if found else {})
    page = render_template(
        "console/policy_defaults.html",
        institutions=among,
        chosen=chosen,
        form=form,
        is_typed=is_typed,
        is_set=found is not None,
        summary=[each.words for each in in_words(queries.policy_as(document, None))],
        version=found.version if found else 0,
        inheriting=queries.inheriting(chosen),
        **SHOWN,
    )
    return forms.answer(form, page)


def _typed(sheet: PolicySheet) -> MultiDict[str, str]:
    typed = typed_policy(sheet.document)
    typed += [("inherits", name) for name in sheet.schedule.inherits]
    by_id = numbers.numbers_by_id([each.instrument_id for each in sheet.pairs])
    decided = [each for each in sheet.pairs if each.pairing in PAIRINGS]
    for n, pair in enumerate(decided):
        typed.append((f"pair-{n}-number", by_id[pair.instrument_id]))
        typed.append((f"pair-{n}-how", pair.pairing.value))
    return MultiDict(typed)


def _typed_pairs(form: Form, instrument: Instrument) -> dict[int, Pairing]:
    """Return the pairs as typed, by the number of the other; what is wrong goes beside it."""
    typed = {n: form.value(f"pair-{n}-number").strip()[:100] for n in range(MOST_PAIRS)}
    known = numbers.ids_by_number(instrument.institution_id, [*filter(None, typed.values())])
    found: dict[int, Pairing] = {}
    for n, number in typed.items():
        if not number:
            continue
        try:
            if number not in known:
                raise unusable(N_("本机构没有编号为“%(number)s”的仪器。", number=number))
            if known[number] in found:
                raise unusable(N_("同一台仪器只能出现一次。"))
            how = form.value(f"pair-{n}-how")
            found[known[number]] = Pairing(how) if how in PAIRINGS else Pairing.NEEDS
        except ValidationError as refused:
            form.refuse(ValidationError(refused.messages, f"pair-{n}-number"))
    return found


def _named(instrument: Instrument, pairs: Mapping[int, Pairing]) -> list[Pair]:
    known = queries.pairable(instrument.institution_id, pairs)
    return [Pair(each, known[each][0], how) for each, how in pairs.items()]


def _rows(form: Form) -> list[int]:
    """Return the numbers of the rows for pairs: those filled in, and some to fill in."""
    filled = [n for n in range(MOST_PAIRS) if form.value(f"pair-{n}-number")]
    return list(range(min(MOST_PAIRS, max(filled, default=-1) + 1 + SPARE_PAIRS)))
