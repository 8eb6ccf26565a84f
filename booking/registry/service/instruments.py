"""Registering instruments, changing, publishing and withdrawing them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from booking.accounts import queries as accounts
from booking.accounts.errors import NotVerified
from booking.accounts.models import Organisation
from booking.accounts.rules import SCOPE_FOR, Caller, Permission, require, require_scope
from booking.journal import service as journal
from booking.kernel import clock
from booking.kernel.db import db, violation_raises
from booking.kernel.errors import InvalidField, NotAllowed, WrongState
from booking.kernel.text import N_
from booking.reference import queries as reference
from booking.registry import queries, rules
from booking.registry.errors import InnerIdTaken, UnitsPromised
from booking.registry.models import Instrument, Publication
from booking.registry.service.indexing import index_instrument

INNER_ID = "uq_instruments_inner_id"


def create_instrument(
    institution_id: int | None, values: Mapping[str, Any], *, caller: Caller
) -> Instrument:
    """Register an instrument as a draft; `values` by the model's names, `inner_id` and `name` due.

    Without an institution it is the one the caller manages. Raises NotAllowed, InvalidFields with
    all that is wrong, InvalidField for codes that do not exist, or InnerIdTaken.
    """
    institution_id = _owner(caller, institution_id)
    rules.check({name: values.get(name, "") for name in rules.REQUIRED} | dict(values))
    _check_codes(values)
    instrument = Instrument(contributed_by=caller.user_id, **values)
    with violation_raises(INNER_ID, InnerIdTaken(instrument.inner_id)):
        instrument.institution = db.session.get_one(Organisation, institution_id)
        db.session.add(instrument)
    index_instrument(instrument)
    _record("instrument.registered", instrument, caller, new=_facts(values))
    return instrument


def update_instrument(
    instrument_id: int,
    values: Mapping[str, Any],
    *,
    caller: Caller,
    version: int | None = None,
) -> Instrument:
    """Change what is given, the rest stays; nothing happens if all of it stands already.

    Raises NotFound, NotAllowed, Stale, UnitsPromised, and what `create_instrument` raises.
    """
    instrument = _managed(instrument_id, caller, version)
    changes = {name: value for name, value in values.items() if getattr(instrument, name) != value}
    if not changes:
        return instrument
    rules.check(changes)
    _check_codes(changes)
    # Reservations are made without a lock on this row, so looking for them would be no guard.
    if changes.get("units", instrument.units) < instrument.units and instrument.published_at:
        raise UnitsPromised
    old = _facts({name: getattr(instrument, name) for name in changes})
    with violation_raises(INNER_ID, InnerIdTaken(changes.get("inner_id", ""))):
        for name, value in changes.items():
            setattr(instrument, name, value)
        instrument.touch()
    index_instrument(instrument)
    _record("instrument.changed", instrument, caller, old=old, new=_facts(changes))
    return instrument


def publish(instrument_id: int, *, caller: Caller, version: int | None = None) -> Instrument:
    """Let everybody find it; raises NotVerified until an administrator verified the institution.

    Also NotFound, NotAllowed, Stale, or WrongState if it is published.
    """
    instrument = _managed(instrument_id, caller, version)
    if instrument.publication is Publication.PUBLISHED:
        raise WrongState(instrument.publication, "publish")
    if not accounts.is_verified(instrument.institution_id):
        raise NotVerified
    instrument.published_at = clock.now()
    _move(instrument, Publication.PUBLISHED, "instrument.published", caller)
    return instrument


def withdraw(instrument_id: int, *, caller: Caller, version: int | None = None) -> Instrument:
    """Take it out of everybody's sight; what is reserved stays reserved.

    Raises NotFound, NotAllowed, Stale, or WrongState unless it is published.
    """
    instrument = _managed(instrument_id, caller, version)
    if instrument.publication is not Publication.PUBLISHED:
        raise WrongState(instrument.publication, "withdraw")
    _move(instrument, Publication.WITHDRAWN, "instrument.withdrawn", caller)
    return instrument


def _owner(caller: Caller, wanted: int | None) -> int:
    """Return the institution whose instruments the caller manages."""
    require_scope(caller, SCOPE_FOR[Permission.MANAGE_INSTRUMENTS])
    managed = caller.organisations_with(Permission.MANAGE_INSTRUMENTS)
    if wanted is None and len(managed) > 1:
        raise InvalidField("institution_id", N_("您管理多个机构，请指明是哪一个的仪器。"))
    found = managed if wanted is None else managed & {wanted}
    if not found:
        raise NotAllowed
    return next(iter(found))


def _managed(instrument_id: int, caller: Caller, version: int | None) -> Instrument:
    """Return the instrument, locked, for somebody who manages it."""
    instrument = queries.get_instrument(instrument_id, caller=caller, for_update=True)
    require(caller, Permission.MANAGE_INSTRUMENTS, instrument.institution_id)
    instrument.check_version(version)
    return instrument


def _check_codes(values: Mapping[str, Any]) -> None:
    """Raise InvalidField unless category and region stand in the code lists."""
    category, region = values.get("category_code"), values.get("region_code")
    if category is not None and reference.find_category(category) is None:
        raise InvalidField("category_code", N_("没有这个仪器分类代码，请从分类表中选择。"))
    if region is not None and not reference.region_exists(region):
        raise InvalidField("region_code", N_("没有这个行政区划代码，请选择省、市或县（区）。"))


def _move(instrument: Instrument, to: Publication, action: str, caller: Caller) -> None:
    old, instrument.publication = instrument.publication, to
    instrument.touch()
    db.session.flush()
    _record(action, instrument, caller, old={"publication": old}, new={"publication": to})


def _facts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as the journal keeps them."""
    return {
        name: str(value) if isinstance(value, date | Decimal) else value
        for name, value in values.items()
    }


def _record(action: str, instrument: Instrument, caller: Caller, **data: Any) -> None:
    journal.record(
        action,
        "instrument",
        instrument.id,
        by=caller.user_id,
        organisation_id=instrument.institution_id,
        **data,
    )
