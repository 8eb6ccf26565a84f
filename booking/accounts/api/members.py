"""REST for the people of an organisation."""

from typing import Any

from booking.accounts import queries, service
from booking.accounts.api.frame import bp
from booking.accounts.auth import caller
from booking.accounts.queries import Member
from booking.accounts.schemas.people import InvitedOut, MemberIn, MemberOut, MemberPage, RolesIn
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
