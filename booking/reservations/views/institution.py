"""The instruments of an institution, for those who work there: what stands how, and publishing."""

from collections.abc import Callable

from flask import Response, flash, render_template, request
from flask_babel import gettext

from booking.accounts import queries as accounts
from booking.accounts.auth import caller
from booking.accounts.rules import Caller, OrganisationKind, Permission, require
from booking.availability import queries as availability
from booking.kernel import forms, http
from booking.kernel.db import transaction
from booking.kernel.errors import DomainError, NotAllowed, NotFound
from booking.kernel.login import login_required
from booking.kernel.text import N_
from booking.registry import queries as registry
from booking.registry import service
from booking.registry.models import Instrument
from booking.reservations.views.frame import bp, go

SHOWN = 50


@bp.get("/institution/instruments")
@login_required
def instruments() -> Response:
    """List all instruments of the institution one works at, published or not."""
    return _list()


@bp.post("/institution/instruments/<id:instrument_id>/publish")
@login_required
def publish(instrument_id: int) -> Response:
    """Let everybody find an instrument, or say what is missing for that."""
    return _move(instrument_id, service.publish, gettext("“%(name)s”已发布，企业可以找到它。"))


@bp.post("/institution/instruments/<id:instrument_id>/withdraw")
@login_required
def withdraw(instrument_id: int) -> Response:
    """Take an instrument out of everybody's sight; what is reserved stays."""
    return _move(instrument_id, service.withdraw, gettext("“%(name)s”已撤回，已有预约不受影响。"))


def own_instrument(
    instrument_id: int, permission: Permission, *, for_update: bool = False
) -> Instrument:
    """Return an instrument of an institution the caller works at.

    Raises NotFound for everybody else's, published or not, and NotAllowed without permission.
    """
    who = caller()
    if not who.organisations:
        raise NotFound
    found = registry.get_instrument(instrument_id, caller=who, for_update=for_update)
    if found.institution_id not in who.organisations:
        raise NotFound
    require(who, permission, found.institution_id)
    return found


def _move(instrument_id: int, change: Callable[..., Instrument], done: str) -> Response:
    name = own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS).name
    try:
        forms.check_token()
        with transaction():
            change(instrument_id, caller=caller(), version=_number("version"))
    except NotFound:
        raise
    except DomainError as refused:
        reason = http.translate(refused.message)
        trouble = gettext("“%(name)s”没有更改。%(reason)s", name=name, reason=reason)
        return _list(trouble, http.status_of(type(refused)))
    flash(done % {"name": name}, "ok")
    return go("instruments", institution=_number("institution"), page=_number("page"))


def _list(trouble: str = "", status: int = 200) -> Response:
    who = caller()
    institutions = _institutions(who)
    chosen = _number("institution") or next(iter(institutions))
    if chosen not in institutions:
        raise NotFound
    number = max(1, _number("page") or 1)
    rows, total = registry.owned_by(chosen, caller=who, limit=SHOWN, skip=(number - 1) * SHOWN)
    if not rows and total:  # past the last page
        number = -(-total // SHOWN)
        rows, _ = registry.owned_by(chosen, caller=who, limit=SHOWN, skip=(number - 1) * SHOWN)
    page = render_template(
        "reservations/institution.html",
        institutions=institutions,
        chosen=chosen,
        rows=rows,
        total=total,
        number=number,
        has_more=number * SHOWN < total,
        with_hours=availability.with_hours([row.id for row in rows]),
        may_run=who.may(Permission.RUN_INSTRUMENTS, chosen),
        may_publish=who.may(Permission.MANAGE_INSTRUMENTS, chosen),
        trouble=trouble,
    )
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def _institutions(who: Caller) -> dict[int, str]:
    """Return the institutions the caller works at by id, or raise NotAllowed if there is none."""
    ids = {seat.organisation_id for seat in who.seats if seat.kind is OrganisationKind.INSTITUTION}
    if not ids:
        raise NotAllowed(N_("这一页供检验检测机构的人员使用，您的账号不属于任何机构。"))
    names = accounts.names_of(ids)
    return {each: names[each] for each in sorted(ids)}


def _number(name: str) -> int | None:
    """Return a number of the address or form; what cannot be meant counts as not given."""
    text = request.values.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 else None
