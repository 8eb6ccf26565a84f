"""The people of an organisation, for its managers: invited, given roles, moved, shut out."""

from collections.abc import Mapping

from flask import Response, current_app, flash, render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from booking.accounts import queries, rules, service
from booking.accounts.auth import caller
from booking.accounts.models import Organisation
from booking.accounts.queries import Member
from booking.accounts.rules import Permission
from booking.accounts.schemas.people import MemberForm, MoveForm, RolesForm
from booking.accounts.service import Invited
from booking.accounts.views.frame import bp, go
from booking.kernel import clock, forms
from booking.kernel.db import transaction
from booking.kernel.errors import InvalidField, NotAllowed
from booking.kernel.forms import Form
from booking.kernel.login import login_required
from booking.kernel.paging import Page
from booking.kernel.text import N_

SHOWN = 50


@bp.get("/people")
@login_required
def people_page() -> Response:
    """Lead to the people of the first organisation one manages."""
    managed = caller().organisations_with(Permission.MANAGE_ORGANISATION)
    if not managed:
        raise NotAllowed(N_("这一页供单位管理员使用。"))
    return go("people", organisation_id=min(managed))


@bp.get("/organisations/<id:organisation_id>/people")
@login_required
def people(organisation_id: int) -> Response:
    """List the people, and offer to invite another."""
    return _show_people(organisation_id, Form())


@bp.post("/organisations/<id:organisation_id>/people")
@login_required
def invite(organisation_id: int) -> Response:
    """Add a person; who has no password yet is invited, the code is shown this once."""
    form = forms.read(MemberForm)
    if not form.errors and forms.came_before():
        return go("people", organisation_id=organisation_id)
    if not form.errors:
        with form.refusals(), transaction():
            made = service.add_member(organisation_id, **form.data, caller=caller())
            return _invited(organisation_id, made)
    return _show_people(organisation_id, form)


@bp.get("/organisations/<id:organisation_id>/people/<id:user_id>")
@login_required
def person(organisation_id: int, user_id: int) -> Response:
    """Show one member and what can be changed."""
    return _show_person(organisation_id, user_id, Form())


@bp.post("/organisations/<id:organisation_id>/people/<id:user_id>/roles")
@login_required
def change_roles(organisation_id: int, user_id: int) -> Response:
    """Give the member exactly the roles that were ticked."""
    form = forms.read(RolesForm)
    if not form.errors:
        with form.refusals(), transaction():
            service.change_roles(organisation_id, user_id, **form.data, caller=caller())
            flash(gettext("角色已更改，立即生效。"), "ok")
            return _after(organisation_id, user_id)
    return _show_person(organisation_id, user_id, form)


@bp.post("/organisations/<id:organisation_id>/people/<id:user_id>/invitation")
@login_required
def invite_again(organisation_id: int, user_id: int) -> Response:
    """Invite a member who never came once more."""
    form = Form(values=request.form)
    with form.refusals():
        forms.check_token()
        if forms.came_before():
            return go("people", organisation_id=organisation_id)
        with transaction():
            made = service.invite_again(organisation_id, user_id, caller=caller())
            return _invited(organisation_id, made)
    return _show_person(organisation_id, user_id, form)


@bp.post("/organisations/<id:organisation_id>/people/<id:user_id>/disable")
@login_required
def disable_person(organisation_id: int, user_id: int) -> Response:
    """Shut a member out, at once."""
    form = Form(values=request.form)
    with form.refusals():
        forms.check_token()
        with transaction():
            service.disable_member(organisation_id, user_id, caller=caller())
        flash(gettext("账号已停用：会话、令牌和日历地址立即失效。"), "ok")
        return go("person", organisation_id=organisation_id, user_id=user_id)
    return _show_person(organisation_id, user_id, form)


@bp.post("/organisations/<id:organisation_id>/people/<id:user_id>/enable")
@login_required
def enable_person(organisation_id: int, user_id: int) -> Response:
    """Let a member in again."""
    form = Form(values=request.form)
    with form.refusals():
        forms.check_token()
        with transaction():
            service.enable_member(organisation_id, user_id, caller=caller())
        flash(gettext("账号已恢复，可以重新登录。"), "ok")
        return go("person", organisation_id=organisation_id, user_id=user_id)
    return _show_person(organisation_id, user_id, form)


@bp.post("/organisations/<id:organisation_id>/people/<id:user_id>/move")
@login_required
def move_person(organisation_id: int, user_id: int) -> Response:
    """Move a member to another organisation of one's own."""
    form = forms.read(MoveForm)
    if not form.errors:
        target = form.data.pop("organisation_id")
        with form.refusals(), transaction():
            service.move_member(organisation_id, user_id, target, **form.data, caller=caller())
            flash(gettext("已转到新的单位，原单位的角色已结束。"), "ok")
            return go("person", organisation_id=target, user_id=user_id)
    return _show_person(organisation_id, user_id, form, moving=True)


