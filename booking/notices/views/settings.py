"""What comes by mail, chosen by the person who gets it."""

from flask import Response, flash, render_template
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from booking.kernel import forms, login
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.notices import queries, service
from booking.notices.rules import OPTIONAL
from booking.notices.schemas import SettingsForm
from booking.notices.views.frame import bp, go


@bp.get("/account/notices")
@login_required
def settings_page() -> Response:
    """Ask which kinds of notice shall also come by mail."""
    me = login.own_id()
    muted = queries.muted([me]).get(me, frozenset())
    wanted = [("by_mail", kind.value) for kind in OPTIONAL if kind not in muted]
    return _show(Form(values=MultiDict(wanted)))


@bp.post("/account/notices")
@login_required
def settings() -> Response:
    """Keep the choice."""
    form = forms.read(SettingsForm)
    if not form.errors:
        with transaction():
            service.choose(login.own_id(), form.data["by_mail"])
        flash(gettext("已保存。"), "ok")
        return go("settings_page")
    return _show(form)


def _show(form: Form) -> Response:
    page = render_template(
        "notices/settings.html", form=form, kinds=[kind.value for kind in OPTIONAL]
    )
    return forms.answer(form, page)
