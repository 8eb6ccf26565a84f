"""Setting rules aside for a reason: whoever manages the instrument may, and it is written down."""

from dataclasses import replace

from booking.accounts import queries as accounts
from booking.accounts.rules import Caller, Permission, acting_for, require
from booking.journal import service as journal
from booking.kernel.db import db
from booking.kernel.errors import InvalidField, NotFound
from booking.kernel.text import N_
from booking.registry import queries as registry
from booking.reservations import queries, rules
from booking.reservations.models import Override, Reservation
from booking.reservations.service.offers import Approval, Offer


def set_aside(offer: Offer, caller: Caller, reason: str | None) -> Offer:
    """Return the offer without the broken rules that may be set aside; as it is without reason.

    What a manager gives a reason for needs nobody's approval. Raises NotAllowed for who does not
    manage the instrument, InvalidField for an empty reason.
    """
    if reason is None:
        return offer
    require(caller, Permission.MANAGE_INSTRUMENTS, offer.sheet.institution_id)
    if not reason:
        raise InvalidField("override_reason", N_("请写明理由，会记入日志。"))
    aside = [each for each in offer.violations if each.rule in rules.OVERRIDABLE]
    left = [each for each in offer.violations if each.rule not in rules.OVERRIDABLE]
    return replace(offer, violations=left, set_aside=aside, approval=Approval())


def buyer_of(
    instrument_id: int,
    caller: Caller,
    organisation_id: int | None,
    user_id: int | None,
    *,
    overrides: bool,
) -> tuple[int, int]:
    """Return for which organisation, and for whom there, the caller books.

    For others only where rules are set aside on an instrument one manages, and only for those its
    institution has dealt with; raises NotFound for all others, or as `acting_for`.
    """
    own = caller.organisations_with(Permission.RESERVE)
    if not overrides or organisation_id is None or organisation_id in own:
        if user_id not in {None, caller.user_id}:
            raise InvalidField("user_id", N_("替别人预约须写明理由。"))
        return acting_for(caller, organisation_id), caller.user_id
    institution_id = registry.get_instrument(instrument_id, caller=caller).institution_id
    require(caller, Permission.MANAGE_INSTRUMENTS, institution_id)
    people = queries.people_dealt_with(institution_id, organisation_id)
    if not people:
        raise NotFound
    if user_id is None:
        return organisation_id, next(iter(people))
    if not accounts.current_memberships(organisation_id, user_id):
        raise NotFound
    return organisation_id, user_id


def keep_override(
    reservation: Reservation, offer: Offer, caller: Caller, reason: str | None
) -> None:
    """Write down which rules were set aside for a reservation, by whom and why."""
    if not offer.set_aside or reason is None:
        return
    broken = [{"rule": each.rule, "detail": str(each.detail)} for each in offer.set_aside]
    db.session.add(
        Override(reservation_id=reservation.id, user_id=caller.user_id, reason=reason, rules=broken)
    )
    journal.record(
        "reservation.overridden",
        "reservation",
        reservation.id,
        by=caller.user_id,
        organisation_id=offer.sheet.institution_id,
        reason=reason,
        rules=broken,
    )
