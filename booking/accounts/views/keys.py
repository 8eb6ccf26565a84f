"""Single keys that act: which there are, and switching them off (WCAG 2.1.4)."""

from flask import Response, flash, render_template, request
from flask_babel import gettext

from booking.accounts.views.frame import bp, go
from booking.kernel import forms, pages


@bp.get("/shortcuts")
def shortcuts() -> str:
    """Show the keys, and whether they act in this browser."""
    return render_template("accounts/shortcuts.html")


@bp.post("/shortcuts")
def choose_shortcuts() -> Response:
    """Let single keys act in this browser, or not."""
    forms.check_token()
    are_on = request.form.get("shortcuts") == "on"
    flash(gettext("快捷键已开启。") if are_on else gettext("快捷键已关闭。"), "ok")
    response = go("shortcuts")
    pages.remember(response, pages.KEYS_COOKIE, "on" if are_on else "off")
    return response
