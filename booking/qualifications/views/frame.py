"""The blueprint of these pages, and whose certificates somebody looks after."""

from flask import request

from booking.accounts import queries as accounts
from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.kernel import pages
from booking.kernel.errors import NotAllowed, NotFound
from booking.qualifications import queries
from booking.qualifications.models import Certificate

bp = pages.Blueprint("qualifications_pages", __name__)
go = bp.go


def institutions() -> dict[int, str]:
    """Return the institutions the caller looks after by id, or raise NotAllowed."""
    ids = caller().organisations_with(Permission.MANAGE_INSTRUMENTS)
    if not ids:
        raise NotAllowed
    names = accounts.names_of(ids)
    return {each: names[each] for each in sorted(ids)}


def chosen(among: dict[int, str]) -> int:
    """Return the institution the address or form names, else the first; raises NotFound."""
    text = request.values.get("institution", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    found = number or next(iter(among))
    if found not in among:
        raise NotFound
    return found


def own_certificate(certificate_id: int) -> Certificate:
    """Return a certificate of an institution the caller looks after; others' are not found."""
    found = queries.get_certificate(certificate_id, caller=caller())
    if found.institution_id not in institutions():
        raise NotFound
    return found
