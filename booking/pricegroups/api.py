"""REST for finer customer classes: the owner's people only."""

from typing import Any

from flask import url_for

from booking.accounts.auth import caller
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.kernel.paging import Page
from booking.kernel.schema import PageQuery, VersionIn
from booking.pricegroups import queries, service
from booking.pricegroups.models import PriceGroup, PriceGroupMember
from booking.pricegroups.queries import Described
from booking.pricegroups.schemas import (
    NewPriceGroupTermsIn,
    PriceGroupIn,
    PriceGroupMemberIn,
    PriceGroupMemberOut,
    PriceGroupMemberPage,
    PriceGroupOut,
    PriceGroupPage,
    PriceGroupQuery,
    PriceGroupVersions,
)

bp = Blueprint("price_groups", __name__, description="细分客户类别")
Headers = dict[str, str]


@bp.get("/price-groups")
@login_required
@bp.arguments(PriceGroupQuery, location="query")
@bp.response(200, PriceGroupPage)
def index(query: dict[str, Any]) -> Page[Described]:
    """List the finer classes of the institutions one works at, latest first."""
    return queries.list_groups(**query, caller=caller())


@bp.post("/price-groups")
@login_required
@idempotent
@bp.arguments(PriceGroupIn)
@bp.response(201, PriceGroupOut)
def create(data: dict[str, Any]) -> tuple[Described, Headers]:
    """Define a finer class of an institution's customers; 409 `price_group_exists`."""
    with transaction():
        made = _described(service.create_group(**data, caller=caller()))
    return made, {"Location": url_for(".show", price_group_id=made.group.id)}


@bp.get("/price-groups/<id:price_group_id>")
@login_required
@bp.response(200, PriceGroupOut)
def show(price_group_id: int) -> Described:
    """Show one with the version that holds."""
    return _described(queries.get_group(price_group_id, caller=caller()))


@bp.get("/price-groups/<id:price_group_id>/versions")
@login_required
@bp.response(200, PriceGroupVersions)
def versions(price_group_id: int) -> dict[str, Any]:
    """List all versions, latest first; none of them was ever edited."""
    group = queries.get_group(price_group_id, caller=caller())
    return {"items": queries.versions_of(group.id)}


@bp.post("/price-groups/<id:price_group_id>/versions")
@login_required
@idempotent
@bp.arguments(NewPriceGroupTermsIn)
@bp.response(201, PriceGroupOut)
def publish(data: dict[str, Any], price_group_id: int) -> Described:
    """Publish the next version; what was agreed stays. 409 if one is announced already."""
    with transaction():
        return _described(service.publish_terms(price_group_id, **data, caller=caller()))


@bp.post("/price-groups/<id:price_group_id>/withdraw")
@login_required
@idempotent
@bp.arguments(VersionIn)
@bp.response(200, PriceGroupOut)
def withdraw(data: dict[str, Any], price_group_id: int) -> Described:
    """Take back the version that does not hold yet; 409 `price_group_in_force` if none is left."""
    with transaction():
        return _described(service.withdraw_terms(price_group_id, **data, caller=caller()))


@bp.post("/price-groups/<id:price_group_id>/end")
@login_required
@idempotent
@bp.arguments(VersionIn)
@bp.response(200, PriceGroupOut)
def end(data: dict[str, Any], price_group_id: int) -> Described:
    """Let it give nothing from now on; what was agreed stays."""
    with transaction():
        return _described(service.end_group(price_group_id, **data, caller=caller()))


@bp.get("/price-groups/<id:price_group_id>/members")
@login_required
@bp.arguments(PageQuery, location="query")
@bp.response(200, PriceGroupMemberPage)
def members(query: dict[str, Any], price_group_id: int) -> Page[PriceGroupMember]:
    """List its members, also former ones, latest added first."""
    group = queries.get_group(price_group_id, caller=caller())
    return queries.list_members(group.id, **query)


@bp.post("/price-groups/<id:price_group_id>/members")
@login_required
@idempotent
@bp.arguments(PriceGroupMemberIn)
@bp.response(201, PriceGroupMemberOut)
def add_member(data: dict[str, Any], price_group_id: int) -> PriceGroupMember:
    """Add an organisation by its credit code; 422 where it has another class's list prices."""
    with transaction():
        group = queries.get_group(price_group_id, caller=caller())
        organisation = service.organisation_of(data.pop("uscc"))
        return service.add_member(group.id, organisation, **data, caller=caller())


@bp.post("/price-groups/<id:price_group_id>/members/<id:membership_id>/remove")
@login_required
@idempotent
@bp.arguments(VersionIn)
@bp.response(200, PriceGroupMemberOut)
def remove_member(
    data: dict[str, Any], price_group_id: int, membership_id: int
) -> PriceGroupMember:
    """Let an organisation belong to it no longer; what was agreed stays."""
    with transaction():
        return service.remove_member(price_group_id, membership_id, **data, caller=caller())


def _described(group: PriceGroup) -> Described:
    return queries.describe([group])[0]
