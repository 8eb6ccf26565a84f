"""Accounts: found by name or address, disabled and enabled, a lost second factor reset."""

from flask import Response, flash, render_template
from flask_babel import gettext

from booking.accounts import queries, service
from booking.accounts.auth import caller
from booking.admin.schemas import ReasonForm
from booking.admin.views.frame import SHOWN, admins_only, asked, bp, go, page_of
from booking.journal import queries as journal
from booking.kernel import clock, forms
from booking.kernel.db import transaction
from booking.kernel.forms import Form

ENTRIES_SHOWN = 20


@bp.get("/admin/users")
@admins_only
def users() -> str:
    """List accounts by part of a name, e-mail address or mobile number, latest first."""
    q = asked("q")
    found = page_of(
        lambda cursor: queries.search_users(q, caller=caller(), limit=SHOWN, cursor=cursor)
    )
    return render_template(
        "admin/users.html", users=found.items, next_cursor=found.next_cursor, q=q, now=clock.now()
    )


@bp.get("/admin/users/<id:user_id>")
@admins_only
def user(user_id: int) -> Response:
    """Show an account, where it belongs, and what happened to it."""
    return _show(user_id, Form(), doing="")


@bp.post("/admin/users/<id:user_id>/disable")
@admins_only
def disable_user(user_id: int) -> Response:
    """Shut somebody out, at once."""
    form = forms.read(ReasonForm)
    if not form.errors:
        with form.refusals(), transaction():
            service.disable_account(user_id, form.data["reason"], caller=caller())
            flash(gettext("账号已停用：会话、令牌和日历地址立即失效。"), "ok")
            return go("user", user_id=user_id)
    return _show(user_id, form, doing="disable")


@bp.post("/admin/users/<id:user_id>/enable")
@admins_only
def enable_user(user_id: int) -> Response:
    """Let somebody in again."""
    form = forms.read(ReasonForm)
    if not form.errors:
        with form.refusals(), transaction():
            service.enable_account(user_id, form.data["reason"], caller=caller())
            flash(gettext("账号已恢复，可以重新登录。"), "ok")
            return go("user", user_id=user_id)
    return _show(user_id, form, doing="enable")


@bp.post("/admin/users/<id:user_id>/second-factor/reset")
@admins_only
def reset_factor(user_id: int) -> Response:
    """Take a lost second factor away; it is set up anew at the next log-in."""
    form = forms.read(ReasonForm)
    if not form.errors:
        with form.refusals(), transaction():
            service.reset_factor(user_id, form.data["reason"], caller=caller())
            flash(gettext("两步验证已重置，此人已退出所有设备。"), "ok")
            return go("user", user_id=user_id)
    return _show(user_id, form, doing="reset")


def _show(user_id: int, form: Form, *, doing: str) -> Response:
    card = queries.user_card(user_id, caller=caller())
    page = render_template(
        "admin/user.html",
        form=form,
        doing=doing,
        card=card,
        factor=queries.show_factor(user_id),
        entries=journal.list_entries("user", user_id, limit=ENTRIES_SHOWN),
        is_me=user_id == caller().user_id,
        now=clock.now(),
    )
    return forms.answer(form, page)
