"""For administrators: what has not arrived and why, and trying it again."""

from flask import Response, flash, render_template, request
from flask_babel import gettext

from booking.kernel import forms, login
from booking.kernel.db import transaction
from booking.kernel.errors import InvalidField
from booking.kernel.login import login_required
from booking.kernel.paging import Page
from booking.notices import gateway, queries, service
from booking.notices.models import Message
from booking.notices.views.frame import bp, go

SHOWN = 50
NEEDED = "verify"  # who runs the platform


@bp.get("/admin/mail")
@login_required
def undelivered() -> str:
    """List mails that failed, for good or so far; whom they are for and why, not what they say."""
    login.administrator(NEEDED)
    found = _page(request.args.get("cursor") or None)
    return render_template(
        "notices/undelivered.html",
        mails=found.items,
        next_cursor=found.next_cursor,
        backlog=queries.backlog(),
        unworded=queries.list_unworded(limit=SHOWN),
        way=gateway.way(),
    )


def _page(cursor: str | None) -> Page[Message]:
    try:
        return queries.list_undelivered(limit=SHOWN, cursor=cursor)
    except InvalidField:
        return queries.list_undelivered(limit=SHOWN, cursor=None)


@bp.post("/admin/mail/<id:message_id>/retry")
@login_required
def retry_mail(message_id: int) -> Response:
    """Send a mail that failed for good once more."""
    admin = login.administrator(NEEDED)
    forms.check_token()
    with transaction():
        service.retry_mail(message_id, by=admin)
    flash(gettext("邮件已重新排队，一分钟内再次投递。"), "ok")
    return go("undelivered")


@bp.post("/admin/mail/notices/<id:notice_id>/retry")
@login_required
def retry_notice(notice_id: int) -> Response:
    """Try again to word a notice."""
    admin = login.administrator(NEEDED)
    forms.check_token()
    with transaction():
        service.retry_notice(notice_id, by=admin)
    flash(gettext("通知已重新排队。"), "ok")
    return go("undelivered")
