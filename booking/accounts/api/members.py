"""REST for the people of an organisation."""

from typing import Any

from booking.accounts import queries, service
from booking.accounts.api.frame import bp
from booking.accounts.auth import caller
from booking.accounts.queries import Member
from booking.accounts.schemas.people import (
    InvitedOut,
    MemberIn,
    MemberOut,
    MemberPage,
    MoveIn,
    RolesIn,
)
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent_without
from booking.kernel.login import login_required
from booking.kernel.paging import Page
from booking.kernel.schema import PageQuery


@bp.get("/organisations/<id:organisation_id>/members")
@login_required
@bp.arguments(PageQuery, location="query")
@bp.response(200, MemberPage)
def members(query: dict[str, Any], organisation_id: int) -> Page[Member]:
    """List the people of an organisation, for its managers."""
    return queries.list_members(organisation_id, **query, caller=caller())


@bp.post("/organisations/<id:organisation_id>/members")
@login_required
@idempotent_without("invitation")
@bp.arguments(MemberIn)
@bp.response(201, InvitedOut)
def add_member(data: dict[str, Any], organisation_id: int) -> service.Invited:
    """Add a person; the answer holds, once, the secret with which they set a password."""
    with transaction():
        return service.add_member(organisation_id, **data, caller=caller())


@bp.patch("/organisations/<id:organisation_id>/members/<id:user_id>")
@login_required
@bp.arguments(RolesIn)
@bp.response(200, MemberOut)
def change_roles(data: dict[str, Any], organisation_id: int, user_id: int) -> Member:
    """Give a member exactly these roles."""
    with transaction():
        return service.change_roles(organisation_id, user_id, **data, caller=caller())


@bp.delete("/organisations/<id:organisation_id>/members/<id:user_id>")
@login_required
@bp.response(204)
def end_membership(organisation_id: int, user_id: int) -> None:
    """End a membership at once; anybody may leave by themselves, but not the last manager."""
    with transaction():
        service.end_membership(organisation_id, user_id, caller=caller())


@bp.post("/organisations/<id:organisation_id>/members/<id:user_id>/invitation")
@login_required
@idempotent_without("invitation")
@bp.response(201, InvitedOut)
def invite_again(organisation_id: int, user_id: int) -> service.Invited:
    """Invite a member who never came anew; the earlier invitation ends."""
    with transaction():
        return service.invite_again(organisation_id, user_id, caller=caller())


@bp.post("/organisations/<id:organisation_id>/members/<id:user_id>/disable")
@login_required
@bp.response(200, MemberOut)
def disable_member(organisation_id: int, user_id: int) -> Member:
    """Shut a member out at once: sessions, tokens, calendars, invitations and password links."""
    with transaction():
        return service.disable_member(organisation_id, user_id, caller=caller())


@bp.post("/organisations/<id:organisation_id>/members/<id:user_id>/enable")
@login_required
@bp.response(200, MemberOut)
def enable_member(organisation_id: int, user_id: int) -> Member:
    """Let a member in again; sessions and tokens stay ended."""
    with transaction():
        return service.enable_member(organisation_id, user_id, caller=caller())


@bp.post("/organisations/<id:organisation_id>/members/<id:user_id>/move")
@login_required
@bp.arguments(MoveIn)
@bp.response(200, MemberOut)
def move_member(data: dict[str, Any], organisation_id: int, user_id: int) -> Member:
    """Move a member to another organisation that the caller manages too, in one step."""
    target = data.pop("organisation_id")
    with transaction():
        return service.move_member(organisation_id, user_id, target, **data, caller=caller())
