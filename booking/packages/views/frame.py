"""The blueprint of these pages, and for which institution somebody looks."""

from flask import request

from booking.accounts import queries as accounts
from booking.accounts.auth import caller
from booking.accounts.rules import OrganisationKind, Permission
from booking.kernel import pages
from booking.kernel.errors import NotAllowed, NotFound

bp = pages.Blueprint("packages_pages", __name__)
go = bp.go


def institutions() -> dict[int, str]:
    """Return the institutions whose packages the caller may see by id, or raise NotAllowed."""
    who = caller()
    own = {seat.organisation_id for seat in who.seats if seat.kind is OrganisationKind.INSTITUTION}
    ids = own & who.organisations_with(Permission.SEE_OWNER_SIDE)
    if not ids:
        raise NotAllowed
    names = accounts.names_of(ids)
    return {each: names[each] for each in sorted(ids)}


def chosen(among: dict[int, str]) -> int:
    """Return the institution the address or form names, else the first; raises NotFound."""
    found = number("institution") or next(iter(among))
    if found not in among:
        raise NotFound
    return found


def number(name: str) -> int | None:
    """Return a number of the address or form; what cannot be meant counts as not given."""
    text = request.values.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 else None
