"""Organisations: found, looked at closely, verified or sent back; whoever decides first decides."""

from collections.abc import Callable

from flask import Response, flash, render_template
from flask_babel import gettext

from booking.accounts import queries, service
from booking.accounts.auth import caller
from booking.accounts.models import Organisation
from booking.accounts.queries import Verification
from booking.admin.schemas import DeclineForm, VersionForm
from booking.admin.views.frame import SHOWN, admins_only, asked, bp, go, page_of
from booking.kernel import formats, forms, names
from booking.kernel.db import db, transaction
from booking.kernel.forms import Form
from booking.reference import queries as reference

CONFLICT = 409  # somebody was faster


@bp.get("/admin/organisations")
@admins_only
def organisations() -> str:
    """List organisations: those that wait for verification unless others are asked for."""
    state, q = _state(), asked("q")
    found = page_of(
        lambda cursor: queries.list_for_admin(
            caller=caller(), limit=SHOWN, cursor=cursor, state=state, q=q
        )
    )
    return render_template(
        "admin/organisations.html",
        organisations=found.items,
        next_cursor=found.next_cursor,
        regions=reference.region_names(
            {each.region_code for each in found.items if each.region_code}
        ),
        state=state,
        q=q,
        counts=queries.count_for_admin(),
    )


def _state() -> Verification:
    wanted = asked("state")
    return Verification(wanted) if wanted in set(Verification) else Verification.WAITING


@bp.get("/admin/organisations/<id:organisation_id>")
@admins_only
def organisation(organisation_id: int) -> Response:
    """Show what an organisation says of itself, and its credit code part by part."""
    return _show(organisation_id, Form())


@bp.post("/admin/organisations/<id:organisation_id>/verify")
@admins_only
def verify(organisation_id: int) -> Response:
    """Let the institution publish."""
    done = gettext("已核验通过，机构现在可以发布仪器，并已收到通知。")
    return _decide(organisation_id, forms.read(VersionForm), service.verify_organisation, done)


@bp.post("/admin/organisations/<id:organisation_id>/decline")
@admins_only
def decline(organisation_id: int) -> Response:
    """Send the verification back with what is to be put right."""
    done = gettext("已退回，机构已收到原因。更改信息后会重新排队。")
    return _decide(organisation_id, forms.read(DeclineForm), service.decline_verification, done)


def _decide(organisation_id: int, form: Form, change: Callable[..., object], done: str) -> Response:
    if form.errors:
        return _show(organisation_id, form)
    with form.refusals(), transaction():
        change(organisation_id, **form.data, caller=caller())
    db.session.expire_all()
    if form.status == CONFLICT:
        return _decided_already(organisation_id, form)
    if form.errors:
        return _show(organisation_id, form)
    flash(done, "ok")
    return go("organisations")


def _decided_already(organisation_id: int, form: Form) -> Response:
    """Say who decided what and when, instead of only that something has changed."""
    found = queries.get_organisation(organisation_id, caller=caller())
    by, at = found.verified_by or found.declined_by, found.verified_at or found.declined_at
    if by is not None and at is not None:
        who = queries.person_names({by}).get(by, "—")
        values = {"who": who, "when": formats.moment(at)}
        form.errors[forms.WHOLE] = [
            gettext("%(who)s已于%(when)s核验通过，您的操作没有生效。", **values)
            if found.verified_at
            else gettext("%(who)s已于%(when)s退回，您的操作没有生效。", **values)
        ]
    return _show(organisation_id, form)


def _show(organisation_id: int, form: Form) -> Response:
    found = queries.get_organisation(organisation_id, caller=caller())
    people = {each for each in (found.verified_by, found.declined_by) if each is not None}
    page = render_template(
        "admin/organisation.html",
        form=form,
        organisation=found,
        parts=names.uscc_parts(found.uscc) if found.uscc else None,
        regions=_regions(found),
        keepers=queries.keepers_of(found),
        deciders=queries.person_names(people),
        region_agrees=_region_agrees(found),
    )
    return forms.answer(form, page)


def _regions(found: Organisation) -> dict[str, str]:
    codes = {code for code in (found.region_code, (found.uscc or "")[2:8]) if code}
    return reference.region_names(codes)


def _region_agrees(found: Organisation) -> bool:
    """Tell whether the code was given in the province and city the organisation names."""
    if not found.uscc or not found.region_code:
        return True
    given, named = found.uscc[2:8], found.region_code
    # Bodies of the centre and of a province carry 100000 or the province's own code.
    return given[:4] in {named[:4], "1000", f"{named[:2]}00"}