@bp.post("/organisations/<id:organisation_id>/people/<id:user_id>/remove")
@login_required
def remove_person(organisation_id: int, user_id: int) -> Response:
    """End all roles of a member there, at once."""
    form = Form(values=request.form)
    with form.refusals():
        forms.check_token()
        with transaction():
            service.end_membership(organisation_id, user_id, caller=caller())
        flash(gettext("已移出本单位，立即生效。"), "ok")
        return _after(organisation_id, user_id, left=True)
    return _show_person(organisation_id, user_id, form)


@bp.post("/account/organisations/<id:organisation_id>/leave")
@login_required
def leave(organisation_id: int) -> Response:
    """Leave an organisation by oneself."""
    form = Form(values=request.form)
    with form.refusals():
        forms.check_token()
        with transaction():
            service.end_membership(organisation_id, caller().user_id, caller=caller())
        flash(gettext("您已离开该单位。"), "ok")
        return go("account")
    for words in form.errors.get(forms.WHOLE, []):
        flash(words, "danger")
    return go("account")


def _after(organisation_id: int, user_id: int, *, left: bool = False) -> Response:
    """Go on where one may still look: who changed themselves may manage nobody any more."""
    if user_id == caller().user_id:
        return go("account")
    if left:
        return go("people", organisation_id=organisation_id)
    return go("person", organisation_id=organisation_id, user_id=user_id)


def _invited(organisation_id: int, made: Invited) -> Response:
    """Show the code once; who has a password only needs to be told of."""
    if made.invitation is None:
        flash(gettext("“%(name)s”已加入，用原来的密码登录。", name=made.member.name), "ok")
        return go("people", organisation_id=organisation_id)
    path = url_for("accounts_pages.invitation_page", invitation=made.invitation)
    link = f"{current_app.config['BASE_URL']}{path}"
    return _show_people(organisation_id, Form(status=201), made=made, link=link)


def _show_people(
    organisation_id: int, form: Form, *, made: Invited | None = None, link: str = ""
) -> Response:
    found = _page(organisation_id, request.args.get("cursor") or None)
    organisation = queries.get_organisation(organisation_id, caller=caller())
    page = render_template(
        "accounts/people.html",
        form=form,
        organisation=organisation,
        managed=_managed(),
        members=found.items,
        next_cursor=found.next_cursor,
        roles=_roles(organisation),
        now=clock.now(),
        days=rules.INVITATION_DAYS,
        me=caller().user_id,
        made=made,
        link=link,
    )
    response = forms.answer(form, page)
    if made is not None:
        response.headers["Cache-Control"] = "no-store"
    return response


def _page(organisation_id: int, cursor: str | None) -> Page[Member]:
    try:
        return queries.list_members(organisation_id, caller=caller(), limit=SHOWN, cursor=cursor)
    except InvalidField:
        return queries.list_members(organisation_id, caller=caller(), limit=SHOWN, cursor=None)


def _show_person(
    organisation_id: int, user_id: int, form: Form, *, moving: bool = False
) -> Response:
    queries.require_manager(organisation_id, caller())
    member = queries.get_member(organisation_id, user_id)
    organisation = queries.get_organisation(organisation_id, caller=caller())
    others = {key: name for key, name in _managed().items() if key != organisation_id}
    # What was ticked, or else what stands.
    ticked = form if form.errors and not moving and "roles" in form.values else _ticked(member)
    page = render_template(
        "accounts/person.html",
        form=form,
        roles_form=Form(values=ticked.values, errors={} if moving else form.errors),
        move_form=form if moving else Form(),
        organisation=organisation,
        member=member,
        others=others,
        target_roles=_target_roles(others),
        roles=_roles(organisation),
        now=clock.now(),
        is_me=user_id == caller().user_id,
        belongs_elsewhere=queries.has_seat_elsewhere(user_id, organisation_id),
    )
    return forms.answer(form, page)


def _ticked(member: Member) -> Form:
    return Form(values=MultiDict([("roles", role.value) for role in member.roles]))


def _managed() -> Mapping[int, str]:
    """Return the organisations one manages, by id."""
    ids = caller().organisations_with(Permission.MANAGE_ORGANISATION)
    found = queries.names_of(ids)
    return {each: found[each] for each in sorted(ids)}


def _roles(organisation: Organisation) -> list[str]:
    """Return the roles of such an organisation, in the order in which they are explained."""
    return [role.value for role in rules.Role if role in rules.ROLES[organisation.kind]]


def _target_roles(others: Mapping[int, str]) -> list[str]:
    kinds = {seat.kind for seat in caller().seats if seat.organisation_id in others}
    known = frozenset().union(*(rules.ROLES[kind] for kind in kinds))
    return [role.value for role in rules.Role if role in known]
