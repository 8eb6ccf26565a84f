"""Finer customer classes of an institution: their list, what they give, and who belongs to them."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from flask import Response, flash, render_template
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller
from booking.accounts.rules import Permission, require
from booking.console.queries import own_instruments
from booking.console.schemas.classes import (
    ClassTermsForm,
    MemberForm,
    NewClassForm,
    OwnPercentForm,
    SeenForm,
    begins,
    ends,
)
from booking.console.views.frame import bp, chosen_institution, go, institutions
from booking.kernel import clock, forms
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.schema import unusable
from booking.kernel.text import N_
from booking.pricegroups import queries, service
from booking.pricegroups.models import PriceGroup, PriceGroupTerms
from booking.pricegroups.rules import BASES, MOST_INSTRUMENTS
from booking.pricegroups.service import Said
from booking.registry import queries as registry
from booking.reservations import queries as reservations
from booking.tariffs.schemas.forms import refuse_row

MOST_ROWS, SPARE_ROWS, MOST_SHOWN = MOST_INSTRUMENTS, 2, 200


@bp.get("/institution/classes")
@login_required
def classes() -> Response:
    """List the finer classes with what they give."""
    chosen = chosen_institution(institutions(), Permission.MANAGE_INSTRUMENTS)
    found = queries.list_groups(
        caller=caller(), limit=MOST_SHOWN, cursor=None, institution_id=chosen
    )
    page = render_template(
        "console/classes.html",
        institutions=institutions(),
        chosen=chosen,
        standing=[each for each in found.items if each.is_in_force or each.announced],
        ended=[each for each in found.items if not (each.is_in_force or each.announced)],
        names=_names([each.terms for each in found.items]),
        now=clock.now(),
    )
    return forms.answer(Form(), page)


@bp.get("/institution/classes/new")
@login_required
def new_class_page() -> Response:
    """Ask for a new class."""
    chosen = chosen_institution(institutions(), Permission.MANAGE_INSTRUMENTS)
    return _new(chosen, Form())


@bp.post("/institution/classes/new")
@login_required
def new_class() -> Response:
    """Define it; refused, everything typed stays."""
    chosen = chosen_institution(institutions(), Permission.MANAGE_INSTRUMENTS)
    form = forms.read(NewClassForm)
    said = _said(form)
    if said is not None:
        with form.refusals():
            base = form.data["base_class"]
            with transaction():
                made = service.create_group(chosen, base, said, caller=caller())
            flash(gettext("已公布。请添加属于本类的单位。"), "ok")
            return go("class_page", class_id=made.id)
    _as_typed(form)
    return _new(chosen, form)


@bp.get("/institution/classes/<id:class_id>")
@login_required
def class_page(class_id: int) -> Response:
    """Show a class: in words, its members, its versions, and a form for the next."""
    return _show(_own(class_id), Form(values=_typed(class_id)))


@bp.post("/institution/classes/<id:class_id>/publish")
@login_required
def publish_class(class_id: int) -> Response:
    """Publish the next version."""
    group = _own(class_id)
    form = forms.read(ClassTermsForm)
    said = _said(form)
    if said is not None:
        with form.refusals():
            with transaction():
                service.publish_terms(group.id, said, caller=caller(), version=form.data["version"])
            flash(gettext("已公布新版。已有预约的价格不变。"), "ok")
            return go("class_page", class_id=class_id)
    _as_typed(form)
    return _show(_own(class_id), form)


@bp.post("/institution/classes/<id:class_id>/withdraw")
@login_required
def withdraw_class(class_id: int) -> Response:
    """Take back the version that does not hold yet."""
    return _act(class_id, service.withdraw_terms, gettext("已撤回，现在的优惠继续有效。"))


@bp.post("/institution/classes/<id:class_id>/end")
@login_required
def end_class(class_id: int) -> Response:
    """Let it give nothing from now on."""
    return _act(class_id, service.end_group, gettext("已停用。已有预约的价格不变。"))


@bp.post("/institution/classes/<id:class_id>/members")
@login_required
def add_to_class(class_id: int) -> Response:
    """Let an organisation belong to it."""
    group = _own(class_id)
    form = forms.read(MemberForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                firm = service.named_organisation(form.data["organisation"])
                service.add_member(
                    group.id,
                    firm,
                    caller=caller(),
                    since=begins(form.data["since_day"]),
                    until=ends(form.data["until_day"]),
                    version=form.data["version"],
                )
            flash(gettext("已加入：%(name)s。", name=firm.name), "ok")
            return go("class_page", class_id=class_id)
    for field, typed in (("since", "since_day"), ("until", "until_day")):
        if field in form.errors:
            form.errors[typed] = form.errors.pop(field)
    form.values = MultiDict([*_typed(class_id).items(multi=True), *form.values.items(multi=True)])
    return _show(_own(class_id), form, adding=True)


@bp.post("/institution/classes/<id:class_id>/members/<id:membership_id>/remove")
@login_required
def remove_from_class(class_id: int, membership_id: int) -> Response:
    """Let an organisation belong to it no longer."""
    return _act(
        class_id,
        lambda group, **seen: service.remove_member(group, membership_id, **seen),
        gettext("已移出。已有预约的价格不变。"),
    )


def _act(class_id: int, act: Callable[..., object], said: str) -> Response:
    group = _own(class_id)
    form = forms.read(SeenForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                act(group.id, caller=caller(), version=form.data["version"])
            flash(said, "ok")
            return go("class_page", class_id=class_id)
    form.values = _typed(class_id)
    return _show(_own(class_id), form)


def _own(class_id: int) -> PriceGroup:
    """Return a class of an institution whose instruments the caller manages.

    Raises NotFound for everybody else's, NotAllowed without permission.
    """
    group = queries.get_group(class_id, caller=caller())
    require(caller(), Permission.MANAGE_INSTRUMENTS, group.institution_id)
    return group


def _said(form: Form) -> Said | None:
    """Return what a version says, or None with what is wrong in the form."""
    own = _own_percents(form)
    if form.errors:
        return None
    return Said(
        form.data["name"],
        form.data["percent"],
        form.data["reason"],
        own,
        begins(form.data["first_day"]),
        ends(form.data["last_day"]),
    )


def _own_percents(form: Form) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for n in range(MOST_ROWS):
        row = MultiDict((name, form.value(f"own-{n}-{name}")) for name in ("instrument", "percent"))
        if not any(text.strip() for text in row.values()):
            continue
        try:
            read = OwnPercentForm().load(row)
        except ValidationError as refused:
            form.refuse(refuse_row(n, refused, prefix="own"))
            continue
        if read["instrument"] in found:
            form.refuse(unusable(N_("同一台仪器只能填写一次。"), f"own-{n}-instrument"))
        found[read["instrument"]] = read["percent"]
    return found


def _as_typed(form: Form) -> None:
    """Name errors of the service by the fields of this form."""
    typed = {
        "effective_from": "first_day",
        "ends_at": "last_day",
        "instruments": "own-0-instrument",
    }
    for name, field in typed.items():
        if name in form.errors:
            form.errors.setdefault(field, []).extend(form.errors.pop(name))


def _typed(class_id: int) -> MultiDict[str, str]:
    """Return the form as the version that holds, or the one announced."""
    described = queries.describe([_own(class_id)])[0]
    terms = described.announced or described.terms
    values: MultiDict[str, str] = MultiDict()
    values["name"], values["reason"] = terms.name, terms.reason
    values["percent"] = f"{terms.percent.normalize():f}"
    values["last_day"] = str(terms.last_at.astimezone(clock.CHINA).date()) if terms.last_at else ""
    for n, (each, percent) in enumerate(sorted(terms.percents.items())):
        values[f"own-{n}-instrument"] = str(each)
        values[f"own-{n}-percent"] = f"{percent.normalize():f}"
    return values


def _new(institution_id: int, form: Form) -> Response:
    page = render_template(
        "console/class_new.html",
        institutions=institutions(),
        chosen=institution_id,
        form=form,
        bases=BASES,
        rows=_rows(form),
        instruments=_choices(institution_id, {}),
    )
    return forms.answer(form, page)


def _show(group: PriceGroup, form: Form, *, adding: bool = False) -> Response:
    described = queries.describe([group])[0]
    versions = queries.versions_of(group.id)
    names = _names(versions)
    now = clock.now()
    people = queries.list_members(group.id, limit=MOST_SHOWN, cursor=None).items
    page = render_template(
        "console/class.html",
        found=described,
        form=form,
        adding=adding,
        changing=bool(form.errors) and not adding,
        versions=versions,
        names=names,
        members=[each for each in people if each.until is None or each.until > now],
        former=[each for each in people if each.until is not None and each.until <= now],
        known=sorted(reservations.firms_dealt_with(group.institution_id).values()),
        rows=_rows(form),
        instruments=_choices(group.institution_id, names),
        now=now,
    )
    return forms.answer(form, page)


def _names(versions: Sequence[PriceGroupTerms]) -> dict[int, str]:
    ids = {each for terms in versions for each in terms.percents}
    return registry.instrument_names(sorted(ids)) if ids else {}


def _choices(institution_id: int, names: dict[int, str]) -> list[tuple[str, str]]:
    """Return the instruments to choose from, with those that have a percentage already."""
    own = own_instruments(institution_id, caller=caller())
    found = names | {each.id: f"{each.name} · {each.inner_id}" for each in own}
    return [(str(each), name) for each, name in sorted(found.items(), key=lambda row: row[1])]


def _rows(form: Form) -> list[int]:
    """Return the numbers of the rows for instruments: those filled in, and some to fill in."""
    filled = [n for n in range(MOST_ROWS) if form.value(f"own-{n}-percent")]
    return list(range(min(MOST_ROWS, max(filled, default=-1) + 1 + SPARE_ROWS)))
