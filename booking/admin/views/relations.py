"""Related organisations: declared by the platform, and seen as firms declared them."""

from flask import Response, flash, render_template
from flask_babel import gettext

from booking.accounts import queries as accounts
from booking.accounts.auth import caller
from booking.admin.schemas import RelationForm
from booking.admin.views.frame import SHOWN, admins_only, asked, bp, go, page_of
from booking.kernel import clock, forms
from booking.kernel.db import transaction
from booking.kernel.forms import Form
from booking.relations import queries, service
from booking.relations.schemas import RelatedEndForm


@bp.get("/admin/related")
@admins_only
def relations() -> Response:
    """List all declarations, latest first, or those that match."""
    return _show(Form())


@bp.post("/admin/related")
@admins_only
def relate() -> Response:
    """Declare organisations as related."""
    form = forms.read(RelationForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                service.declare(**form.data, caller=caller())
            flash(gettext("已登记。组内的使用不再计入节约。"), "ok")
            return go("relations")
    return _show(form)


@bp.post("/admin/related/<id:group_id>/end")
@admins_only
def end_relation(group_id: int) -> Response:
    """Say until when they are related."""
    form = forms.read(RelatedEndForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                service.end(group_id, **form.data, caller=caller())
            flash(gettext("已登记结束日期。"), "ok")
            return go("relations")
    return _show(form, ending=group_id)


def _show(form: Form, ending: int | None = None) -> Response:
    q = asked("q")
    found = page_of(
        lambda cursor: queries.list_groups(caller=caller(), limit=SHOWN, cursor=cursor, q=q)
    )
    declarers = {each.organisation_id for each in found.items if each.organisation_id}
    page = render_template(
        "admin/relations.html",
        form=form,
        ending=ending,
        q=q,
        groups=found.items,
        next_cursor=found.next_cursor,
        declarers=accounts.names_of(declarers),
        today=clock.today(),
    )
    return forms.answer(form, page)
