"""One's own inbox: what happened, latest first, and each notice in full."""

from dataclasses import dataclass

from flask import Response, flash, render_template, request
from flask_babel import gettext

from booking.kernel import forms, login
from booking.kernel.db import transaction
from booking.kernel.errors import InvalidField
from booking.kernel.login import login_required
from booking.kernel.paging import Page
from booking.notices import gateway, queries, service
from booking.notices.gateway import Letter
from booking.notices.models import Message
from booking.notices.views.frame import bp, go

SHOWN = 30


@dataclass(frozen=True)
class Entry:
    """A message and what it says, in the language of the page."""

    message: Message
    letter: Letter


@bp.get("/inbox")
@login_required
def index() -> str:
    """List what the person was told, latest first."""
    unread_only = request.args.get("view") == "unread"
    found = _page(request.args.get("cursor") or None, unread_only=unread_only)
    return render_template(
        "notices/inbox.html",
        entries=[_worded(message) for message in found.items],
        view="unread" if unread_only else "all",
        next_cursor=found.next_cursor,
    )


def _page(cursor: str | None, *, unread_only: bool) -> Page[Message]:
    """Return the page asked for, the first one for a cursor that is none."""
    me = login.own_id()
    try:
        return queries.list_inbox(me, limit=SHOWN, cursor=cursor, unread_only=unread_only)
    except InvalidField:
        return queries.list_inbox(me, limit=SHOWN, cursor=None, unread_only=unread_only)


def _worded(message: Message) -> Entry:
    notice = message.notice
    letter = gateway.compose(notice.kind, message.side, notice.facts, subject_id=notice.subject_id)
    return Entry(message, letter)


@bp.get("/inbox/<id:message_id>")
@login_required
def show(message_id: int) -> str:
    """Show a notice in full; it counts as read from now on."""
    me = login.own_id()
    found = queries.get_entry(message_id, user_id=me)
    if found.read_at is None:
        with transaction():
            service.mark_read(me, message_id=message_id)
    return render_template("notices/show.html", entry=_worded(found))


@bp.post("/inbox/read")
@login_required
def read_all() -> Response:
    """Mark the whole inbox as read."""
    forms.check_token()
    with transaction():
        service.mark_read(login.own_id())
    flash(gettext("通知已全部标为已读。"), "ok")
    return go("index")
