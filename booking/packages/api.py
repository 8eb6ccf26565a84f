"""REST for packages of hours and what firms bought of them."""

from typing import Any

from flask import url_for

from booking.accounts.auth import caller, caller_or_none
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.kernel.paging import Page
from booking.packages import queries, service
from booking.packages.models import HourPackage, PrepaidBalance, PrepaidEntry
from booking.packages.schemas import (
    BalanceOut,
    BalancePage,
    BalanceQuery,
    EntryList,
    PackageIn,
    PackageList,
    PackageOut,
    PackageQuery,
    PrepaidCorrectionIn,
    PurchaseIn,
)
from booking.registry import queries as registry
from booking.tariffs.rules import EXTERNAL_CLASSES

bp = Blueprint("packages", __name__, description="机时包与预付机时")
Headers = dict[str, str]


@bp.get("/institutions/<id:institution_id>/packages")
@bp.doc(security=[])
@bp.arguments(PackageQuery, location="query")
@bp.response(200, PackageList)
def index(query: dict[str, Any], institution_id: int) -> Page[HourPackage]:
    """List an institution's packages, latest first; all on one page."""
    return Page(queries.list_packages(institution_id, **query))


@bp.post("/institutions/<id:institution_id>/packages")
@login_required
@idempotent
@bp.arguments(PackageIn)
@bp.response(201, PackageOut)
def publish(data: dict[str, Any], institution_id: int) -> tuple[HourPackage, Headers]:
    """Publish a package of hours; it never changes, a new version may take its place."""
    with transaction():
        made = service.publish(institution_id, **data, caller=caller())
    return made, {"Location": url_for(".show", package_id=made.id)}


@bp.get("/instruments/<id:instrument_id>/packages")
@bp.doc(security=[])
@bp.response(200, PackageList)
def of_instrument(instrument_id: int) -> Page[HourPackage]:
    """List what is sold for an instrument."""
    instrument = registry.get_instrument(instrument_id, caller=caller_or_none())
    return Page(queries.packages_for(instrument, EXTERNAL_CLASSES))


@bp.get("/packages/<id:package_id>")
@bp.doc(security=[])
@bp.response(200, PackageOut)
def show(package_id: int) -> HourPackage:
    """Show one package, sold or not any more."""
    return queries.get_package(package_id)


@bp.post("/packages/<id:package_id>/withdraw")
@login_required
@idempotent
@bp.response(200, PackageOut)
def withdraw(package_id: int) -> HourPackage:
    """Sell it no more; what was bought of it stays as it is."""
    with transaction():
        return service.withdraw(package_id, caller=caller())


@bp.post("/packages/<id:package_id>/purchases")
@login_required
@idempotent
@bp.arguments(PurchaseIn)
@bp.response(201, BalanceOut)
def buy(data: dict[str, Any], package_id: int) -> tuple[PrepaidBalance, Headers]:
    """Record as the institution's finance that a firm paid for it; the platform holds no money.

    409 `already_recorded` if a purchase has this reference.
    """
    with transaction():
        made = service.record_purchase(package_id, **data, caller=caller())
        found = queries.get_balance(made.id, caller=caller())
    return found, {"Location": url_for(".balance", balance_id=made.id)}


@bp.get("/prepaid-balances")
@login_required
@bp.arguments(BalanceQuery, location="query")
@bp.response(200, BalancePage)
def balances(query: dict[str, Any]) -> Page[PrepaidBalance]:
    """List what one's firm bought and one's institution sold, latest first."""
    return queries.list_balances(caller=caller(), **query)


@bp.get("/prepaid-balances/<id:balance_id>")
@login_required
@bp.response(200, BalanceOut)
def balance(balance_id: int) -> PrepaidBalance:
    """Show one balance."""
    return queries.get_balance(balance_id, caller=caller())


@bp.get("/prepaid-balances/<id:balance_id>/entries")
@login_required
@bp.response(200, EntryList)
def entries(balance_id: int) -> Page[PrepaidEntry]:
    """List every minute that came to a balance or left it."""
    return Page(queries.entries_of(queries.get_balance(balance_id, caller=caller()).id))


@bp.post("/prepaid-balances/<id:balance_id>/correct")
@login_required
@idempotent
@bp.arguments(PrepaidCorrectionIn)
@bp.response(200, BalanceOut)
def correct(data: dict[str, Any], balance_id: int) -> PrepaidBalance:
    """Add to a balance or take from it, with a reason; 409 `not_enough_left` below nothing."""
    with transaction():
        return service.correct(balance_id, **data, caller=caller())
