"""REST for several reservations made together: parse, open the transaction, call one use case."""

from typing import Any

from flask import url_for

from booking.accounts.auth import caller
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.reservations import queries, service
from booking.reservations.api.frame import Headers, bp
from booking.reservations.queries import Grouped
from booking.reservations.schemas import (
    GroupIn,
    GroupOut,
    GroupPreviewOut,
    SeriesConfirmIn,
    SeriesIn,
    SeriesOut,
    WishesIn,
)


@bp.post("/reservation-groups/preview")
@login_required
@bp.arguments(WishesIn)
@bp.response(200, GroupPreviewOut)
def preview(data: dict[str, Any]) -> list[service.Judged]:
    """Say of several slots wanted together what each costs, and every rule that would refuse it.

    Rules reckon with the others: quotas count them, and what must be booked together is.
    """
    return service.preview(**data, caller=caller())


@bp.post("/reservation-groups")
@login_required
@idempotent
@bp.arguments(GroupIn)
@bp.response(201, GroupOut)
def create_group(data: dict[str, Any]) -> tuple[Grouped, Headers]:
    """Reserve several slots of one or several instruments, all or none.

    422 names each that breaks rules with all of them, 409 those that are taken with alternatives.
    """
    with transaction():
        made = service.reserve_all(**data, caller=caller())
        found = queries.get_group(made.group.id, caller=caller())
    return found, {"Location": url_for(".show_group", group_id=made.group.id)}


@bp.get("/reservation-groups/<id:group_id>")
@login_required
@bp.response(200, GroupOut)
def show_group(group_id: int) -> Grouped:
    """Show what was reserved together, as far as the caller may see it."""
    return queries.get_group(group_id, caller=caller())


@bp.post("/series/preview")
@login_required
@bp.arguments(SeriesIn)
@bp.response(200, SeriesOut)
def preview_series(data: dict[str, Any]) -> service.Series:
    """Say of each date of a series what refuses it, and the nearest free slot instead."""
    organisation_id = data.pop("organisation_id")
    return service.preview_series(
        service.Pattern(**data), caller=caller(), organisation_id=organisation_id
    )


@bp.post("/series")
@login_required
@idempotent
@bp.arguments(SeriesConfirmIn)
@bp.response(201, GroupOut)
def create_series(data: dict[str, Any]) -> tuple[Grouped, Headers]:
    """Reserve a series, all chosen dates or none; refusals name each date as bundles do."""
    choices = {each["index"]: each["starts_at"] for each in data.pop("choices")}
    purpose, organisation_id = data.pop("purpose"), data.pop("organisation_id")
    with transaction():
        made = service.reserve_series(
            service.Pattern(**data),
            choices,
            caller=caller(),
            organisation_id=organisation_id,
            purpose=purpose,
        )
        found = queries.get_group(made.group.id, caller=caller())
    return found, {"Location": url_for(".show_group", group_id=made.group.id)}
