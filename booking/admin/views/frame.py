"""The blueprint of the operator's pages, and who may see them."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import request

from booking.accounts.auth import caller
from booking.accounts.rules import Permission, require_admin
from booking.kernel import pages
from booking.kernel.errors import InvalidField
from booking.kernel.login import login_required
from booking.kernel.paging import Page

P = ParamSpec("P")
R = TypeVar("R")
Row = TypeVar("Row")

SHOWN = 50
LONGEST_QUERY = 100

bp = pages.Blueprint("admin_pages", __name__)
go = bp.go


def admins_only(view: Callable[P, R]) -> Callable[P, R]:
    """Refuse the view to everybody who does not run the platform."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        require_admin(caller(), Permission.VERIFY)
        return view(*args, **kwargs)

    return login_required(guarded)


def asked(name: str) -> str:
    """Return what the address asks for, in one line and no longer than anybody types."""
    return " ".join(request.args.get(name, "").split())[:LONGEST_QUERY]


def page_of(find: Callable[[str | None], Page[Row]]) -> Page[Row]:
    """Return the page that the address names, the first one for a cursor that is none."""
    try:
        return find(request.args.get("cursor") or None)
    except InvalidField:
        return find(None)
