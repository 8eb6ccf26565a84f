"""The blueprint of the console, and for which institution somebody works there."""

from typing import Any

from flask import Response, redirect, request, url_for

from booking.accounts import queries as accounts
from booking.accounts.auth import caller
from booking.accounts.rules import OrganisationKind, Permission, require
from booking.kernel import pages
from booking.kernel.errors import NotAllowed, NotFound
from booking.kernel.text import N_
from booking.registry import queries as registry
from booking.registry.models import Instrument

bp = pages.Blueprint("console_pages", __name__)
go = bp.go


def institutions() -> dict[int, str]:
    """Return the institutions the caller works at by id, or raise NotAllowed if there is none."""
    ids = {
        seat.organisation_id for seat in caller().seats if seat.kind is OrganisationKind.INSTITUTION
    }
    if not ids:
        raise NotAllowed(N_("这一页供检验检测机构的人员使用，您的账号不属于任何机构。"))
    names = accounts.names_of(ids)
    return {each: names[each] for each in sorted(ids)}


def chosen_institution(among: dict[int, str], permission: Permission | None = None) -> int:
    """Return the one the address names, else the first; raises NotFound, or NotAllowed."""
    chosen = number("institution") or next(iter(among))
    if chosen not in among:
        raise NotFound
    if permission is not None:
        require(caller(), permission, chosen)
    return chosen


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


def number(name: str) -> int | None:
    """Return a number of the address or form; what cannot be meant counts as not given."""
    text = request.values.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 else None


def go_to(endpoint: str, **values: Any) -> Response:
    """Answer a form with the way to a page of another feature."""
    response = redirect(url_for(endpoint, **values), code=303)
    assert isinstance(response, Response)  # noqa: S101 - flask's own class
    return response
