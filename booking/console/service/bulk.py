"""The same change of many instruments: of all of them, or of none."""

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal

from booking.accounts.rules import Caller, CustomerClass, Permission
from booking.availability import queries as availability
from booking.availability import service as opening
from booking.availability.rules import Interval, Terms
from booking.console.errors import NotAllChanged, Refused
from booking.kernel.db import db
from booking.kernel.errors import DomainError, NotAllowed, NotFound
from booking.kernel.money import Money
from booking.registry import queries as registry
from booking.registry import service as instruments
from booking.registry.models import Instrument, Publication, SharingMode
from booking.tariffs import service as tariffs


def publish_each(ids: Collection[int], *, caller: Caller) -> int:
    """Publish those that are not out yet; return how many. Raises NotAllChanged."""

    def change(instrument: Instrument) -> bool:
        if instrument.publication is Publication.PUBLISHED:
            return False
        instruments.publish(instrument.id, caller=caller)
        return True

    return _each(ids, change, caller)


def withdraw_each(ids: Collection[int], *, caller: Caller) -> int:
    """Withdraw those that are out; what is reserved stays. Raises NotAllChanged."""

    def change(instrument: Instrument) -> bool:
        if instrument.publication is not Publication.PUBLISHED:
            return False
        instruments.withdraw(instrument.id, caller=caller)
        return True

    return _each(ids, change, caller)


def set_sharing_of_each(ids: Collection[int], mode: SharingMode, *, caller: Caller) -> int:
    """Set who may use them; return how many that changed. Raises NotAllChanged."""

    def change(instrument: Instrument) -> bool:
        before = instrument.sharing_mode
        instruments.update_instrument(instrument.id, {"sharing_mode": mode}, caller=caller)
        return before is not mode

    return _each(ids, change, caller)


def set_price_of_each(
    ids: Collection[int],
    classes: Sequence[CustomerClass],
    per_hour: Money,
    *,
    caller: Caller,
    discount_percent: Decimal = Decimal(0),
    discount_reason: str = "",
) -> int:
    """Publish the price for the classes; return of how many it is a new one.

    Raises NotAllChanged.
    """

    found = registry.lock_instruments(ids, caller=caller)
    missing = sorted(set(ids) - {each.id for each in found})
    refused = [Refused(each, NotFound().message) for each in missing]
    refused += [
        Refused(each.id, NotAllowed().message)
        for each in found
        if not caller.may(Permission.MANAGE_INSTRUMENTS, each.institution_id)
    ]
    if refused:
        raise NotAllChanged(refused)
    changed = tariffs.publish_each(
        found,
        classes,
        per_hour,
        caller=caller,
        discount_percent=discount_percent,
        discount_reason=discount_reason,
    )
    return len(changed)


def set_hours_of_each(
    ids: Collection[int],
    terms: Terms,
    week: Mapping[int, Sequence[Interval]],
    *,
    caller: Caller,
) -> int:
    """Set week and terms; each one's special days stay. Raises NotAllChanged."""

    def change(instrument: Instrument) -> bool:
        standing = availability.find_schedule(instrument)
        if standing and standing.terms == terms and standing.week == week:
            return False
        opening.set_schedule(
            instrument.id,
            terms,
            week,
            caller=caller,
            special_days=standing.special_days if standing else {},
        )
        return True

    return _each(ids, change, caller)


def _each(ids: Collection[int], change: Callable[[Instrument], bool], caller: Caller) -> int:
    """Change one after the other, in the order of ids so that two of us never wait in a circle."""
    changed, refused = 0, []
    for instrument_id in sorted(ids):
        try:
            changed += _one(instrument_id, change, caller)
        except DomainError as refusal:
            refused.append(Refused(instrument_id, refusal.message))
    if refused:
        raise NotAllChanged(refused)
    return changed


def _one(instrument_id: int, change: Callable[[Instrument], bool], caller: Caller) -> bool:
    with db.session.begin_nested():
        return change(registry.get_instrument(instrument_id, caller=caller, for_update=True))
