"""Contributing an instrument step by step, and changing one that is there."""

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, render_template, request
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller
from booking.accounts.rules import CustomerClass, Permission
from booking.availability.rules import GRIDS, Terms
from booking.availability.schemas import WEEKDAYS
from booking.console import queries, service
from booking.console.models import InstrumentDraft
from booking.console.schemas import HoursForm, InstrumentForm, PriceForm, typed_terms
from booking.console.views.frame import bp, chosen_institution, go, institutions, own_instrument
from booking.kernel import formats, forms
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.forms import Form, FormSchema
from booking.kernel.login import login_required
from booking.reference import queries as reference
from booking.registry import queries as registry
from booking.registry import service as instruments
from booking.registry.errors import InvalidFields
from booking.registry.models import Instrument, InstrumentType, RunningState, SharingMode
from booking.registry.rules import problems

_HERE = "43"  # the regions that are offered: Hunan's
_SPECS = ("technical", "functions", "service_content", "standards", "requirement")
_BASICS = tuple(name for name in InstrumentForm().fields if name not in _SPECS)
# The fields of each step, in their order; the last step only shows them all.
STEPS: Mapping[str, tuple[str, ...]] = {
    "basics": _BASICS,
    "specs": _SPECS,
    "hours": tuple(name for name in HoursForm().fields if name != "version"),
    "price": tuple(PriceForm().fields),
    "review": (),
}
_ORDER = tuple(STEPS)


@bp.get("/institution/instruments/new")
@login_required
def new_instrument() -> str:
    """Offer to go on with what one has begun, or to begin."""
    among = institutions()
    chosen = chosen_institution(among, Permission.MANAGE_INSTRUMENTS)
    drafts = queries.own_drafts(chosen, caller=caller())
    return render_template("console/new.html", institutions=among, chosen=chosen, drafts=drafts)


@bp.post("/institution/instruments/new")
@login_required
def start_draft() -> Response:
    """Begin to write up an instrument."""
    chosen = chosen_institution(institutions(), Permission.MANAGE_INSTRUMENTS)
    forms.check_token()
    with transaction():
        draft = service.start_draft(chosen, caller=caller())
    return go("draft_page", draft_id=draft.id, step="basics")


@bp.get("/institution/drafts/<id:draft_id>/<string:step>")
@login_required
def draft_page(draft_id: int, step: str) -> Response:
    """Show a step as it was typed, once tried with what is wrong in it."""
    draft = _draft(draft_id, step)
    form = Form(values=_values(draft))
    if draft.was_tried:
        checked = _checked(draft)
        form.errors = {n: e for n, e in checked.errors.items() if _shows(step, n)}
    form.status = 200
    return _show(draft, step, form)


@bp.post("/institution/drafts/<id:draft_id>/<string:step>")
@login_required
def keep_draft(draft_id: int, step: str) -> Response:
    """Keep a step as it was typed and go where the button leads; by itself only say when."""
    draft = _draft(draft_id, step)
    forms.check_token()
    typed = {name: request.form.getlist(name) for name in STEPS[step]}
    with transaction():
        draft = service.keep_typed(draft.id, typed, caller=caller())
    if "autosave" in request.form:
        said = gettext("已保存 %(time)s", time=formats.time_of_day(draft.saved_at))
        return Response(said, content_type="text/plain; charset=utf-8")
    place = _ORDER.index(step) + (-1 if "back" in request.form else 1)
    return go("draft_page", draft_id=draft_id, step=_ORDER[max(0, min(place, len(_ORDER) - 1))])


@bp.post("/institution/drafts/<id:draft_id>/finish")
@login_required
def finish_draft(draft_id: int) -> Response:
    """Make the instrument of it, or show all that is wrong at once."""
    draft = _draft(draft_id, "review")
    form = _checked(draft)
    is_public = "publish" in request.form
    with form.refusals():
        forms.check_token()
    if not form.errors:
        with form.refusals():
            with transaction():
                made = service.contribute(
                    draft_id, **form.data, is_public=is_public, caller=caller()
                )
            said = gettext("已登记并发布。") if is_public else gettext("已登记，还没有发布。")
            flash(said, "ok")
            return go("edit_page", instrument_id=made.id)
    with transaction():
        service.note_try(draft_id, caller=caller())
    return _show(draft, "review", form)


