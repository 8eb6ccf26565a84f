"""Why can they not book: every rule for one customer and slot, kept or broken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from booking.accounts import queries as accounts
from booking.accounts.rules import Caller, Permission, require
from booking.availability import queries as availability
from booking.availability.rules import in_words
from booking.kernel.errors import NotAllowed, NotFound
from booking.kernel.text import Text
from booking.kernel.timeslot import TimeSlot
from booking.pricegroups import queries as groups
from booking.registry import queries as registry
from booking.reservations import queries, rules
from booking.reservations.rules import Violation
from booking.reservations.service.booking import with_taken
from booking.reservations.service.offers import Offer, make_offer, with_rise


@dataclass(frozen=True)
class Checked:
    """A rule as its owner set it (or as the platform has it), and what the slot breaks of it."""

    words: Text | None
    broken: Sequence[Violation] = ()

    @property
    def kept(self) -> bool:
        """Tell whether the slot keeps it."""
        return not self.broken


@dataclass(frozen=True)
class Examined:
    """All of them, and whether a manager could set the broken ones aside."""

    offer: Offer
    checks: Sequence[Checked]

    @property
    def can_be_set_aside(self) -> bool:
        """Tell whether something is broken, and nothing that must hold for everybody."""
        broken = self.offer.violations
        return bool(broken) and all(each.rule in rules.OVERRIDABLE for each in broken)


def examine(
    instrument_id: int,
    slot: TimeSlot,
    *,
    caller: Caller,
    organisation_id: int,
    user_id: int | None = None,
    samples: int = 1,
    is_assisted: bool | None = None,
) -> Examined:
    """Return every rule for somebody who would book, as who works the instrument sees it.

    Raises NotFound, or NotAllowed for who neither manages nor runs it.
    """
    instrument = registry.get_instrument(instrument_id, caller=caller)
    if not caller.may(Permission.RUN_INSTRUMENTS, instrument.institution_id):
        require(caller, Permission.MANAGE_INSTRUMENTS, instrument.institution_id)
    sheet = queries.get_sheet(
        instrument_id, slot, organisation_id=organisation_id, user_id=user_id or 0
    )
    offer = with_taken(make_offer(sheet, slot, samples=samples, is_assisted=is_assisted))
    stated = (
        list(in_words(sheet.policy, availability.pairs_of(instrument_id))) if sheet.policy else []
    )
    checks = [
        Checked(each.words, [broken for broken in offer.violations if broken.rule in each.rules])
        for each in stated
    ]
    named = frozenset(rule for each in stated for rule in each.rules)
    others = [Checked(None, [each]) for each in offer.violations if each.rule not in named]
    return Examined(offer, [*others, *checks])


def check_for(
    instrument_id: int,
    slot: TimeSlot,
    *,
    caller: Caller,
    organisation_id: int,
    user_id: int | None = None,
    samples: int = 1,
    is_assisted: bool | None = None,
) -> Examined:
    """Return the same for a customer that the instrument's institution knows.

    Its own, and those it has dealt with or named in a finer class of its customers; and of the
    people those who are with that organisation now. Raises NotFound for all others, or NotAllowed.
    """
    instrument = registry.get_instrument(instrument_id, caller=caller)
    institution_id = instrument.institution_id
    if institution_id not in caller.organisations:
        raise NotAllowed
    is_known = organisation_id == institution_id or (
        queries.has_dealt_with(institution_id, organisation_id)
        or groups.is_named_by(institution_id, organisation_id)
    )
    if not is_known or (user_id and not accounts.current_memberships(organisation_id, user_id)):
        raise NotFound
    found = examine(
        instrument_id,
        slot,
        caller=caller,
        organisation_id=organisation_id,
        user_id=user_id,
        samples=samples,
        is_assisted=is_assisted,
    )
    return replace(found, offer=with_rise(found.offer))
