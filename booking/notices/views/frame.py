"""The blueprint of these pages, and the bell in the head of every page."""

from collections.abc import Callable
from functools import cache

from booking.kernel import login, pages
from booking.notices import queries

bp = pages.Blueprint("notices_pages", __name__)
go = bp.go


@bp.app_context_processor
def bell() -> dict[str, Callable[[], int | None]]:
    """Let every page ask how much is unread, once, or not ask."""
    return {"unread_notices": cache(_unread)}


def _unread() -> int | None:
    """Return None for who has no inbox to look into: nobody, and tokens."""
    user_id = login.own_id_or_none()
    return None if user_id is None else queries.unread(user_id)
