"""The page on which a manager says whom their organisation is related to."""

from flask import Response, flash, render_template
from flask_babel import gettext

from booking.accounts.auth import caller
from booking.accounts.rules import Permission, require
from booking.kernel import clock, forms, pages
from booking.kernel.db import transaction
from booking.kernel.errors import NotFound
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.paging import LARGEST
from booking.relations import queries, service
from booking.relations.rules import Party
from booking.relations.schemas import OwnRelatedForm, RelatedEndForm

bp = pages.Blueprint("relations_pages", __name__)
go = bp.go


@bp.get("/organisations/<id:organisation_id>/related")
@login_required
def related(organisation_id: int) -> Response:
    """Show what the organisation declared, and offer to declare another."""
    return _show(organisation_id, Form())


@bp.post("/organisations/<id:organisation_id>/related")
@login_required
def declare(organisation_id: int) -> Response:
    """Declare another organisation as related."""
    form = forms.read(OwnRelatedForm)
    if not form.errors:
        other = Party(form.data["uscc"], form.data["name"])
        with form.refusals():
            with transaction():
                service.declare(
                    [other],
                    caller=caller(),
                    source=form.data["source"],
                    since=form.data["since"],
                    organisation_id=organisation_id,
                )
            flash(gettext("已声明。与该单位之间的使用不再计入节约。"), "ok")
            return go("related", organisation_id=organisation_id)
    return _show(organisation_id, form)


@bp.post("/organisations/<id:organisation_id>/related/<id:group_id>/end")
@login_required
def end(organisation_id: int, group_id: int) -> Response:
    """Say until when it is related."""
    form = forms.read(RelatedEndForm)
    if not form.errors:
        with form.refusals():
            with transaction():
                service.end(group_id, **form.data, caller=caller())
            flash(gettext("已登记结束日期。"), "ok")
            return go("related", organisation_id=organisation_id)
    return _show(organisation_id, form, ending=group_id)


def _show(organisation_id: int, form: Form, ending: int | None = None) -> Response:
    who = caller()
    if organisation_id not in who.organisations:
        raise NotFound
    require(who, Permission.MANAGE_ORGANISATION, organisation_id)
    found = queries.list_groups(
        caller=who, limit=LARGEST, cursor=None, organisation_id=organisation_id
    )
    page = render_template(
        "relations/own.html",
        form=form,
        ending=ending,
        organisation=queries.organisation_of(organisation_id),
        groups=found.items,
        by_others=queries.count_by_others(organisation_id, day=clock.today()),
        today=clock.today(),
    )
    return forms.answer(form, page)