@bp.post("/institution/drafts/<id:draft_id>/drop")
@login_required
def drop_draft(draft_id: int) -> Response:
    """Throw a draft away."""
    draft = _draft(draft_id, "review")
    forms.check_token()
    institution = draft.institution_id
    with transaction():
        service.drop_draft(draft_id, caller=caller())
    flash(gettext("草稿已删除。"), "ok")
    return go("new_instrument", institution=institution)


@bp.get("/institution/instruments/<id:instrument_id>/edit")
@login_required
def edit_page(instrument_id: int) -> Response:
    """Show what the institution says of an instrument, ready to be changed."""
    instrument = own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS)
    return _show_edit(instrument, Form(values=_written(instrument)))


@bp.post("/institution/instruments/<id:instrument_id>/edit")
@login_required
def edit(instrument_id: int) -> Response:
    """Change it; refused, everything typed stays and all that is wrong stands beside it."""
    instrument = own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS)
    form = forms.read(InstrumentForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                instruments.update_instrument(
                    instrument_id, form.data, caller=caller(), version=_version()
                )
            flash(gettext("已保存。"), "ok")
            return go("edit_page", instrument_id=instrument_id)
    return _show_edit(instrument, form)


def _version() -> int | None:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _draft(draft_id: int, step: str) -> InstrumentDraft:
    if step not in STEPS:
        raise NotFound
    return queries.get_draft(draft_id, caller=caller())


def _values(draft: InstrumentDraft) -> MultiDict[str, str]:
    """Return what was typed, over the usual terms."""
    usual = {name: [value] for name, value in typed_terms(Terms()).items()}
    return MultiDict(usual | draft.typed)


def _checked(draft: InstrumentDraft) -> Form:
    """Return the whole draft with all that is wrong with it, and what would be made of it.

    Hours and price may come later: untouched, they are not asked for.
    """
    values = _values(draft)
    form = Form(values=values)
    form.data = {"values": _loaded(form, InstrumentForm), "hours": None, "price": None}
    if form.data["values"] and (found := problems(form.data["values"])):
        form.refuse(InvalidFields(found))
    if any(any(draft.typed.get(day, ())) for day in WEEKDAYS):
        form.data["hours"] = _loaded(form, HoursForm)
    if any(any(draft.typed.get(name, ())) for name in STEPS["price"]):
        form.data["price"] = _loaded(form, PriceForm)
    places = {name: place for place, name in enumerate(n for of in STEPS.values() for n in of)}
    form.errors = dict(sorted(form.errors.items(), key=lambda each: places.get(each[0], -1)))
    return form


def _loaded(form: Form, schema: type[FormSchema]) -> dict[str, Any] | None:
    with form.refusals():
        found: dict[str, Any] = schema(unknown="exclude").load(form.values)
        found.pop("version", None)
        return found
    return None


def _shows(step: str, name: str) -> bool:
    return step == "review" or name in STEPS[step]


def _written(instrument: Instrument) -> MultiDict[str, str]:
    """Return an instrument as its form shows it."""
    values: MultiDict[str, str] = MultiDict()
    for name in InstrumentForm().fields:
        value = getattr(instrument, name)
        if isinstance(value, bool):
            value = "1" if value else ""
        if isinstance(value, list):
            value = "；".join(value)
        values[name] = "" if value is None else str(value)
    values["version"] = str(instrument.version)
    return values


def _show_edit(instrument: Instrument, form: Form) -> Response:
    page = render_template("console/edit.html", instrument=instrument, form=form, **_choices())
    return forms.answer(form, page)


def _show(draft: InstrumentDraft, step: str, form: Form) -> Response:
    of_field = {name: each for each, names in STEPS.items() for name in names}
    page = render_template(
        "console/draft.html",
        draft=draft,
        step=step,
        steps=_ORDER,
        form=form,
        of_field=of_field,
        weekdays=WEEKDAYS,
        grids=sorted(GRIDS),
        classes=list(CustomerClass),
        **_choices(),
    )
    return forms.answer(form, page)


def _choices() -> dict[str, Any]:
    names = registry.category_names(None)
    groups = [
        (name, [(c, n) for c, n in sorted(names.items()) if c[:2] == code[:2] and c != code])
        for code, name in sorted(names.items())
        if code.endswith("0000")
    ]
    regions = sorted(reference.region_names(None).items())
    return {
        "category_groups": [(name, found or [("990000", name)]) for name, found in groups],
        "regions": [(code, name) for code, name in regions if code.startswith(_HERE)],
        "types": list(InstrumentType),
        "states": list(RunningState),
        "sharing_modes": list(SharingMode),
    }
