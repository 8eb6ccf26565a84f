"""The institution's packages: what is sold, publishing, withdrawing, and what firms bought."""

from typing import Any

from flask import Response, flash, render_template
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.kernel import clock, forms
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.packages import queries, rules, service
from booking.packages.models import HourPackage
from booking.packages.rules import Reach
from booking.packages.schemas import BUYERS, PackageForm, PurchaseForm, SeenForm
from booking.packages.views.frame import bp, chosen, go, institutions, number
from booking.registry import queries as registry

SHOWN = 200


@bp.get("/institution/packages")
@login_required
def packages() -> Response:
    """List what is sold and what firms bought; finance records purchases here."""
    return _show(Form())


@bp.post("/institution/packages/purchases")
@login_required
def buy() -> Response:
    """Record that a firm paid for a package."""
    form = forms.read(PurchaseForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                made = service.record_purchase(**form.data, caller=caller())
            said = gettext("已登记 %(number)s，企业现在可以用它预约。", number=made.number)
            flash(said, "ok")
            return go("balance", balance_id=made.id)
    return _show(form)


@bp.post("/institution/packages/<id:package_id>/withdraw")
@login_required
def withdraw(package_id: int) -> Response:
    """Sell a package no more."""
    form = forms.read(SeenForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                done = service.withdraw(package_id, caller=caller())
            flash(gettext("已停售。已经卖出的照常使用。"), "ok")
            return go("packages", institution=done.institution_id)
    return _show(form)


def _show(form: Form) -> Response:
    among = institutions()
    institution = _of_form(among, form)
    who = caller()
    found = queries.list_packages(institution)
    page = render_template(
        "packages/institution.html",
        form=form,
        institutions=among,
        chosen=institution,
        sold=[each for each in found if each.withdrawn_at is None],
        withdrawn=[each for each in found if each.withdrawn_at is not None],
        successors=queries.successors(found),
        names=_names(found),
        balances=queries.sold_by(institution, limit=SHOWN),
        may_publish=who.may(Permission.MANAGE_INSTRUMENTS, institution),
        may_record=who.may(Permission.KEEP_BOOKS, institution),
        today=clock.today(),
        soon=rules.REMIND_DAYS[0],
    )
    return forms.answer(form, page)


def _of_form(among: dict[int, str], form: Form) -> int:
    """Return the institution of the address, or of the package a form was about."""
    package_id = number("package_id")
    if form.errors and package_id is not None and number("institution") is None:
        owner = queries.get_package(package_id).institution_id
        return owner if owner in among else next(iter(among))
    return chosen(among)


def _names(found: list[HourPackage] | Any) -> dict[int, str]:
    return registry.instrument_names({each for package in found for each in package.instrument_ids})


@bp.get("/institution/packages/new")
@login_required
def new() -> Response:
    """Offer to publish a package; with `replaces`, another version of one that is sold."""
    replaces = number("replaces")
    if replaces is None:
        return _new(Form(values=MultiDict({"valid_months": "12"})))
    old = queries.get_package(replaces)
    if old.institution_id not in institutions():
        raise NotFound
    values: MultiDict[str, str] = MultiDict(
        {
            "name": old.name,
            "customer_class": old.customer_class.value,
            "hours": str(old.hours),
            "price": old.price.amount,
            "valid_months": str(old.valid_months),
            "category_code": old.category_code,
            "conditions": old.conditions,
            "replaces": str(old.id),
            "institution": str(old.institution_id),
        }
    )
    values.setlist("instrument_ids", [str(each) for each in old.instrument_ids])
    return _new(Form(values=values), old)


@bp.post("/institution/packages/new")
@login_required
def publish() -> Response:
    """Publish it."""
    form = forms.read(PackageForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                made = service.publish(chosen(institutions()), **form.data, caller=caller())
            flash(gettext("机时包“%(name)s”已公布。", name=made.name), "ok")
            return go("packages", institution=made.institution_id)
    replaces = number("replaces")
    return _new(form, queries.get_package(replaces) if replaces is not None else None)


def _new(form: Form, old: HourPackage | None = None) -> Response:
    among = institutions()
    institution = old.institution_id if old else chosen(among)
    if institution not in among:
        raise NotFound
    classes = {each: queries.timed_instruments(institution, Reach(), each) for each in BUYERS}
    page = render_template(
        "packages/new.html",
        form=form,
        institutions=among,
        chosen=institution,
        old=old,
        classes=[each.value for each in BUYERS],
        listed=_listed(classes),
        most=rules.MOST_INSTRUMENTS,
    )
    return forms.answer(form, page)


def _listed(classes: dict[Any, Any]) -> list[tuple[Any, dict[str, Any]]]:
    """Return the instruments charged by time, each with the list price of every class."""
    found: dict[int, tuple[Any, dict[str, Any]]] = {}
    for each, listed in classes.items():
        for instrument, price in listed:
            row = found.setdefault(instrument.id, (instrument, {}))
            row[1][each.value] = price.per_hour
    return [found[key] for key in sorted(found)]
