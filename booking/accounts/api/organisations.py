"""REST for organisations: listed, changed, verified."""

from typing import Any

from booking.accounts import queries, service
from booking.accounts.api.frame import bp
from booking.accounts.auth import caller
from booking.accounts.models import Organisation
from booking.accounts.queries import PublicFacts
from booking.accounts.schemas.organisations import (
    DeclarationIn,
    OrganisationOut,
    OrganisationPage,
    OrganisationPatch,
    OrganisationQuery,
)
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.paging import Page
from booking.kernel.schema import VersionIn


@bp.get("/organisations")
@login_required
@bp.arguments(OrganisationQuery, location="query")
@bp.response(200, OrganisationPage)
def organisations(query: dict[str, Any]) -> Page[Organisation]:
    """List the caller's own organisations and all institutions that publish."""
    return queries.list_organisations(caller=caller(), **query)


@bp.get("/organisations/<id:organisation_id>")
@login_required
@bp.response(200, OrganisationOut)
def organisation(organisation_id: int) -> Organisation | PublicFacts:
    """Show an organisation; of others than the caller's own, its public facts."""
    return queries.show_organisation(organisation_id, caller=caller())


@bp.patch("/organisations/<id:organisation_id>")
@login_required
@bp.arguments(OrganisationPatch)
@bp.response(200, OrganisationOut)
def update_organisation(data: dict[str, Any], organisation_id: int) -> Organisation:
    """Change what an organisation says of itself."""
    version = data.pop("version")
    with transaction():
        return service.update_organisation(organisation_id, data, caller=caller(), version=version)


@bp.post("/organisations/<id:organisation_id>/verify")
@login_required
@bp.arguments(VersionIn)
@bp.response(200, OrganisationOut)
def verify(data: dict[str, Any], organisation_id: int) -> Organisation:
    """Verify an institution, which may then publish. Administrators only."""
    with transaction():
        return service.verify_organisation(organisation_id, **data, caller=caller())


@bp.post("/organisations/<id:organisation_id>/declarations")
@login_required
@idempotent
@bp.arguments(DeclarationIn)
@bp.response(201, OrganisationOut)
def declare(data: dict[str, Any], organisation_id: int) -> Organisation:
    """Declare industry and size class as they are from today; earlier ones stay."""
    with transaction():
        return service.declare_enterprise(organisation_id, **data, caller=caller())
