"""Pages on which people subscribe to a calendar: address, QR code, and how it is done."""

from dataclasses import dataclass

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from booking.accounts import queries as accounts
from booking.accounts.auth import caller, caller_or_none
from booking.accounts.rules import OrganisationKind, Permission
from booking.calendars import queries, service
from booking.calendars.models import CalendarFeed
from booking.calendars.rules import FeedKind
from booking.calendars.schemas import FeedForm
from booking.kernel import forms, pages
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.registry import queries as registry

bp = pages.Blueprint("calendar_pages", __name__)

_ALL = 200
_KINDS = {
    OrganisationKind.ENTERPRISE: FeedKind.ENTERPRISE,
    OrganisationKind.INSTITUTION: FeedKind.INSTITUTION,
}


@dataclass(frozen=True)
class Address:
    """A calendar's address as browsers and as calendar programs open it."""

    https: str

    @property
    def webcal(self) -> str:
        """Return the address that opens the calendar program at once."""
        return "webcal:" + self.https.partition(":")[2]


@bp.get("/calendars/instruments/<id:instrument_id>")
def instrument(instrument_id: int) -> str:
    """Show how to subscribe to when an instrument is taken; to everybody."""
    found = registry.get_instrument(instrument_id, caller=caller_or_none())
    address = url_for("calendar_addresses.instrument", instrument_id=instrument_id, _external=True)
    return render_template("calendars/instrument.html", instrument=found, address=Address(address))


@bp.get("/calendars")
@login_required
def index() -> Response:
    """List one's calendar addresses and offer a new one."""
    return _show(Form())


@bp.post("/calendars")
@login_required
def create() -> Response:
    """Make an address and show it, this once; a reload makes no second one."""
    form = forms.read(FeedForm)
    if not form.errors and forms.came_before():
        return _back()
    if not form.errors:
        with form.refusals(), transaction():
            made = service.create_feed(**form.data, caller=caller())
            return _show(Form(status=201), made=made)
    return _show(form)


@bp.post("/calendars/<id:feed_id>/revoke")
@login_required
def revoke(feed_id: int) -> Response:
    """End an address at once and for ever."""
    forms.check_token()
    with transaction():
        service.revoke_feed(feed_id, caller=caller())
    flash(gettext("日历地址已停用，订阅它的程序不会再收到更新。"), "ok")
    return _back()


def _show(form: Form, *, made: service.NewFeed | None = None) -> Response:
    offered = _offered()
    page = render_template(
        "calendars/own.html",
        form=form,
        feeds=_in_force(),
        offered=offered,
        chosen=form.value("calendar", request.args.get("calendar", offered[0][0])),
        made=made.feed if made else None,
        address=Address(made.url) if made else None,
    )
    response = forms.answer(form, page)
    if made is not None:
        response.headers["Cache-Control"] = "no-store"
    return response


def _in_force() -> list[CalendarFeed]:
    every = queries.list_feeds(caller=caller(), limit=_ALL, cursor=None).items
    return [each for each in every if each.revoked_at is None]


def _offered() -> list[tuple[str, str]]:
    """Return the calendars one may have: one's own first, then those of organisations."""
    me = caller()
    managed = me.organisations_with(Permission.MANAGE_ORGANISATION)
    kinds = {seat.organisation_id: _KINDS[seat.kind] for seat in me.seats if seat.kind in _KINDS}
    names = accounts.names_of([held for held in kinds if held in managed])
    return [
        ("user", gettext("我自己的预约")),
        *(
            (f"{kinds[held]}:{held}", gettext("%(name)s 的全部预约", name=name))
            for held, name in names.items()
        ),
    ]


def _back() -> Response:
    response = redirect(url_for("calendar_pages.index"), code=303)
    assert isinstance(response, Response)  # noqa: S101 - flask's own class
    return response
