"""REST for related organisations: the platform declares of all, a manager of their own."""

from typing import Any

from flask import url_for

from booking.accounts.auth import caller
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.kernel.paging import Page
from booking.relations import queries, service
from booking.relations.models import RelatedGroup
from booking.relations.schemas import (
    RelatedEndIn,
    RelatedIn,
    RelatedOut,
    RelatedPage,
    RelatedQuery,
)

bp = Blueprint("relations", __name__, description="关联单位：声明、结束")
Headers = dict[str, str]


@bp.get("/related-groups")
@login_required
@bp.arguments(RelatedQuery, location="query")
@bp.response(200, RelatedPage)
def index(query: dict[str, Any]) -> Page[RelatedGroup]:
    """List declarations: the platform sees all, a manager those of their organisation."""
    return queries.list_groups(**query, caller=caller())


@bp.post("/related-groups")
@login_required
@idempotent
@bp.arguments(RelatedIn)
@bp.response(201, RelatedOut)
def create(data: dict[str, Any]) -> tuple[RelatedGroup, Headers]:
    """Declare organisations as related; savings counted between them since are corrected."""
    with transaction():
        group = service.declare(**data, caller=caller())
    return group, {"Location": url_for(".show", group_id=group.id)}


@bp.get("/related-groups/<id:group_id>")
@login_required
@bp.response(200, RelatedOut)
def show(group_id: int) -> RelatedGroup:
    """Show one declaration."""
    return queries.get_group(group_id, caller=caller())


@bp.post("/related-groups/<id:group_id>/end")
@login_required
@idempotent
@bp.arguments(RelatedEndIn)
@bp.response(200, RelatedOut)
def end(data: dict[str, Any], group_id: int) -> RelatedGroup:
    """Say until when they are related; what was left out stays left out."""
    with transaction():
        return service.end(group_id, **data, caller=caller())
